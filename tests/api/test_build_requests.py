# SPDX-License-Identifier: Apache-2.0
"""Servers that no cell has yet: before all others in a list, in Nova's own order and by its own filters."""

import pytest

from tests.api.conftest import RUNAWAY_PATTERN
from tests.store.builders import (
    FLAVOR,
    IMAGE,
    OTHER_PROJECT,
    START,
    USER,
    a_build_request,
    a_row,
    a_server,
    a_zone,
    uuid_of,
)


@pytest.fixture(autouse=True)
def region(top):
    a_zone(top, 9, kind="api")


def test_they_come_before_all_others_the_newest_first(api, top):
    a_server(top, 50)
    for number in (1, 3, 2):
        a_build_request(top, number)

    assert api.names() == ["new-3", "new-2", "new-1", "vm-50"]


def test_those_of_one_second_come_by_their_numbers(api, top):
    for number in (1, 3, 2):
        a_build_request(top, number, created_at=START)

    assert api.names() == ["new-3", "new-2", "new-1"]
    assert api.names("sort_key=vm_state&sort_dir=asc") == ["new-1", "new-2", "new-3"]


def test_their_document_is_a_servers_without_what_a_cell_gives_it(api, top):
    uuid = a_build_request(top, 7, tags=("b", "a"), trusted_certs={"nova_object.data": {"ids": ["cert"]}})

    server = api.get(f"/v2.1/servers/{uuid}", 104)["server"]
    (listed,) = api.get("/v2.1/servers/detail", 104)["servers"]

    assert {key for key in server if server[key] != listed.get(key)} == {"scheduler_hints", "server_groups"}
    assert server["id"] == uuid
    assert server["status"] == "BUILD"
    assert server["created"] == server["updated"] == "2026-01-01T12:07:00Z"
    assert server["flavor"] == FLAVOR
    assert server["image"]["id"] == IMAGE
    assert server["image"]["properties"] == {"os_distro": "debian"}
    assert server["metadata"] == {"role": "web"}
    assert server["tags"] == ["a", "b"]
    assert server["trusted_image_certificates"] == ["cert"]
    assert server["OS-EXT-AZ:availability_zone"] == "az-wish"
    assert server["OS-DCF:diskConfig"] == "AUTO"
    assert server["progress"] == server["OS-EXT-STS:power_state"] == 0
    assert server["addresses"] == {}
    assert server["OS-EXT-SRV-ATTR:instance_name"] == server["hostId"] == server["host_status"] == ""
    assert server["OS-EXT-SRV-ATTR:host"] is server["OS-SRV-USG:launched_at"] is None
    assert server["user_id"] == USER


@pytest.mark.parametrize("state", [{}, {"deleted": True, "vm_state": "deleted"}, {"hidden": True}])
def test_one_that_a_cell_has_is_shown_as_the_cell_has_it(api, top, state):
    a_build_request(top, 1)
    a_server(top, 1, **state)

    names = api.names()
    assert names == ([] if state else ["vm-1"])
    assert api.ask(f"/v2.1/servers/{uuid_of(1)}").status_code == (404 if "deleted" in state else 200)


def test_those_of_other_projects_are_seen_by_an_administrator_of_all(api, reader_api, top):
    uuid = a_build_request(top, 1, project_id=OTHER_PROJECT)

    assert api.names() == reader_api.names() == []
    assert api.names("all_tenants=1") == ["new-1"]
    assert api.names(f"all_tenants=1&project_id={OTHER_PROJECT}") == ["new-1"]
    assert api.names("all_tenants=1&project_id=none") == []
    assert api.get(f"/v2.1/servers/{uuid}")["server"]["tenant_id"] == OTHER_PROJECT
    assert reader_api.ask(f"/v2.1/servers/{uuid}").status_code == 404


