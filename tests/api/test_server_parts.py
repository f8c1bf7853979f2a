# SPDX-License-Identifier: Apache-2.0
"""What is below one server, whichever part of it: which servers there are, and for whom."""

import pytest

from tests.api.conftest import Client
from tests.store.builders import OTHER_PROJECT, PROJECT, a_build_request, a_server, a_zone
from treetop.api.caller import Caller

PARTS = {
    "ips": "os_compute_api:ips:index",
    "ips/lab": "os_compute_api:ips:show",
    "metadata": "os_compute_api:server-metadata:index",
    "metadata/role": "os_compute_api:server-metadata:show",
    "tags": "os_compute_api:os-server-tags:index",
    "tags/a": "os_compute_api:os-server-tags:show",
    "os-volume_attachments": "os_compute_api:os-volumes-attachments:index",
    "os-volume_attachments/v": "os_compute_api:os-volumes-attachments:show",
    "os-instance-actions": "os_compute_api:os-instance-actions:list",
    "os-instance-actions/req-1": "os_compute_api:os-instance-actions:show",
    "migrations": "os_compute_api:servers:migrations:index",
    "migrations/1": "os_compute_api:servers:migrations:show",
}
LISTS = [part for part in PARTS if "/" not in part]


def without_a_server(part, uuid):
    reason = "has no mapping to a cell." if part.startswith("tags") else "could not be found."
    return 404, "itemNotFound", f"Instance {uuid} {reason}"


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", ["vm-1", "00000000-0000-0000-0000-000000000000"])
def test_of_what_is_no_server_there_is_nothing(api, part, name):
    assert api.refusal(f"/v2.1/servers/{name}/{part}", 60) == without_a_server(part, name)


@pytest.mark.parametrize("part", PARTS)
def test_another_projects_server_is_not_found(reader_api, top, part):
    uuid = a_server(top, project_id=OTHER_PROJECT)

    assert reader_api.refusal(f"/v2.1/servers/{uuid}/{part}", 60) == without_a_server(part, uuid)


@pytest.mark.parametrize("part", LISTS)
def test_an_administrator_sees_every_projects_server(api, top, part):
    uuid = a_server(top, project_id=OTHER_PROJECT)

    assert api.ask(f"/v2.1/servers/{uuid}/{part}", 60).status_code == 200


@pytest.mark.parametrize("part", PARTS)
def test_who_lacks_the_permission_is_refused(pool, top, part):
    uuid = a_server(top)
    nobody = Caller(
        user_id="x", project_id=PROJECT, is_admin=False, permissions=frozenset(), elsewhere=frozenset()
    )
    api = Client(pool, authenticator=lambda _request, _project: nobody)

    assert api.refusal(f"/v2.1/servers/{uuid}/{part}", 60) == (
        403,
        "forbidden",
        f"Policy doesn't allow {PARTS[part]} to be performed.",
    )


@pytest.mark.parametrize("part", LISTS)
def test_a_deleted_server_has_nothing_but_what_was_done_to_it(api, top, part):
    uuid = a_server(top, deleted=True, vm_state="deleted")

    assert api.ask(f"/v2.1/servers/{uuid}/{part}", 20).status_code == 404
    status = 200 if part == "os-instance-actions" else 404
    assert api.ask(f"/v2.1/servers/{uuid}/{part}", 60).status_code == status


@pytest.mark.parametrize(
    ("part", "body"),
    [
        ("ips", {"addresses": {}}),
        ("metadata", {"metadata": {"role": "web"}}),
        ("tags", {"tags": ["a"]}),
        ("os-volume_attachments", {"volumeAttachments": []}),
        ("os-instance-actions", {"instanceActions": []}),
        ("migrations", {"migrations": []}),
    ],
)
def test_a_server_that_no_cell_has_yet_has_what_it_was_asked_for_with(api, top, part, body):
    a_zone(top, 9, kind="api")
    uuid = a_build_request(top, 1, tags=("a",))

    assert api.get(f"/v2.1/servers/{uuid}/{part}", 60) == body


