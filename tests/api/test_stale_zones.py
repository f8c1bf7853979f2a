# SPDX-License-Identifier: Apache-2.0
"""Servers of zones that are stale: last known, Nova's placeholders, or left out; by option and by request."""

import json

import pytest

from tests.api.conftest import Client
from tests.store.builders import OTHER_PROJECT, PROJECT, USER, a_server, a_zone, uuid_of

HEADER = "Treetop-Stale-Zones"
UNKNOWN, OMIT, LAST_KNOWN = ({HEADER: mode} for mode in ("unknown", "omit", "last-known"))


@pytest.fixture
def half(top):
    """vm-1 in a zone that is live, vm-2 and vm-3 (of another project) in one that waits."""
    a_zone(top, 2, state="waiting", lag_seconds=3600)
    a_server(top, 1, zone_id=1)
    a_server(top, 2, zone_id=2)
    a_server(top, 3, zone_id=2, project_id=OTHER_PROJECT)
    return top


def links(number, base="http://falconframework.org"):
    uuid = uuid_of(number)
    return [
        {"rel": "self", "href": f"{base}/v2.1/servers/{uuid}"},
        {"rel": "bookmark", "href": f"{base}/servers/{uuid}"},
    ]


def listed(api, path, minor, headers):
    """(name, or None without one; status, or None) of each listed server."""
    servers = api.get(path, minor, headers=headers)["servers"]
    return [(server.get("name"), server.get("status")) for server in servers]


@pytest.mark.parametrize("headers", [{}, LAST_KNOWN, {HEADER: " Last-Known "}])
def test_without_another_wish_the_last_known_rows_are_shown(api, half, headers):
    assert listed(api, "/v2.1/servers/detail", 100, headers) == [("vm-2", "ACTIVE"), ("vm-1", "ACTIVE")]


@pytest.mark.parametrize("minor", [1, 69, 100])
@pytest.mark.parametrize("path", ["/v2.1/servers", "/v2.1/servers/detail"])
def test_rows_of_stale_zones_can_be_left_out(api, half, path, minor):
    assert [name for name, _ in listed(api, path, minor, OMIT)] == ["vm-1"]


def test_placeholders_of_the_short_list_are_novas(api, half):
    unknown, known = api.get("/v2.1/servers", 69, headers=UNKNOWN)["servers"]

    assert unknown == {"id": uuid_of(2), "status": "UNKNOWN", "links": links(2)}
    assert known["name"] == "vm-1"


def test_placeholders_of_the_long_list_are_novas(api, half):
    unknown, known = api.get("/v2.1/servers/detail", 100, headers=UNKNOWN)["servers"]

    assert unknown == {
        "id": uuid_of(2),
        "status": "UNKNOWN",
        "tenant_id": PROJECT,
        "created": "2026-01-01T12:02:00Z",
        "links": links(2),
    }
    assert known["status"] == "ACTIVE"


def test_placeholders_come_first_and_for_all_projects_if_asked(api, half):
    a_server(half, 4, zone_id=1)

    servers = api.get("/v2.1/servers?all_tenants=1", 69, headers=UNKNOWN)["servers"]

    assert [server["id"] for server in servers] == [uuid_of(number) for number in (3, 2, 4, 1)]


def test_placeholders_fill_what_the_page_has_left(pool, half):
    client = Client(pool, page_rows_max=2)

    document = client.get("/v2.1/servers?all_tenants=1", 69, headers=UNKNOWN)

    assert [server["id"] for server in document["servers"]] == [uuid_of(3), uuid_of(1)]
    assert document["servers_links"][0]["href"].endswith(f"marker={uuid_of(1)}")


@pytest.mark.parametrize(
    ("query", "minor"),
    [("", 68), ("name=vm", 69), ("limit=10", 69), ("sort_key=uuid", 100), ("deleted=False", 100)],
)
def test_where_nova_gives_no_placeholders_the_rows_are_left_out(api, half, query, minor):
    assert listed(api, f"/v2.1/servers?{query}", minor, UNKNOWN) == [("vm-1", None)]


def test_filters_that_are_not_heard_do_not_end_placeholders(reader_api, half):
    assert listed(reader_api, "/v2.1/servers?deleted=False", 69, UNKNOWN) == [
        (None, "UNKNOWN"),
        ("vm-1", None),
    ]


def test_deleted_servers_have_no_placeholder(api, half):
    a_server(half, 5, zone_id=2, deleted=True)
    a_server(half, 6, zone_id=2, vm_state="soft-delete")
    a_server(half, 7, zone_id=2, hidden=True)

    assert listed(api, "/v2.1/servers", 69, UNKNOWN) == [(None, "UNKNOWN"), ("vm-1", None)]


def test_a_single_server_has_what_nova_knows_without_its_cell(api, half):
    document = api.get(f"/v2.1/servers/{uuid_of(2)}", 69, headers=UNKNOWN)["server"]

    assert document.pop("flavor")["original_name"] == "m1.tiny"
    assert document.pop("image")["id"]
    assert document.pop("server_groups", []) == []
    assert document == {
        "id": uuid_of(2),
        "status": "UNKNOWN",
        "tenant_id": PROJECT,
        "user_id": USER,
        "created": "2026-01-01T12:02:00Z",
        "links": links(2),
        "OS-EXT-AZ:availability_zone": "az-1",
        "OS-EXT-STS:power_state": 0,
    }


@pytest.mark.parametrize(("headers", "minor"), [(UNKNOWN, 68), (OMIT, 69), (OMIT, 1)])
def test_a_single_server_that_is_not_shown_is_never_not_found(api, half, headers, minor):
    answer = api.ask(f"/v2.1/servers/{uuid_of(2)}", minor, headers=headers)

    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
    assert "Zone cell2 of this server is stale (waiting)" in answer.text


def test_a_server_of_a_live_zone_is_shown_in_every_mode(api, half):
    for headers in (UNKNOWN, OMIT):
        assert api.get(f"/v2.1/servers/{uuid_of(1)}", headers=headers)["server"]["status"] == "ACTIVE"


def test_the_operator_chooses_and_the_request_overrules(pool, half):
    client = Client(pool, stale_zones="omit")

    assert client.names() == ["vm-1"]
    assert [name for name, _ in listed(client, "/v2.1/servers", 1, LAST_KNOWN)] == ["vm-2", "vm-1"]


def test_without_any_live_zone_nothing_is_left(api, half):
    half.execute("UPDATE zone_position SET as_of = now() - interval '1 hour'")

    assert listed(api, "/v2.1/servers", 1, OMIT) == []
    assert "cell1" in api.ask("/v2.1/servers", headers=OMIT).headers["Treetop-Zones-Stale"]


def test_a_mode_that_is_none_is_refused(api, half):
    answer = api.ask("/v2.1/servers", headers={HEADER: "hide"})

    assert answer.status_code == 400
    assert json.loads(answer.content)["badRequest"]["message"] == (
        "Treetop-Stale-Zones must be one of last-known, unknown, omit, not 'hide'."
    )
