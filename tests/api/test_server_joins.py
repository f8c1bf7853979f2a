# SPDX-License-Identifier: Apache-2.0
"""What other tables say in a server's document: availability zone, host status, request spec, group."""

import pytest

from tests.api.conftest import Client
from tests.store.builders import OTHER_PROJECT, PROJECT, a_row, a_server, a_zone, uuid_of
from treetop.api.caller import Caller, admin_of, reader_of
from treetop.api.permission import Permission

AZ = "OS-EXT-AZ:availability_zone"
API_ZONE = 9
NOW = "2026-01-01 12:00:00"


def listed(api, minor=104):
    return {server["name"]: server for server in api.get("/v2.1/servers/detail", minor)["servers"]}


def shown(api, uuid, minor=104):
    return api.get(f"/v2.1/servers/{uuid}", minor)["server"]


def an_aggregate(top, number, host, zone):
    a_row(top, "aggregate_hosts", zone_id=API_ZONE, id=number, aggregate_id=number, host=host)
    if zone is not None:
        for key, value in (("ssd", "true"), ("availability_zone", zone)):
            a_row(
                top,
                "aggregate_metadata",
                zone_id=API_ZONE,
                id=number * 2 + (key == "ssd"),
                aggregate_id=number,
                key=key,
                value=value,
            )


@pytest.fixture
def aggregates(top):
    """compute-1 is in az-east (and, by mistake, az-west), compute-2 in an aggregate without a zone."""
    a_zone(top, API_ZONE, kind="api")
    an_aggregate(top, 1, "compute-1", "az-east")
    an_aggregate(top, 2, "compute-2", None)
    an_aggregate(top, 3, "compute-1", "az-west")


def test_the_availability_zone_is_the_one_of_the_hosts_first_aggregate(api, top, aggregates):
    a_server(top, display_name="moved", host="compute-1", availability_zone="as-it-was-recorded")
    a_server(top, display_name="plain", host="compute-2", availability_zone=None)
    a_server(top, display_name="alone", host="compute-3", availability_zone="gone")
    uuid = a_server(top, display_name="asked", host=None, host_id="", availability_zone="az-wish")
    a_server(top, display_name="none", host=None, host_id="", availability_zone=None)

    zones = {name: server[AZ] for name, server in listed(api, 1).items()}
    assert zones == {"moved": "az-east", "plain": "nova", "alone": "nova", "asked": "az-wish", "none": ""}
    assert shown(api, uuid, 1)[AZ] == "az-wish"


def test_hosts_that_are_in_no_availability_zone_are_in_the_operators_default_one(pool, top, aggregates):
    a_server(top, display_name="plain", host="compute-2")

    api = Client(pool, default_availability_zone="somewhere")

    assert listed(api)["plain"][AZ] == "somewhere"


@pytest.mark.parametrize("change", ["trust = 'servers'", "region = 'another'"])
def test_without_the_regions_aggregates_the_recorded_availability_zone_is_shown(api, top, aggregates, change):
    a_server(top, display_name="vm", host="compute-1", availability_zone="recorded")
    a_server(top, display_name="bare", host="compute-1", availability_zone=None)
    top.execute(f"UPDATE zone SET {change} WHERE id = {API_ZONE}")

    assert {name: server[AZ] for name, server in listed(api).items()} == {"vm": "recorded", "bare": "nova"}


def test_aggregates_that_are_not_loaded_yet_place_no_host(api, top, aggregates):
    a_server(top, display_name="vm", host="compute-1", availability_zone="recorded")
    top.execute("UPDATE zone_position SET is_loaded = false WHERE zone_id = %s", (API_ZONE,))

    assert listed(api)["vm"][AZ] == "recorded"