@pytest.mark.parametrize(
    ("part", "allowed", "refused"),
    [
        ("ips", 101, 102),
        ("metadata", 101, 102),
        ("migrations", 101, 102),
        ("tags", 104, None),
        ("os-volume_attachments", 74, 75),
        ("os-instance-actions", 57, 58),
    ],
)
def test_unknown_parameters_are_refused_from_where_nova_does(api, top, part, allowed, refused):
    uuid = a_server(top)

    assert api.ask(f"/v2.1/servers/{uuid}/{part}?foo=1", allowed).status_code == 200
    if refused is not None:
        assert api.refusal(f"/v2.1/servers/{uuid}/{part}?foo=1", refused)[0::2] == (
            400,
            "Additional properties are not allowed ('foo' was unexpected)",
        )


@pytest.mark.parametrize(("part", "since"), [("tags", 26), ("migrations", 23)])
def test_what_a_microversion_does_not_have_is_not_found(api, top, part, since):
    uuid = a_server(top)

    assert api.ask(f"/v2.1/servers/{uuid}/{part}", since).status_code == 200
    for path in (part, f"{part}/1"):
        assert api.refusal(f"/v2.1/servers/{uuid}/{path}", since - 1) == (
            404,
            "itemNotFound",
            "The resource could not be found.",
        )


@pytest.mark.parametrize("part", LISTS)
def test_the_answers_age_is_that_of_the_servers_zone(api, top, part):
    a_zone(top, 2, lag_seconds=500)
    uuid = a_server(top)

    assert float(api.ask(f"/v2.1/servers/{uuid}/{part}", 60).headers["Treetop-Max-Lag"]) < 100


@pytest.mark.parametrize("part", LISTS)
def test_what_is_stale_is_not_shown_where_that_is_not_wanted(api, top, part):
    a_zone(top, 2, state="waiting")
    uuid = a_server(top, zone_id=2)

    answer = api.ask(f"/v2.1/servers/{uuid}/{part}", 60, headers={"Treetop-Stale-Zones": "omit"})

    assert answer.status_code == 503


def test_addresses_are_shown_while_the_server_builds(api, top):
    uuid = a_server(top, vm_state="building")

    assert api.get(f"/v2.1/servers/{uuid}/ips") == {
        "addresses": {"lab": [{"version": 4, "addr": "10.0.0.5"}]}
    }
    assert api.get(f"/v2.1/servers/{uuid}/ips/lab") == {"lab": [{"version": 4, "addr": "10.0.0.5"}]}
    assert api.refusal(f"/v2.1/servers/{uuid}/ips/other") == (
        404,
        "itemNotFound",
        "Instance is not a member of specified network",
    )


def test_metadata_is_shown_whole_and_one_by_one(api, top):
    uuid = a_server(top, metadata={"1": ["role", "web"], "2": ["é", ""]})

    assert api.get(f"/v2.1/servers/{uuid}/metadata") == {"metadata": {"role": "web", "é": ""}}
    assert api.get(f"/v2.1/servers/{uuid}/metadata/role") == {"meta": {"role": "web"}}
    assert api.refusal(f"/v2.1/servers/{uuid}/metadata/nope")[0::2] == (404, "Metadata item was not found")


def test_a_tag_is_there_or_not(api, top):
    uuid = a_server(top, tags={"b": True, "a": True})

    assert api.get(f"/v2.1/servers/{uuid}/tags", 26) == {"tags": ["a", "b"]}
    answer = api.ask(f"/v2.1/servers/{uuid}/tags/a", 26)
    assert (answer.status_code, answer.text) == (204, "")
    assert api.refusal(f"/v2.1/servers/{uuid}/tags/nope", 26)[0::2] == (
        404,
        f"Server {uuid} has no tag 'nope'",
    )


@pytest.mark.parametrize("zones", [(1, 2), (2, 1)])
def test_of_two_zones_the_one_where_the_server_lives_is_asked(api, top, zones):
    a_zone(top, 2)
    gone, here = zones
    uuid = a_server(top, 1, zone_id=gone, deleted=True, metadata={"1": ["where", "before"]})
    a_server(top, 1, zone_id=here, metadata={"1": ["where", "now"]})

    assert api.get(f"/v2.1/servers/{uuid}/metadata") == {"metadata": {"where": "now"}}
