# SPDX-License-Identifier: Apache-2.0
"""Services: documents, which are alive and by whose clock, zones they are in, order, filters, policy."""

from datetime import timedelta

import pytest

from tests.api.conftest import Client
from tests.store.builders import a_zone
from tests.store.mirrored_rows import START, a_cell_mapping, a_region, a_service, an_aggregate

PATH = "/v2.1/os-services"


def services(api, query="", minor=1):
    return api.get(f"{PATH}?{query}", minor)["services"]


def hosts(api, query="", minor=1):
    return [service["host"] for service in services(api, query, minor)]


def test_a_document_holds_the_row(api, top):
    row_id = a_service(top, "c1", disabled=True, disabled_reason="broken", uuid="the uuid")

    old = {
        "binary": "nova-compute",
        "host": "c1",
        "id": row_id,
        "zone": "nova",
        "status": "disabled",
        "state": "up",
        "updated_at": "2026-01-01T12:00:00.000000",
        "disabled_reason": "broken",
    }
    assert services(api) == services(api, minor=10) == [old]
    assert services(api, minor=11) == services(api, minor=52) == [old | {"forced_down": False}]
    assert services(api, minor=53) == services(api, minor=104)
    assert services(api, minor=53) == [old | {"forced_down": False, "id": "the uuid"}]


def test_the_answer_is_as_old_as_the_aggregates_that_say_where_services_are(api, top):
    a_region(top, lag_seconds=50)
    an_aggregate(top, "fast", hosts=["c1"], metadata={"availability_zone": "az-1"})
    a_service(top, "c1")

    answer = api.ask(PATH)

    assert answer.json["services"][0]["zone"] == "az-1"
    assert float(answer.headers["Treetop-Max-Lag"]) >= 50


def test_a_service_is_alive_by_the_newest_heartbeat_of_its_zone(api, top):
    a_zone(top, 2)
    a_service(top, "newest", last_seen_up=START + timedelta(hours=1))
    a_service(top, "just alive", last_seen_up=START + timedelta(hours=1, seconds=-60))
    a_service(top, "silent", last_seen_up=START + timedelta(hours=1, seconds=-61))
    a_service(top, "never seen", last_seen_up=None)
    a_service(top, "forced", last_seen_up=START + timedelta(hours=1), forced_down=True)
    a_service(top, "of a late zone", zone_id=2)

    states = {service["host"]: service["state"] for service in services(api)}

    assert states == {
        "newest": "up",
        "just alive": "up",
        "silent": "down",
        "never seen": "down",
        "forced": "down",
        "of a late zone": "up",
    }


def test_the_operator_says_how_long_a_service_may_be_silent(pool, top):
    a_service(top, "c1", last_seen_up=START)
    a_service(top, "c2", last_seen_up=START + timedelta(seconds=100))

    assert [service["state"] for service in services(Client(pool, service_down_seconds=99))] == ["down", "up"]
    assert [service["state"] for service in services(Client(pool, service_down_seconds=100))] == ["up", "up"]


def test_the_aggregates_of_the_region_say_in_which_zone_a_compute_service_is(api, top):
    a_region(top)
    a_zone(top, 2)
    top.execute("UPDATE zone SET region = 'elsewhere' WHERE id = 2")
    for name, zone in (("a", "az-b"), ("b", "az-a"), ("c", "az-a")):
        an_aggregate(top, name, hosts=["c1"], metadata={"availability_zone": zone, "ssd": "yes"})
    an_aggregate(top, "d", hosts=["c2"], metadata={"ssd": "yes"})
    for host, binary, zone_id in (
        ("c1", "nova-compute", 1),
        ("c2", "nova-compute", 1),
        ("c1", "nova-conductor", 1),
        ("c1", "nova-compute", 2),
    ):
        a_service(top, host, binary, zone_id=zone_id)

    zones = [(service["binary"], service["host"], service["zone"]) for service in services(api)]

    assert sorted(zones) == [
        ("nova-compute", "c1", "az-a,az-b"),
        ("nova-compute", "c1", "nova"),
        ("nova-compute", "c2", "nova"),
        ("nova-conductor", "c1", "internal"),
    ]


def test_cells_come_in_the_order_of_the_regions_mappings(api, top):
    a_region(top)
    for zone_id, name in ((2, "cell0"), (3, "lab-big-cell"), (4, "unknown")):
        a_zone(top, zone_id, name=name)
    a_cell_mapping(top, "whatever", id=1, uuid="00000000-0000-0000-0000-000000000000")
    a_cell_mapping(top, "Big Cell", id=2)
    a_cell_mapping(top, "cell1", id=3)
    a_service(top, "second", id=9)
    a_service(top, "first", id=8)
    a_service(top, "cell0", "nova-scheduler", zone_id=2)
    a_service(top, "big", zone_id=3)
    a_service(top, "last", zone_id=4)

    assert hosts(api) == ["cell0", "big", "first", "second", "last"]


def test_what_answers_the_api_and_what_is_deleted_is_not_listed(api, top):
    a_service(top, "api", "nova-osapi_compute")
    a_service(top, "metadata", "nova-metadata")
    a_service(top, "gone", deleted=7)
    a_service(top, "c1")

    assert hosts(api) == ["c1"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("host=c1", ["c1", "c1"]),
        ("binary=nova-compute", ["c1", "c2"]),
        ("host=c2&host=c1&binary=nova-conductor", ["c1"]),
        ("host=&binary=", ["c1", "c2", "c1"]),
        ("host=C1", []),
        ("foo=1", ["c1", "c2", "c1"]),
    ],
)
def test_services_of_a_host_or_a_binary(api, top, query, expected):
    a_service(top, "c1")
    a_service(top, "c2")
    a_service(top, "c1", "nova-conductor")

    assert hosts(api, query) == expected


def test_unknown_parameters_are_refused_from_2_75_on(api, top):
    assert hosts(api, "foo=1", 74) == []
    assert api.refusal(f"{PATH}?foo=1", 75)[::2] == (
        400,
        "Additional properties are not allowed ('foo' was unexpected)",
    )


def test_only_cells_that_share_their_hosts_are_drawn_on(api, top):
    a_zone(top, 2, trust="servers", lag_seconds=3600)
    a_service(top, "c1")

    answer = api.ask(PATH)

    assert [service["host"] for service in answer.json["services"]] == ["c1"]
    assert float(answer.headers["Treetop-Max-Lag"]) < 60


def test_services_of_a_hidden_zone_are_placeholders_from_2_69_on(api, top):
    a_zone(top, 2, state="waiting")
    a_service(top, "c1")
    a_service(top, "c2", zone_id=2)
    a_service(top, "conductor", "nova-conductor", zone_id=2)

    def listed(minor, mode):
        return api.get(PATH, minor, headers={"Treetop-Stale-Zones": mode})["services"]

    placeholder = {"binary": "nova-compute", "host": "c2", "status": "UNKNOWN"}
    assert [service["host"] for service in listed(69, "last-known")] == ["c1", "c2", "conductor"]
    assert [service["host"] for service in listed(68, "unknown")] == ["c1"]
    assert listed(69, "unknown")[1:] == [placeholder]
    assert [service["host"] for service in listed(69, "omit")] == ["c1"]


def test_only_administrators_list_services(reader_api):
    assert reader_api.refusal(PATH)[::2] == (
        403,
        "Policy doesn't allow os_compute_api:os-services:list to be performed.",
    )