@pytest.mark.parametrize(
    ("query", "is_listed"),
    [
        ("status=BUILD", True),
        ("status=build&status=ERROR", True),
        ("status=ACTIVE", False),
        ("vm_state=building", True),
        ("vm_state=BUILDING", False),
        ("task_state=scheduling", True),
        ("name=new", True),
        ("name=NEW", False),
        ("name=^n.w-[0-9]$", True),
        ("name=old|new", True),
        ("name=^old|vm", False),
        (f"image={IMAGE}", True),
        ("image=", False),
        ("flavor=tiny", True),
        ("flavor=large", False),
        (f"uuid={uuid_of(1)}", True),
        (f"uuid={uuid_of(2)}", False),
        ("host=compute-1", False),
        ("node=compute-1", True),
        ("key_name=mine", True),
        ("availability_zone=wish", True),
        ("availability_zone=nova", False),
        ("tags=a", True),
        ("tags=a,c", False),
        ("tags-any=a,c", True),
        ("tags-any=c", False),
        ("not-tags=a", False),
        ("not-tags=a,c", True),
        ("not-tags-any=a", False),
        ("not-tags-any=c", True),
        ("locked=true", False),
        ("locked=false", True),
        ("ip=10.0", False),
        ("changes-since=2030-01-01", True),
        ("deleted=true", False),
        ("deleted=false", True),
        ("limit=0", False),
        ("created_at=^2026-01-01 12:01", True),
    ],
)
def test_they_are_filtered_in_novas_way(api, top, query, is_listed):
    a_build_request(top, 1, tags=("a", "b"))

    assert api.names(query, 104) == (["new-1"] if is_listed else [])


def test_pages_lead_through_them_to_the_cells(api, top):
    for number in (11, 12, 13):
        a_build_request(top, number)
    for number in (1, 2, 3):
        a_server(top, number)

    found, marker = [], ""
    for _ in range(4):
        servers = api.get(f"/v2.1/servers?limit=2&marker={marker}")["servers"]
        found.append([server["name"] for server in servers])
        marker = servers[-1]["id"] if servers else ""

    assert found == [["new-13", "new-12"], ["new-11", "vm-3"], ["vm-2", "vm-1"], []]


def test_a_full_page_of_them_has_a_link(api, top):
    for number in (11, 12):
        a_build_request(top, number)

    body = api.get("/v2.1/servers?limit=2")

    assert body["servers_links"][0]["href"].endswith(f"limit=2&marker={uuid_of(11)}")


def test_one_that_the_filters_leave_out_is_no_marker(api, top):
    uuid = a_build_request(top, 1)

    assert api.refusal(f"/v2.1/servers?name=vm&marker={uuid}")[0::2] == (400, f"marker [{uuid}] not found")


def test_they_are_sorted_as_asked(api, top):
    for number, name in ((1, "b"), (2, "A"), (3, "c")):
        a_build_request(top, number, display_name=name, key_name=None if number == 3 else name)

    assert api.names("sort_key=display_name&sort_dir=asc") == ["A", "b", "c"]
    assert api.names("sort_key=key_name&sort_dir=desc") == ["b", "A", "c"]


@pytest.mark.parametrize("text", ["", "null", "{", "[]", '{"nova_object.data": {}}'])
def test_one_that_cannot_be_read_is_not_shown(api, top, text):
    a_build_request(top, 1)
    uuid = a_build_request(top, 2)
    top.execute("UPDATE nova_build_requests SET instance = %s WHERE id = 2", (text,))

    assert api.names() == ["new-1"]
    assert api.ask(f"/v2.1/servers/{uuid}").status_code == 404


def test_a_pattern_that_never_ends_is_refused(impatient_api, top):
    a_build_request(top, 1, display_name="a" * 251)

    status, fault, message = impatient_api.refusal(f"/v2.1/servers?name={RUNAWAY_PATTERN}")

    assert (status, fault) == (400, "badRequest")
    assert "longer than a request may take" in message


def test_those_of_a_hidden_zone_are_left_out(api, top):
    a_build_request(top, 1)
    a_zone(top, 8, kind="api", state="waiting")
    a_build_request(top, 2, zone_id=8)

    body = api.get("/v2.1/servers", headers={"Treetop-Stale-Zones": "omit"})

    assert [server["name"] for server in body["servers"]] == ["new-1"]


def test_a_row_of_another_kind_is_no_server(api, top):
    a_row(top, "build_requests", zone_id=9, id=5, instance_uuid="x' OR true", instance="{}")

    assert api.names() == []
