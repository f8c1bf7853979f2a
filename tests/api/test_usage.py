# SPDX-License-Identifier: Apache-2.0
"""What servers used: the window, the sums, deleted servers, pages across cells, which text is a time, policy."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.store.builders import FLAVOR, OTHER_PROJECT, PROJECT, a_server, a_zone, uuid_of
from tests.store.mirrored_rows import a_cell_mapping, a_region

PATH = "/v2.1/os-simple-tenant-usage"
DAY = "start=2026-01-10T00:00:00&end=2026-01-11T00:00:00"


def at(hour, day=10):
    return datetime(2026, 1, day, hour)  # noqa: DTZ001 -- as zones keep times


def project_usage(api, query=DAY, minor=1, project=PROJECT):
    return api.get(f"{PATH}/{project}?{query}", minor)["tenant_usage"]


def test_a_projects_usage_sums_up_its_servers(api, top):
    flavor = FLAVOR | {"ram": 1024, "vcpus": 2, "disk": 10, "ephemeral": 5}
    a_server(top, 1, launched_at=at(18), flavor=flavor)
    a_server(top, 2, launched_at=at(0, 9), terminated_at=at(12), deleted=True, vm_state="deleted")

    usage = project_usage(api)
    first, second = usage.pop("server_usages")

    assert usage == {
        "tenant_id": PROJECT,
        "total_hours": 18.0,
        "total_local_gb_usage": 6 * 15 + 12.0,
        "total_vcpus_usage": 6 * 2 + 12.0,
        "total_memory_mb_usage": 6 * 1024 + 12 * 512.0,
        "start": "2026-01-10T00:00:00.000000",
        "stop": "2026-01-11T00:00:00.000000",
    }
    uptime = datetime.now(UTC) - at(18).replace(tzinfo=UTC)
    assert 0 <= uptime.total_seconds() - first.pop("uptime") < 60
    assert first == {
        "hours": 6.0,
        "flavor": "m1.tiny",
        "instance_id": uuid_of(1),
        "name": "vm-1",
        "tenant_id": PROJECT,
        "memory_mb": 1024,
        "local_gb": 15,
        "vcpus": 2,
        "started_at": "2026-01-10T18:00:00.000000",
        "ended_at": None,
        "state": "active",
    }
    assert (second["hours"], second["state"]) == (12.0, "terminated")
    assert second["ended_at"] == "2026-01-10T12:00:00.000000"
    assert second["uptime"] == 36 * 3600


def test_servers_outside_the_window_or_never_launched_are_not_in_it(api, top):
    a_server(top, 1, launched_at=at(0, 1), terminated_at=at(0, 10), deleted=True)
    a_server(top, 2, launched_at=at(0, 11))
    a_server(top, 3, launched_at=None)
    a_server(top, 4, launched_at=at(23))

    assert [each["instance_id"] for each in project_usage(api)["server_usages"]] == [uuid_of(4)]


def test_a_project_that_used_nothing_has_an_empty_usage(api, top):
    assert api.get(f"{PATH}/{PROJECT}?{DAY}") == {"tenant_usage": {}}
    assert api.get(f"{PATH}?{DAY}") == {"tenant_usages": []}


def test_a_server_without_a_flavor_is_counted_by_its_columns(api, top):
    a_server(top, 1, launched_at=at(0), flavor=None, flavor_name=None, root_gb=7, ephemeral_gb=1)

    (server,) = project_usage(api)["server_usages"]

    assert (server["flavor"], server["local_gb"], server["memory_mb"]) == ("", 8, 512)


def test_a_flavor_that_leaves_a_size_open_is_counted_by_the_column(api, top):
    a_server(
        top, 1, launched_at=at(0), flavor=FLAVOR | {"disk": None, "ephemeral": 0}, root_gb=7, ephemeral_gb=1
    )

    (server,) = project_usage(api)["server_usages"]

    assert server["local_gb"] == 7


def test_every_project_is_listed_with_its_servers_only_if_asked(api, top):
    a_server(top, 1, launched_at=at(0), project_id=OTHER_PROJECT)
    a_server(top, 2, launched_at=at(0))

    short = api.get(f"{PATH}?{DAY}&detailed=True")["tenant_usages"]
    long = api.get(f"{PATH}?{DAY}&detailed=1&detailed=0")["tenant_usages"]

    assert [each["tenant_id"] for each in short] == [PROJECT, OTHER_PROJECT]
    assert not any("server_usages" in each for each in short)
    assert [len(each["server_usages"]) for each in long] == [1, 1]


def test_the_window_ends_at_the_present(api, top):
    a_server(top, 1, launched_at=at(0))

    usage = project_usage(api, "start=2026-01-10T00:00:00&end=2999-01-01T00:00:00")

    stop = datetime.fromisoformat(usage["stop"]).replace(tzinfo=UTC)
    assert abs(datetime.now(UTC) - stop) < timedelta(seconds=60)


def test_without_a_window_it_is_the_present_moment(api, top):
    a_server(top, 1, launched_at=at(0))

    usage = project_usage(api, "")

    assert 0 < usage["total_hours"] < 0.001
    assert usage["start"] < usage["stop"]


@pytest.mark.parametrize(
    "start", ["2026-01-10T00:00:00", "2026-01-10T00:00:00.000000", "2026-01-10%2000:00:00.0"]
)
def test_times_are_written_in_three_ways(api, top, start):
    a_server(top, 1, launched_at=at(0))

    assert project_usage(api, f"start={start}&end=2026-01-11T00:00:00")["total_hours"] == 24.0


@pytest.mark.parametrize(
    ("query", "minor", "message"),
    [
        ("end=2026-01-10T00:00:00", 1, "Invalid start time. The start time cannot occur after the end time."),
        (
            "start=2026-01-10T00:00:00&end=2026-01-10T00:00:00",
            1,
            "Invalid start time. The start time cannot occur after the end time.",
        ),
        ("start=2026-01-10", 1, "Invalid datetime string: Datetime is in invalid format"),
        (f"{DAY}&marker=x", 40, "Marker x could not be found."),
        (f"{DAY}&marker={uuid_of(9)}", 40, f"Marker {uuid_of(9)} could not be found."),
        (f"{DAY}&foo=1", 75, "Additional properties are not allowed ('foo' was unexpected)"),
    ],
)
def test_bad_parameters_are_refused(api, top, query, minor, message):
    for path in (PATH, f"{PATH}/{PROJECT}"):
        assert api.refusal(f"{path}?{query}", minor)[::2] == (400, message)


def test_pages_go_on_across_cells_and_projects(api, top):
    a_region(top)
    a_zone(top, 2, name="cell2")
    a_cell_mapping(top, "cell2", id=1)
    a_cell_mapping(top, "cell1", id=2)
    for number, project, zone_id in (
        (1, OTHER_PROJECT, 1),
        (2, PROJECT, 1),
        (3, OTHER_PROJECT, 2),
        (5, PROJECT, 2),
        (4, PROJECT, 2),
    ):
        a_server(
            top, number, launched_at=at(0), project_id=project, zone_id=zone_id, deleted=bool(number % 2)
        )
    seen, url = [], f"{PATH}?{DAY}&detailed=1&limit=2"
    while url:
        body = api.get(url, 40)
        seen.append(
            [server["name"] for each in body["tenant_usages"] for server in each.get("server_usages", ())]
        )
        url = next((link["href"] for link in body.get("tenant_usages_links", ())), None)
        url = url and url.removeprefix("http://falconframework.org")

    assert seen == [["vm-4", "vm-5"], ["vm-3", "vm-2"], ["vm-1"]]
    one = api.get(f"{PATH}/{PROJECT}?{DAY}&limit=1&marker={uuid_of(5)}", 40)
    assert [server["name"] for server in one["tenant_usage"]["server_usages"]] == ["vm-2"]
    assert one["tenant_usage_links"][0]["href"] == (
        f"http://falconframework.org{PATH}/{PROJECT}"
        f"?end=2026-01-11T00%3A00%3A00&limit=1&marker={uuid_of(2)}&start=2026-01-10T00%3A00%3A00"
    )


def test_before_2_40_there_are_no_pages(api, top):
    for number in (1, 2):
        a_server(top, number, launched_at=at(0))

    body = api.get(f"{PATH}/{PROJECT}?{DAY}&limit=1", 39)

    assert len(body["tenant_usage"]["server_usages"]) == 2
    assert set(body) == {"tenant_usage"}


def test_a_project_sees_its_own_usage_only(reader_api, top):
    assert project_usage(reader_api) == {}
    for path, rule in ((PATH, "list"), (f"{PATH}/{OTHER_PROJECT}", "show")):
        message = f"Policy doesn't allow os_compute_api:os-simple-tenant-usage:{rule} to be performed."
        assert reader_api.refusal(f"{path}?{DAY}")[::2] == (403, message)
