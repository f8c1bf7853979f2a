# SPDX-License-Identifier: Apache-2.0
"""Hypervisors: documents at each microversion, pages, search by name, their servers, one by its id, policy."""

import pytest

from tests.api.conftest import Client
from tests.store.builders import a_server, a_zone, uuid_of
from tests.store.mirrored_rows import START, a_cell_mapping, a_compute_node, a_region, a_service

PATH = "/v2.1/os-hypervisors"
INDEX = {"id", "hypervisor_hostname", "state", "status"}
ALWAYS = INDEX | {"hypervisor_type", "hypervisor_version", "host_ip", "service"}
SIZES = {"vcpus", "memory_mb", "local_gb", "vcpus_used", "memory_mb_used", "local_gb_used", "free_ram_mb"}
SIZES |= {"free_disk_gb", "current_workload", "running_vms", "disk_available_least", "cpu_info"}


def a_hypervisor(top, host, **changes):
    zone_id = changes.get("zone_id", 1)
    a_service(top, host, zone_id=zone_id)
    return a_compute_node(top, host, **changes)


def names(api, query="", minor=53, path=PATH):
    return [each["hypervisor_hostname"] for each in api.get(f"{path}?{query}", minor)["hypervisors"]]


@pytest.mark.parametrize(
    ("minor", "keys"), [(1, ALWAYS | SIZES), (87, ALWAYS | SIZES), (88, ALWAYS | {"uptime"})]
)
def test_documents_have_the_keys_of_their_microversion(api, top, minor, keys):
    number = a_hypervisor(top, "c1")
    (listed,) = api.get(f"{PATH}/detail", minor)["hypervisors"]
    shown = api.get(f"{PATH}/{number if minor == 1 else uuid_of(number)}", minor)["hypervisor"]
    (short,) = api.get(PATH, minor)["hypervisors"]

    assert set(listed) == keys
    assert shown == listed
    assert set(short) == INDEX


def test_a_document_holds_the_rows(api, top):
    service = a_service(top, "c1", disabled=True, disabled_reason="broken")
    node = a_compute_node(top, "c1", disk_available_least=None)

    (old,) = api.get(f"{PATH}/detail", 27)["hypervisors"]
    (later,) = api.get(f"{PATH}/detail", 53)["hypervisors"]

    assert old == {
        "id": node,
        "hypervisor_hostname": "c1",
        "state": "up",
        "status": "disabled",
        "hypervisor_type": "QEMU",
        "hypervisor_version": 8002002,
        "host_ip": "192.0.2.1",
        "service": {"id": service, "host": "c1", "disabled_reason": "broken"},
        "vcpus": 8,
        "vcpus_used": 2,
        "memory_mb": 8192,
        "memory_mb_used": 1024,
        "local_gb": 100,
        "local_gb_used": 10,
        "free_ram_mb": 7168,
        "free_disk_gb": 90,
        "current_workload": 0,
        "running_vms": 2,
        "disk_available_least": None,
        "cpu_info": '{"arch": "x86_64"}',
    }
    assert later == old | {
        "id": uuid_of(node),
        "service": old["service"] | {"id": uuid_of(service)},
        "cpu_info": {"arch": "x86_64"},
    }
    assert api.get(f"{PATH}/detail", 88)["hypervisors"][0]["uptime"] == "up 3 days"


@pytest.mark.parametrize("stats", [None, "", "{}", "[]", "no JSON"])
def test_uptime_is_null_if_the_host_does_not_report_it(api, top, stats):
    a_hypervisor(top, "c1", stats=stats, cpu_info=None)

    assert api.get(f"{PATH}/detail", 88)["hypervisors"][0]["uptime"] is None
    assert api.get(f"{PATH}/detail", 28)["hypervisors"][0]["cpu_info"] == {}


def test_a_silent_host_is_down(api, top):
    a_hypervisor(top, "c1")
    a_service(top, "c2", last_seen_up=None, created_at="2025-01-01")
    a_compute_node(top, "c2")

    assert [each["state"] for each in api.get(PATH)["hypervisors"]] == ["up", "down"]


def test_nodes_come_by_cell_and_those_without_a_service_do_not(api, top):
    a_region(top)
    a_zone(top, 2, name="cell2")
    a_cell_mapping(top, "cell2", id=1)
    a_cell_mapping(top, "cell1", id=2)
    a_hypervisor(top, "b", id=2)
    a_compute_node(top, "b", id=1, hypervisor_hostname="a")
    a_hypervisor(top, "c", zone_id=2)
    a_hypervisor(top, "gone", deleted=5)
    a_compute_node(top, "orphan")

    assert names(api) == ["c", "a", "b"]


