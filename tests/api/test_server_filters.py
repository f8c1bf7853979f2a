# SPDX-License-Identifier: Apache-2.0
"""Filters of the list: what each one finds, who may use it, and from when on."""

import pytest

from tests.store.builders import IMAGE, PROJECT, USER, a_row, a_server, a_zone, uuid_of

ODD = {
    "display_name": "Web-01 (blue|green)",
    "hostname": "odd-host",
    "display_description": "billing",
    "image_ref": "",
    "flavor_id": "Large",
    "user_id": "4" * 32,
    "project_id": "1" * 32,
    "vm_state": "stopped",
    "task_state": "powering-on",
    "power_state": 4,
    "progress": 77,
    "launch_index": 3,
    "auto_disk_config": True,
    "config_drive": "True",
    "key_name": "odd-key",
    "kernel_id": "odd-kernel",
    "ramdisk_id": "odd-ramdisk",
    "root_device_name": "/dev/odd",
    "reservation_id": "r-odd",
    "locked": True,
    "locked_by": "owner",
    "access_ip_v4": "192.0.2.1",
    "access_ip_v6": "2001:db8::99",
    "host": "Odd-Compute",
    "node": "odd-node",
    "availability_zone": "odd-az",
    "created_at": "2025-05-05 05:05:05",
    "launched_at": "2025-05-06 05:05:05",
    "terminated_at": "2025-05-07 05:05:05",
    "fixed_ips": " 192.168.77.8 2001:db8::77 ",
    "tags": {"Alpha": True, "beta": True},
}

FOUND = [
    "name=web-01",
    "name=WEB",
    "name=^Web.*\\)$",
    "name=blue|green",
    "name=Web-\\d%2B",
    "image=",
    "flavor=large",
    "reservation_id=odd",
    "ip=77.8",
    "ip=192.168.77.8",
    "ip=^192\\.168\\.77\\.8$",
    "ip=168.77",
    "ip=^192\\.168\\..*",
]
FOUND_BY_ALL_FROM = {
    5: ["ip6=db8::77", "ip6=^2001:db8::77$", "ip6=2001", "ip6=2001.*77"],
    26: [
        "tags=alpha",
        "tags=Alpha,beta",
        "tags-any=beta,gamma",
        "tags=alpha&tags-any=beta",
    ],
    73: ["locked=true", "locked=1", "locked=T"],
    83: [
        "availability_zone=dd-a",
        "config_drive=True",
        "key_name=odd",
        "created_at=2025-05-05",
        "launched_at=^2025-05-06 05:05:05",
        "terminated_at=05-07",
        "power_state=4",
        "task_state=powering-on",
        "task_state=POWERING-ON",
        "vm_state=Stopped",
        "progress=77",
        f"user_id={'4' * 32}",
    ],
    90: ["hostname=odd"],
}
FOUND_BY_ADMINS = [
    "display_name=web-01",
    "image_ref=",
    "host=Odd-Compute",
    "node=odd",
    f"uuid={uuid_of(2)}",
    "kernel_id=odd",
    "ramdisk_id=odd",
    "launch_index=3",
    "root_device_name=odd",
    "locked_by=own",
    "access_ip_v4=192.0",
    "access_ip_v6=99",
    "auto_disk_config=1",
    "display_description=bill",
    "description=BILL",
]


@pytest.fixture
def two(top):
    a_server(top, 1)
    a_server(top, 2, **ODD)
    return "Web-01 (blue|green)"


@pytest.mark.parametrize("query", FOUND)
def test_everybody_may_filter(api, reader_api, two, query):
    for minor in (1, 74, 75, 100):
        assert api.names(query, minor) == reader_api.names(query, minor) == [two]


@pytest.mark.parametrize(
    ("minor", "query"), [(minor, query) for minor, queries in FOUND_BY_ALL_FROM.items() for query in queries]
)
def test_filters_open_to_everybody_with_their_microversion(api, reader_api, two, minor, query):
    assert reader_api.names(query, minor) == api.names(query, minor) == [two]
    assert len(reader_api.names(query, minor - 1)) == 2


@pytest.mark.parametrize("query", FOUND_BY_ADMINS)
def test_some_filters_are_for_administrators_and_ignored_for_others(api, reader_api, two, query):
    for minor in (1, 100):
        assert api.names(query, minor) == [two]
        assert len(reader_api.names(query, minor)) == 2


def test_admin_filters_that_open_later_are_the_admins_from_the_start(api, two):
    for query in (*FOUND_BY_ALL_FROM[83], *FOUND_BY_ALL_FROM[90], *FOUND_BY_ALL_FROM[5]):
        assert api.names(query, 1) == [two], query


@pytest.mark.parametrize(
    "query",
    [
        "name=vm-9",
        "name=web&name=nothing",
        "image=00",
        "flavor=larg",
        "ip=^168",
        "ip=10.0.0.6",
        "ip=db8",
        "ip6=192",
        "host=compute",
        "uuid=none",
        f"uuid={uuid_of(1)}&uuid={uuid_of(9)}",
        "power_state=RUNNING",
        "tags=alpha,gamma",
        "vm_state=stop",
        "availability_zone=odd|az",
        "key_name=.*none",
    ],
)
def test_what_does_not_match_is_not_listed(api, two, query):
    assert api.names(query, 96) == []


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("not-tags=alpha,gamma", 2),
        ("not-tags=alpha,beta", 1),
        ("not-tags-any=gamma", 2),
        ("not-tags-any=gamma,BETA", 1),
    ],
)
def test_negated_tags_count_servers_without_tags(api, two, query, count):
    assert len(api.names(query, 26)) == count


