# SPDX-License-Identifier: Apache-2.0
"""The server document: its keys at every microversion and for whom, and each value's form."""

import json

import pytest

from tests.store.builders import ADDRESSES, FLAVOR, IMAGE, OTHER_PROJECT, PROJECT, a_server, a_zone, uuid_of

ALWAYS_TEXT = """
    id name links status tenant_id user_id metadata hostId image flavor created updated addresses accessIPv4
    accessIPv6 OS-DCF:diskConfig OS-EXT-AZ:availability_zone config_drive key_name OS-SRV-USG:launched_at
    OS-SRV-USG:terminated_at OS-EXT-STS:task_state OS-EXT-STS:vm_state OS-EXT-STS:power_state
    os-extended-volumes:volumes_attached progress
"""
ADMIN_3_TEXT = "hostname kernel_id launch_index ramdisk_id reservation_id root_device_name user_data"
ALWAYS = set(ALWAYS_TEXT.split())
ADMIN = {f"OS-EXT-SRV-ATTR:{name}" for name in ("host", "hypervisor_hostname", "instance_name")}
ADMIN_3 = {f"OS-EXT-SRV-ATTR:{name}" for name in ADMIN_3_TEXT.split()}
STEPS = {
    9: {"locked"},
    19: {"description"},
    26: {"tags"},
    63: {"trusted_image_certificates"},
    73: {"locked_reason"},
    96: {"pinned_availability_zone"},
    100: {"scheduler_hints"},
}


def expected_keys(minor, is_admin, is_single=False):
    keys = ALWAYS | set().union(*(names for step, names in STEPS.items() if step <= minor))
    if is_single and minor >= 71:
        keys |= {"server_groups"}
    if is_admin:
        keys |= {"host_status"} if minor >= 16 else set()
        return keys | ADMIN | (ADMIN_3 if minor >= 3 else set())
    return keys | ({"OS-EXT-SRV-ATTR:hostname"} if minor >= 90 else set())


def shown(api, uuid, minor=1):
    return api.get(f"/v2.1/servers/{uuid}", minor)["server"]


@pytest.mark.parametrize("kind", ["api", "reader_api"])
def test_every_microversion_has_novas_keys_in_list_and_show(request, top, kind):
    api = request.getfixturevalue(kind)
    uuid = a_server(top)

    for minor in range(1, 105):
        expected = expected_keys(minor, kind == "api")
        (listed,) = api.get("/v2.1/servers/detail", minor)["servers"]
        assert set(listed) == expected, minor
        assert set(shown(api, uuid, minor)) == expected_keys(minor, kind == "api", is_single=True), minor


def test_the_short_list_has_id_name_and_links_only(api, top):
    uuid = a_server(top, display_name="web")

    assert api.get("/v2.1/servers", 100)["servers"] == [
        {
            "id": uuid,
            "name": "web",
            "links": [
                {"rel": "self", "href": f"http://falconframework.org/v2.1/servers/{uuid}"},
                {"rel": "bookmark", "href": f"http://falconframework.org/servers/{uuid}"},
            ],
        }
    ]


def test_no_key_is_there_twice(api, top):
    uuid = a_server(top)

    for minor in (1, 2, 3, 46, 47, 97, 98, 100):
        pairs = json.loads(
            api.ask(f"/v2.1/servers/{uuid}", minor).content, object_pairs_hook=lambda found: found
        )
        keys = [key for key, _ in pairs[0][1]]
        assert len(keys) == len(set(keys)), minor


def test_times_have_novas_two_forms(api, top):
    uuid = a_server(
        top,
        created_at="2026-11-22 07:46:31",
        updated_at="2026-11-22 07:46:44.5",
        launched_at="2026-11-22 07:46:44",
        terminated_at="2026-11-23 00:00:00.123",
    )

    server = shown(api, uuid)

    assert server["created"] == "2026-11-22T07:46:31Z"
    assert server["updated"] == "2026-11-22T07:46:44Z"
    assert server["OS-SRV-USG:launched_at"] == "2026-11-22T07:46:44.000000"
    assert server["OS-SRV-USG:terminated_at"] == "2026-11-23T00:00:00.123000"


def test_a_server_never_updated_shows_its_creation(api, top):
    uuid = a_server(top, created_at="2026-11-22 07:46:31", updated_at=None)

    assert shown(api, uuid)["updated"] == "2026-11-22T07:46:31Z"