@pytest.fixture
def five(top):
    a_zone(top, 2)
    for number, host in enumerate(("c1", "c2", "c3"), 1):
        a_hypervisor(top, host, id=number, uuid=uuid_of(number))
    for number, host in enumerate(("d1", "d2"), 1):
        a_hypervisor(top, host, id=number, uuid=uuid_of(10 + number), zone_id=2)


def test_pages_go_on_across_cells(api, five):
    seen, url = [], f"{PATH}/detail?limit=2"
    while url:
        body = api.get(url, 53)
        seen.append([each["hypervisor_hostname"] for each in body["hypervisors"]])
        url = next((link["href"] for link in body.get("hypervisors_links", ())), None)
        url = url and url.removeprefix("http://falconframework.org")

    assert seen == [["c1", "c2"], ["c3", "d1"], ["d2"]]


def test_before_2_33_there_are_no_pages(pool, five):
    api = Client(pool, page_rows_max=2)

    assert len(names(api, minor=32)) == 5
    assert len(names(api, minor=33)) == 2


@pytest.mark.parametrize(
    ("query", "minor", "expected"),
    [
        ("limit=1", 32, ["c1", "c2", "c3", "d1", "d2"]),
        ("limit=1", 33, ["c1"]),
        ("limit=0", 33, []),
        ("marker=2", 33, ["c3", "d1", "d2"]),
        (f"marker={uuid_of(11)}", 53, ["d2"]),
        ("hypervisor_hostname_pattern=D", 53, ["d1", "d2"]),
        ("hypervisor_hostname_pattern=_2", 53, ["c2", "d2"]),
        ("hypervisor_hostname_pattern=D", 52, ["c1", "c2", "c3", "d1", "d2"]),
    ],
)
def test_hypervisors_are_chosen(api, five, query, minor, expected):
    assert names(api, query, minor) == expected


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ("marker=77", 400, "marker [77] not found"),
        ("marker=", 400, "marker [] not found"),
        ("hypervisor_hostname_pattern=zz", 404, "No hypervisor matching 'zz' could be found."),
        (
            "hypervisor_hostname_pattern=c&limit=1",
            400,
            "Paging over hypervisors with the hypervisor_hostname_pattern query parameter is not supported.",
        ),
        (
            "hypervisor_hostname_pattern=a b",
            400,
            "Invalid input for query parameters hypervisor_hostname_pattern. Value: a b. "
            "'a b' does not match '^[a-zA-Z0-9-._]*$'",
        ),
        (
            "limit=1&limit=2",
            400,
            "Invalid input for query parameters limit. Value: ['1', '2']. ['1', '2'] is too long",
        ),
        ("foo=1", 400, "Additional properties are not allowed ('foo' was unexpected)"),
    ],
)
def test_bad_parameters_are_refused(api, five, query, status, message):
    assert api.refusal(f"{PATH}?{query}", 53)[::2] == (status, message)


def test_with_servers_takes_what_novas_schema_takes(api, five):
    assert api.refusal(f"{PATH}?with_servers=maybe", 53)[2].startswith(
        "Invalid input for query parameters with_servers. Value: maybe. 'maybe' is not one of [True, 'True', "
    )


def test_servers_are_those_of_the_host_by_their_internal_names(api, five, top):
    for number in (20, 21):
        a_server(top, number, host="c2", source_id=number)
    a_server(top, 22, host="c2", deleted=True)
    a_server(top, 23, host="d2")

    def servers(query, minor):
        return [each.get("servers") for each in api.get(f"{PATH}?{query}", minor)["hypervisors"]]

    of_c2 = [
        {"name": "instance-00000014", "uuid": uuid_of(20)},
        {"name": "instance-00000015", "uuid": uuid_of(21)},
    ]
    assert servers("", 75) == [None] * 5
    assert servers("with_servers=true", 74) == [None, of_c2, None, None, None]
    assert servers("with_servers=On", 75) == [[], of_c2, [], [], []]
    assert api.get(f"{PATH}/{uuid_of(2)}?with_servers=1", 53)["hypervisor"]["servers"] == of_c2


def test_one_is_found_by_number_before_2_53_and_by_uuid_from_then_on(api, five):
    assert api.get(f"{PATH}/2", 52)["hypervisor"]["hypervisor_hostname"] == "c2"
    assert api.get(f"{PATH}/{uuid_of(12).upper()}", 53)["hypervisor"]["hypervisor_hostname"] == "d2"