def test_a_zone_that_keeps_its_hosts_shows_the_recorded_availability_zone(api, top, aggregates):
    a_zone(top, 2, trust="servers")
    a_server(top, display_name="vm", zone_id=2, host=None, host_id="abc", availability_zone="recorded")
    a_server(top, display_name="bare", zone_id=2, host=None, host_id="abc", availability_zone=None)

    assert {name: server[AZ] for name, server in listed(api).items()} == {"vm": "recorded", "bare": "nova"}


def a_service(top, number, host, *, seen=NOW, binary="nova-compute", zone_id=1, deleted=0, **columns):
    values = {"disabled": False, "forced_down": False, "created_at": "2020-01-01", "last_seen_up": seen}
    a_row(
        top,
        "services",
        zone_id=zone_id,
        id=number,
        host=host,
        binary=binary,
        deleted=deleted,
        **(values | columns),
    )


@pytest.fixture
def services(top):
    """One host per status, each with a server of its name."""
    a_service(top, 1, "up", seen="2026-01-01 11:59:00")
    a_service(top, 2, "unknown", seen="2026-01-01 11:58:59")
    a_service(top, 3, "maintenance", disabled=True, seen="2025-01-01")
    a_service(top, 4, "down", forced_down=True, disabled=True)
    a_service(top, 5, "new", seen=None, created_at="2026-01-01 11:59:30")
    a_service(top, 6, "gone", deleted=6)
    a_service(top, 7, "conductor", binary="nova-conductor")
    for name in ("up", "unknown", "maintenance", "down", "new", "gone", "conductor"):
        a_server(top, display_name=name, host=name)
    a_server(top, display_name="nowhere", host=None, host_id="")


STATUSES = {
    "up": "UP",
    "unknown": "UNKNOWN",
    "maintenance": "MAINTENANCE",
    "down": "DOWN",
    "new": "UP",
    "gone": "",
    "conductor": "",
    "nowhere": "",
}


def test_the_host_status_is_the_one_of_the_hosts_compute_service(api, top, services):
    servers = listed(api, 16)

    assert {name: server["host_status"] for name, server in servers.items()} == STATUSES
    for server in servers.values():
        assert shown(api, server["id"], 16)["host_status"] == server["host_status"]


def test_a_zone_that_is_read_late_does_not_look_dead(api, top):
    a_zone(top, 2)
    a_service(top, 1, "fresh", seen="2026-01-01 12:00:00")
    a_service(top, 2, "of-a-late-zone", zone_id=2, seen="2025-12-31 00:00:00")
    a_server(top, display_name="late", zone_id=2, host="of-a-late-zone")
    a_server(top, display_name="namesake", host="of-a-late-zone")

    servers = listed(api)
    assert servers["late"]["host_status"] == "UP"
    assert servers["namesake"]["host_status"] == ""


def test_how_long_a_service_may_be_silent_is_the_operators_choice(pool, top, services):
    assert listed(Client(pool, service_down_seconds=61))["unknown"]["host_status"] == "UP"
    assert listed(Client(pool, service_down_seconds=59))["up"]["host_status"] == "UNKNOWN"


def test_who_may_learn_unknown_hosts_only_learns_those(pool, top, services):
    plain = reader_of(PROJECT)
    caller = Caller(
        user_id="reader",
        project_id=PROJECT,
        is_admin=False,
        permissions=plain.permissions | {Permission.HOST_STATUS_UNKNOWN_ONLY},
        elsewhere=plain.elsewhere,
    )
    api = Client(pool, authenticator=lambda _request, _project: caller)

    found = {name: server.get("host_status") for name, server in listed(api).items()}

    assert found == {name: "UNKNOWN" if name == "unknown" else None for name in STATUSES}


def a_request_spec(top, number, uuid, zone, hints):
    a_row(
        top,
        "request_specs",
        zone_id=API_ZONE,
        id=number,
        instance_uuid=uuid,
        availability_zone=zone,
        scheduler_hints=hints,
    )