def test_a_row_of_nulls_still_makes_a_document(api, top):
    top.execute(
        "INSERT INTO server (zone_id, uuid, source_id, deleted, project_id) VALUES (1, %s, 1, false, %s)",
        (uuid_of(1), PROJECT),
    )

    server = shown(api, uuid_of(1), 100)

    assert server["status"] == "UNKNOWN"
    assert server["name"] is server["created"] is server["OS-EXT-STS:power_state"] is None
    assert server["flavor"] == server["addresses"] == server["metadata"] == {}
    assert server["image"] == server["hostId"] == server["accessIPv4"] == server["user_id"] == ""
    assert server["tags"] == server["os-extended-volumes:volumes_attached"] == []


def test_the_flavor_is_a_link_before_2_47_and_embedded_from_there(api, top):
    uuid = a_server(top, flavor_id='fl/"1')

    assert shown(api, uuid, 46)["flavor"] == {
        "id": 'fl/"1',
        "links": [{"rel": "bookmark", "href": 'http://falconframework.org/flavors/fl/"1'}],
    }
    assert shown(api, uuid, 47)["flavor"] == FLAVOR


def test_a_server_without_a_flavor_shows_an_empty_one(api, top):
    uuid = a_server(top, flavor_id=None, flavor=None, flavor_name=None)

    assert shown(api, uuid, 1)["flavor"] == shown(api, uuid, 100)["flavor"] == {}


def test_the_image_is_the_last_part_of_its_reference(api, top):
    uuid = a_server(top, image_ref=f"http://glance/images/{IMAGE}")

    assert shown(api, uuid, 97)["image"] == {
        "id": IMAGE,
        "links": [{"rel": "bookmark", "href": f"http://falconframework.org/images/{IMAGE}"}],
    }


def test_from_2_98_the_image_shows_the_properties_nova_knows(api, top):
    uuid = a_server(
        top,
        system_metadata={
            "1": ["image_os_distro", "debian"],
            "2": ["image_base_image_ref", IMAGE],
            "3": ["image_hw_disk_bus", None],
            "4": ["locked_reason", "mine"],
        },
    )

    server = shown(api, uuid, 98)

    assert server["image"]["properties"] == {"os_distro": "debian"}
    assert server["locked_reason"] == "mine"


def test_a_server_booted_from_a_volume_has_an_empty_text_for_image(api, top):
    uuid = a_server(top, image_ref="", system_metadata={"1": ["image_os_distro", "debian"]})

    assert shown(api, uuid, 1)["image"] == shown(api, uuid, 100)["image"] == ""


def test_addresses_are_hidden_while_the_server_is_built(api, top):
    building = a_server(top, vm_state="building")
    active = a_server(top)

    assert shown(api, building)["addresses"] == {}
    assert shown(api, active)["addresses"] == ADDRESSES


def test_volumes_come_in_the_order_of_their_rows(api, top):
    uuid = a_server(
        top,
        volumes={
            "10": {"id": "b", "device": "/dev/vdb", "delete_on_termination": True},
            "9": {"id": "a", "device": "/dev/vda", "delete_on_termination": False},
        },
    )

    key = "os-extended-volumes:volumes_attached"
    assert shown(api, uuid, 2)[key] == [{"id": "a"}, {"id": "b"}]
    assert shown(api, uuid, 3)[key] == [
        {"id": "a", "delete_on_termination": False},
        {"id": "b", "delete_on_termination": True},
    ]


@pytest.mark.parametrize(
    ("vm_state", "task_state", "has_progress"),
    [
        ("active", None, True),
        ("building", None, True),
        ("resized", None, True),
        ("active", "migrating", True),
        ("active", "rebooting", False),
        ("stopped", None, False),
        ("error", None, False),
    ],
)
def test_progress_is_shown_in_some_statuses_only(api, top, vm_state, task_state, has_progress):
    uuid = a_server(top, vm_state=vm_state, task_state=task_state, progress=40)

    assert shown(api, uuid).get("progress") == (40 if has_progress else None)
    assert ("progress" in shown(api, uuid)) is has_progress


FAULTS = {
    "9": {
        "created": "2026-01-02 03:04:05.5",
        "code": 500,
        "message": "No valid host",
        "details": "Traceback",
    },
    "10": {"created": "2026-01-02 03:04:06", "code": 404, "message": "gone", "details": "more"},
}


def test_the_newest_fault_is_shown_in_error(api, top):
    uuid = a_server(top, vm_state="error", faults=FAULTS)

    assert shown(api, uuid)["fault"] == {
        "created": "2026-01-02T03:04:06Z",
        "code": 404,
        "message": "gone",
        "details": "more",
    }


def test_no_fault_is_shown_of_a_server_that_recovered(api, top):
    assert "fault" not in shown(api, a_server(top, faults=FAULTS))