@pytest.mark.parametrize(
    ("hypervisor_id", "minor", "status", "message"),
    [
        ("77", 52, 404, "Hypervisor with ID '77' could not be found."),
        ("x", 52, 404, "Hypervisor with ID 'x' could not be found."),
        ("77", 53, 400, "Invalid uuid 77"),
        (uuid_of(77), 53, 404, f"Hypervisor with ID '{uuid_of(77)}' could not be found."),
    ],
)
def test_what_is_not_there(api, five, hypervisor_id, minor, status, message):
    for path in ("", "/uptime"):
        assert api.refusal(f"{PATH}/{hypervisor_id}{path}", minor)[::2] == (status, message)


def test_one_takes_only_with_servers_from_2_53_on(api, five):
    assert api.get(f"{PATH}/1?foo=1", 52)
    assert api.refusal(f"{PATH}/{uuid_of(1)}?foo=1", 53)[0] == 400


def test_only_cells_that_share_their_hosts_are_drawn_on(api, top):
    a_zone(top, 2, trust="servers", lag_seconds=3600)
    a_hypervisor(top, "c1")

    assert float(api.ask(PATH).headers["Treetop-Max-Lag"]) < 60


@pytest.mark.parametrize(
    ("path", "rule"),
    [("", "list"), ("/detail", "list-detail"), ("/1", "show"), ("/statistics", "statistics")],
)
def test_only_administrators_see_hypervisors(reader_api, path, rule):
    message = f"Policy doesn't allow os_compute_api:os-hypervisors:{rule} to be performed."
    assert reader_api.refusal(PATH + path)[::2] == (403, message)


@pytest.mark.parametrize("mode", ["unknown", "omit"])
def test_hypervisors_of_a_hidden_zone_are_left_out(api, five, top, mode):
    top.execute("UPDATE zone_status SET state = 'waiting' WHERE zone_id = 2")
    headers = {"Treetop-Stale-Zones": mode}

    assert names(api) == ["c1", "c2", "c3", "d1", "d2"]
    for path in ("", "/detail", "/1/search"):
        found = api.get(PATH + path, 52, headers=headers)["hypervisors"]
        shown = [each["hypervisor_hostname"] for each in found]
        assert shown == (["c1"] if "search" in path else ["c1", "c2", "c3"])
    assert api.get(f"{PATH}/statistics", headers=headers)["hypervisor_statistics"]["count"] == 3


def test_statistics_sum_what_has_an_enabled_service(api, five, top):
    a_service(top, "off", disabled=True)
    a_compute_node(top, "off")
    a_compute_node(top, "orphan")

    sums = api.get(f"{PATH}/statistics", 87)["hypervisor_statistics"]

    assert sums == {
        "count": 5,
        "current_workload": 0,
        "disk_available_least": 400,
        "free_disk_gb": 450,
        "free_ram_mb": 35840,
        "local_gb": 500,
        "local_gb_used": 50,
        "memory_mb": 40960,
        "memory_mb_used": 5120,
        "running_vms": 10,
        "vcpus": 40,
        "vcpus_used": 10,
    }


def test_without_hypervisors_the_sums_are_zero(api, top):
    assert set(api.get(f"{PATH}/statistics")["hypervisor_statistics"].values()) == {0}


def test_the_older_paths_search_by_name(api, five, top):
    a_server(top, 20, host="c2", source_id=20)

    assert names(api, minor=52, path=f"{PATH}/c/search") == ["c1", "c2", "c3"]
    found = api.get(f"{PATH}/c/servers", 52)["hypervisors"]
    assert [each.get("servers") for each in found] == [
        None,
        [{"name": "instance-00000014", "uuid": uuid_of(20)}],
        None,
    ]
    for path in ("search", "servers"):
        assert api.refusal(f"{PATH}/zz/{path}", 52)[::2] == (
            404,
            "No hypervisor matching 'zz' could be found.",
        )


def test_uptime_of_one(api, top):
    number = a_hypervisor(top, "c1")
    a_service(top, "c2", last_seen_up=None, created_at=START.replace(year=2025))
    silent = a_compute_node(top, "c2")

    assert api.get(f"{PATH}/{number}/uptime", 52)["hypervisor"] == {
        "id": number,
        "hypervisor_hostname": "c1",
        "state": "up",
        "status": "enabled",
        "uptime": "up 3 days",
    }
    assert api.get(f"{PATH}/{uuid_of(number)}/uptime", 87)["hypervisor"]["uptime"] == "up 3 days"
    assert api.refusal(f"{PATH}/{silent}/uptime", 52)[::2] == (
        400,
        "Compute service of c2 is unavailable at this time.",
    )


@pytest.mark.parametrize(
    ("path", "minor"), [("c1/search", 53), ("c1/servers", 53), ("statistics", 88), ("x/uptime", 88)]
)
def test_later_microversions_do_not_have_them(api, top, path, minor):
    assert api.refusal(f"{PATH}/{path}", minor) == (
        404,
        "itemNotFound",
        "The resource could not be found.",
    )