def test_what_a_server_was_asked_for_with_is_in_its_request_spec(api, top):
    for number in (1, 2, 3):
        a_server(top, number, display_name=f"vm-{number}")
    a_request_spec(top, 1, uuid_of(1), "az-wish", '{"group":["0f"]}')
    a_request_spec(top, 2, uuid_of(2), None, None)

    for servers in (listed(api), {f"vm-{n}": shown(api, uuid_of(n)) for n in (1, 2, 3)}):
        pinned = {name: server["pinned_availability_zone"] for name, server in servers.items()}
        assert pinned == {"vm-1": "az-wish", "vm-2": None, "vm-3": None}
        assert servers["vm-1"]["scheduler_hints"] == {"group": ["0f"]}
        assert servers["vm-2"]["scheduler_hints"] is None


def test_a_server_without_a_request_spec_has_no_hints_in_a_list_and_empty_ones_alone(api, top):
    uuid = a_server(top, display_name="vm")

    assert listed(api)["vm"]["scheduler_hints"] is None
    assert shown(api, uuid)["scheduler_hints"] == {}


def test_a_single_server_shows_its_group(api, top):
    member, other = a_server(top), a_server(top)
    a_row(top, "instance_groups", zone_id=API_ZONE, id=4, uuid=uuid_of(7))
    a_row(top, "instance_groups", zone_id=8, id=4, uuid=uuid_of(8))
    a_row(top, "instance_group_member", zone_id=API_ZONE, id=1, group_id=4, instance_uuid=member)

    assert shown(api, member, 71)["server_groups"] == [uuid_of(7)]
    assert shown(api, other, 71)["server_groups"] == []
    assert "server_groups" not in shown(api, member, 70)


def test_a_group_of_another_project_is_seen_by_an_administrator_only(api, reader_api, top):
    uuid = a_server(top)
    for number, project in ((4, OTHER_PROJECT), (5, PROJECT)):
        a_row(top, "instance_groups", zone_id=API_ZONE, id=number, uuid=uuid_of(number), project_id=project)
        a_row(
            top,
            "instance_group_member",
            zone_id=API_ZONE,
            id=number,
            group_id=number,
            instance_uuid=uuid,
        )

    assert shown(api, uuid)["server_groups"] == [uuid_of(4)]
    assert shown(reader_api, uuid)["server_groups"] == []


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("instance-%08x", "instance-0000002a"),
        ("vm-%(id)d", "vm-42"),
        ("%(uuid)s", uuid_of(42)),
        ("all-the-same", "all-the-same"),
        ("%(project_name)s", uuid_of(42)),
    ],
)
def test_the_name_on_the_hypervisor_is_made_as_the_zones_make_it(pool, top, template, name):
    a_server(top, 42)

    (server,) = listed(Client(pool, instance_name_template=template)).values()

    assert server["OS-EXT-SRV-ATTR:instance_name"] == name


def test_an_administrator_sees_of_others_servers_what_the_policy_allows(pool, top):
    own, other = a_server(top), a_server(top, project_id=OTHER_PROJECT)
    admin = admin_of(PROJECT)
    caller = Caller(
        user_id="admin",
        project_id=PROJECT,
        is_admin=True,
        permissions=admin.permissions,
        elsewhere=admin.elsewhere - {Permission.EXTENDED_ATTRIBUTES},
    )
    api = Client(pool, authenticator=lambda _request, _project: caller)

    assert "OS-EXT-SRV-ATTR:host" in shown(api, own)
    assert "OS-EXT-SRV-ATTR:host" not in shown(api, other)
    assert shown(api, other)["id"] == other


def test_a_single_server_takes_no_parameters_from_2_102_on(api, top):
    uuid = a_server(top)

    assert api.get(f"/v2.1/servers/{uuid}?a=1", 101)["server"]["id"] == uuid
    assert api.refusal(f"/v2.1/servers/{uuid}?a=1", 102) == (
        400,
        "badRequest",
        "Additional properties are not allowed ('a' was unexpected)",
    )