def test_a_filter_by_locked_false_finds_the_rest(api, two):
    assert api.names("locked=no", 73) == ["vm-1"]


def test_the_host_is_found_as_written_and_in_small_letters(api, top):
    a_server(top, 1, host="compute-7")

    assert api.names("host=Compute-7") == api.names("host=compute-7") == ["vm-1"]


@pytest.fixture
def states(top):
    a_server(top, 1, display_name="active")
    a_server(top, 2, display_name="rebooting", task_state="rebooting")
    a_server(top, 3, display_name="building", vm_state="building", task_state="spawning")
    a_server(top, 4, display_name="error", vm_state="error")
    a_server(top, 5, display_name="resizing", vm_state="stopped", task_state="resize_prep")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("status=ACTIVE", ["rebooting", "active"]),
        ("status=active", ["rebooting", "active"]),
        ("status=REBOOT", ["rebooting"]),
        ("status=BUILD&status=ERROR", ["error", "building"]),
        ("status=RESIZE", ["resizing"]),
        ("status=ERROR&vm_state=active", ["error"]),
        ("status=ERROR&task_state=spawning", []),
        ("status=REBOOT&task_state=spawning", ["rebooting"]),
        ("vm_state=error&status=SHUTOFF", ["resizing"]),
        ("status=PAUSED", []),
    ],
)
def test_status_finds_by_novas_states(api, states, query, names):
    assert api.names(query, 96) == names


@pytest.mark.parametrize("status", ["UNKNOWN", "nonsense", "ACTIVE,ERROR"])
def test_an_unknown_status_is_an_empty_list_and_refused_from_2_38(api, states, status):
    assert api.get(f"/v2.1/servers?status={status}", 37) == {"servers": []}
    assert api.refusal(f"/v2.1/servers?status={status}", 38) == (400, "badRequest", "Invalid status value")


def test_parameters_of_the_real_client_are_understood(api, top):
    a_server(top, 1)

    assert api.names("deleted=False&all_tenants=True", 100) == ["vm-1"]
    assert api.names(f"image={IMAGE.upper()}&user_id={USER}&deleted=False&limit=2", 100) == ["vm-1"]


def a_flavor(top, number, flavor_id, *, zone_id=9, is_public=True):
    a_row(top, "flavors", zone_id=zone_id, id=number, flavorid=flavor_id, is_public=is_public)


@pytest.fixture
def flavored(top):
    """The region has flavor `tiny` (made anew: number 2) and a private one; cell 3 is of a region nobody reads."""
    a_zone(top, 9, kind="api")
    a_zone(top, 2)
    a_zone(top, 3)
    top.execute("UPDATE zone SET region = 'elsewhere' WHERE id = 3")
    a_flavor(top, 2, "tiny")
    a_flavor(top, 5, "secret", is_public=False)
    a_server(top, 1, display_name="of-the-deleted-one", instance_type_id=1, flavor_id="tiny")
    a_server(top, 2, display_name="of-the-new-one", instance_type_id=2, flavor_id="tiny")
    a_server(top, 3, display_name="in-cell-2", instance_type_id=2, flavor_id="old-name", zone_id=2)
    a_server(top, 4, display_name="elsewhere", instance_type_id=77, flavor_id="tiny", zone_id=3)
    a_server(top, 5, display_name="secret", instance_type_id=5, flavor_id="secret")


@pytest.mark.parametrize(
    ("flavor", "names"),
    [
        ("tiny", ["elsewhere", "in-cell-2", "of-the-new-one"]),
        ("TINY", ["elsewhere", "in-cell-2", "of-the-new-one"]),
        ("old-name", []),
        ("secret", ["secret"]),
        ("nosuch", []),
    ],
)
def test_a_flavor_is_the_one_that_the_region_has_now(api, flavored, flavor, names):
    assert api.names(f"flavor={flavor}") == names


def test_a_flavor_that_the_project_may_not_see_finds_nothing(reader_api, top, flavored):
    assert reader_api.names("flavor=secret") == []

    a_row(top, "flavor_projects", zone_id=9, id=1, flavor_id=5, project_id=PROJECT)
    assert reader_api.names("flavor=secret") == ["secret"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("name=vm-1&display_name=vm-2", ["vm-2"]),
        ("display_name=vm-2&name=vm-1", ["vm-1"]),
        ("image=x&image_ref=" + IMAGE, ["vm-2", "vm-1"]),
        (f"all_tenants=1&project_id=none&tenant_id={PROJECT}", ["vm-2", "vm-1"]),
    ],
)
def test_of_two_names_for_one_filter_the_later_one_counts(api, top, query, names):
    a_server(top, 1)
    a_server(top, 2)

    assert api.names(query) == names