def test_details_of_internal_errors_are_for_administrators(api, reader_api, top):
    uuid = a_server(top, vm_state="error", faults={"9": FAULTS["9"]})

    assert shown(api, uuid)["fault"]["details"] == "Traceback"
    assert "details" not in shown(reader_api, uuid)["fault"]


def test_a_zone_that_keeps_its_hosts_shows_no_host_to_anybody(api, top):
    a_zone(top, 2, trust="servers")
    uuid = a_server(top, zone_id=2, host=None, node=None, availability_zone=None)

    server = shown(api, uuid, 100)

    assert server["OS-EXT-SRV-ATTR:host"] is server["OS-EXT-SRV-ATTR:hypervisor_hostname"] is None
    assert server["OS-EXT-SRV-ATTR:instance_name"] == ""
    assert server["OS-EXT-AZ:availability_zone"] == "nova"
    assert len(server["hostId"]) == 56


def test_instance_name_is_made_from_the_zones_own_number(api, top):
    uuid = a_server(top, source_id=0xABC)

    assert shown(api, uuid)["OS-EXT-SRV-ATTR:instance_name"] == "instance-00000abc"


@pytest.mark.parametrize(
    "column",
    ["display_name", "display_description", "key_name", "locked_by", "hostname", "image_ref", "user_data"],
)
def test_hostile_text_stays_valid_json(api, top, column):
    hostile = "\"\\\n\x01\x7f\u2028\u2029</script>{}\u00e9😀\ufeff{x}%s'''"
    uuid = a_server(top, **{column: hostile})

    listed = api.get("/v2.1/servers/detail", 100)["servers"]

    assert [server["id"] for server in listed] == [uuid]
    assert column != "display_name" or listed[0]["name"] == hostile


def test_hostile_text_in_metadata_and_tags_stays_what_it_is(api, top):
    hostile = '"\\\n\x01\u2028é😀{x}'
    uuid = a_server(
        top,
        metadata={"1": [hostile, hostile], "2": ["b", ""]},
        system_metadata={"1": ["locked_reason", hostile]},
        tags={hostile: True, "a": True},
        vm_state="error",
        faults={"1": {"created": "2026-01-01 00:00:00", "code": 500, "message": hostile, "details": hostile}},
    )

    server = shown(api, uuid, 100)

    assert server["metadata"] == {hostile: hostile, "b": ""}
    assert server["tags"] == sorted([hostile, "a"])
    assert server["locked_reason"] == server["fault"]["message"] == server["fault"]["details"] == hostile


def test_another_projects_server_is_shown_to_administrators_only(api, reader_api, top):
    uuid = a_server(top, project_id=OTHER_PROJECT)

    assert shown(api, uuid)["id"] == uuid
    assert reader_api.refusal(f"/v2.1/servers/{uuid}") == (
        404,
        "itemNotFound",
        f"Instance {uuid} could not be found.",
    )


def test_the_hidden_copy_of_a_server_between_two_zones_is_shown_if_there_is_no_other(api, top):
    a_zone(top, 2)
    uuid = a_server(top, 1, hidden=True, display_name="hidden")
    assert shown(api, uuid)["name"] == "hidden"

    a_server(top, 1, zone_id=2, display_name="current")
    assert shown(api, uuid)["name"] == "current"


def test_a_deleted_server_is_not_shown(api, top):
    uuid = a_server(top, deleted=True)

    assert api.refusal(f"/v2.1/servers/{uuid}")[0] == 404


def test_a_soft_deleted_server_is_shown(api, top):
    assert shown(api, a_server(top, vm_state="soft-delete"))["status"] == "SOFT_DELETED"


@pytest.mark.parametrize("name", ["vm-1", "detail.json", "00000000-0000-0000-0000-000000000000", "é"])
def test_what_is_no_servers_uuid_is_not_found(api, name):
    status, fault, message = api.refusal(f"/v2.1/servers/{name}")

    assert (status, fault) == (404, "itemNotFound")
    assert message.startswith("Instance ")


def test_links_name_the_project_only_if_the_url_did(api, top):
    uuid = a_server(top)

    server = api.get(f"/v2.1/{PROJECT}/servers/{uuid}", 1)["server"]

    base = "http://falconframework.org"
    assert [link["href"] for link in server["links"]] == [
        f"{base}/v2.1/{PROJECT}/servers/{uuid}",
        f"{base}/{PROJECT}/servers/{uuid}",
    ]
    assert server["image"]["links"][0]["href"] == f"{base}/{PROJECT}/images/{IMAGE}"
