# SPDX-License-Identifier: Apache-2.0
"""Servers that move: all of them, page by page, and those of one server that are not over."""

from dataclasses import replace

import pytest

from tests.api.conftest import Client
from tests.store.builders import OTHER_PROJECT, PROJECT, USER, a_row, a_server, a_zone, uuid_of
from treetop.api.caller import reader_of
from treetop.api.permission import Permission

LIST = "/v2.1/os-migrations"
HOSTS = {
    "source_compute": "compute-1",
    "source_node": "node-1",
    "dest_compute": "compute-2",
    "dest_node": "node-2",
    "dest_host": "192.0.2.2",
}
SIZES = {
    f"{kind}_{part}": size
    for kind in ("memory", "disk")
    for part, size in (("total", 9), ("processed", 4), ("remaining", 5))
}


def a_migration(top, number, *, zone_id=1, server=1, **changes):
    columns = {
        "uuid": uuid_of(1000 + number),
        "created_at": f"2026-01-01 12:00:0{number}",
        "updated_at": f"2026-01-01 12:01:0{number}",
        "status": "running",
        "migration_type": "live-migration",
        "old_instance_type_id": 1,
        "new_instance_type_id": 1,
        "deleted": 0,
        "hidden": False,
        "user_id": USER,
        "project_id": PROJECT,
    }
    row = columns | HOSTS | SIZES | changes
    a_row(top, "migrations", zone_id=zone_id, id=number, instance_uuid=uuid_of(server), **row)


def numbers(api, query="", minor=104):
    return [each["id"] for each in api.get(f"{LIST}?{query}", minor)["migrations"]]


def manager_api(pool, *extra):
    """A client of a manager of the project, who may list its migrations."""
    caller = reader_of(PROJECT)
    granted = {Permission.MIGRATIONS_INDEX, Permission.SERVER_MIGRATIONS_INDEX, *extra}
    caller = replace(caller, permissions=caller.permissions | granted)
    return Client(pool, authenticator=lambda _request, _project: caller)


def test_each_microversion_has_novas_keys(api, top):
    a_migration(top, 1)
    shown = {
        "id": 1,
        "status": "running",
        "instance_uuid": uuid_of(1),
        "old_instance_type_id": 1,
        "new_instance_type_id": 1,
        "created_at": "2026-01-01T12:00:01.000000",
        "updated_at": "2026-01-01T12:01:01.000000",
        **HOSTS,
    }
    url = f"http://falconframework.org/{{}}servers/{uuid_of(1)}/migrations/1"
    links = [
        {"rel": "self", "href": url.format("v2.1/")},
        {"rel": "bookmark", "href": url.format("")},
    ]

    assert api.get(LIST, 22) == {"migrations": [shown]}
    shown |= {"migration_type": "live-migration", "links": links}
    assert api.get(LIST, 58) == {"migrations": [shown]}
    shown |= {"uuid": uuid_of(1001)}
    assert api.get(LIST, 79) == {"migrations": [shown]}
    assert api.get(LIST, 80) == {"migrations": [shown | {"user_id": USER, "project_id": PROJECT}]}


@pytest.mark.parametrize("changes", [{"status": "completed"}, {"migration_type": "resize"}])
def test_only_a_live_migration_in_progress_has_links(api, top, changes):
    a_migration(top, 1, **changes)

    (migration,) = api.get(LIST, 104)["migrations"]
    assert "links" not in migration


@pytest.mark.parametrize(("new", "kind"), [(1, "migration"), (2, "resize")])
def test_one_without_a_type_has_the_one_that_its_flavors_tell(api, top, new, kind):
    a_migration(top, 1, migration_type=None, new_instance_type_id=new)

    assert api.get(LIST, 23)["migrations"][0]["migration_type"] == kind


def test_the_newest_one_of_all_zones_comes_first_from_2_59_on(api, top):
    a_zone(top, 2)
    a_migration(top, 1)
    a_migration(top, 3)
    a_migration(top, 2, zone_id=2)
    a_migration(top, 4, hidden=True)
    a_migration(top, 5, deleted=5)

    assert numbers(api, minor=59) == [3, 2, 1]
    assert numbers(api, minor=58) == [1, 3, 2]


def test_a_server_between_two_zones_has_one_migration_the_one_that_changed_last(api, top):
    a_zone(top, 2)
    same = {"uuid": uuid_of(7), "created_at": "2026-01-01 12:00:01"}
    a_migration(top, 1, **same, updated_at="2026-01-01 12:02:00", status="finished")
    a_migration(top, 2, **same, zone_id=2, updated_at=None, status="old")

    assert [each["status"] for each in api.get(LIST, 59)["migrations"]] == ["finished"]


def test_pages_lead_to_the_oldest(api, top):
    for number in (1, 2, 3):
        a_migration(top, number, created_at="2026-01-01 12:00:00")

    body = api.get(f"{LIST}?limit=2", 59)

    assert [each["id"] for each in body["migrations"]] == [3, 2]
    assert body["migrations_links"] == [
        {"rel": "next", "href": f"http://falconframework.org{LIST}?limit=2&marker={uuid_of(1002)}"}
    ]
    assert numbers(api, f"limit=2&marker={uuid_of(1002)}") == [1]
    assert numbers(api, "limit=0") == []
    assert api.refusal(f"{LIST}?marker=x", 59)[0::2] == (400, "Marker x could not be found.")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=running", [2]),
        ("migration_type=resize", [3]),
        ("host=compute-9", [3, 2]),
        ("source_compute=compute-9", [2]),
        ("host=compute-9&source_compute=other", [3, 2]),
        (f"instance_uuid={uuid_of(2)}", [3]),
        ("hidden=1", []),
        ("hidden=0", [3, 2, 1]),
        (f"project_id={OTHER_PROJECT}", [1]),
        ("user_id=x", []),
        ("changes-since=2026-01-01T12:01:02", [3, 2]),
        ("changes-before=2026-01-01T12:01:02", [2, 1]),
        ("status=error&status=running", [2]),
    ],
)
def test_filters_find_what_they_say(api, top, query, found):
    a_migration(top, 1, status="done", project_id=OTHER_PROJECT)
    a_migration(top, 2, source_compute="compute-9")
    a_migration(top, 3, status="done", migration_type="resize", dest_compute="compute-9", server=2)

    assert numbers(api, query) == found


def test_unknown_parameters_are_dropped_before_2_59(api, top):
    a_migration(top, 1)

    assert numbers(api, "foo=1&limit=0&marker=x&user_id=x", 58) == [1]
    assert api.refusal(f"{LIST}?foo=1", 59)[0] == 400
    assert api.refusal(f"{LIST}?project_id=x", 79)[0] == 400


def test_who_lists_what(pool, reader_api, top):
    a_migration(top, 1)
    a_migration(top, 2, project_id=OTHER_PROJECT)
    manager = manager_api(pool)

    denied = "Policy doesn't allow os_compute_api:os-migrations:{} to be performed."
    assert reader_api.refusal(LIST, 104)[0::2] == (403, denied.format("index"))
    for query in ("", f"?project_id={OTHER_PROJECT}"):
        assert manager.refusal(LIST + query, 104)[0::2] == (403, denied.format("index:all_projects"))
    (own,) = manager.get(f"{LIST}?project_id={PROJECT}", 104)["migrations"]
    assert own["id"] == 1
    assert {own[name] for name in HOSTS} == {None}
    seeing = manager_api(pool, Permission.MIGRATIONS_INDEX_HOST)
    assert seeing.get(f"{LIST}?project_id={PROJECT}", 104)["migrations"][0]["dest_host"] == "192.0.2.2"


def test_one_server_shows_its_live_migrations_that_are_not_over(api, pool, top):
    a_zone(top, 2)
    a_server(top, 1)
    path = f"/v2.1/servers/{uuid_of(1)}/migrations"
    a_migration(top, 1)
    a_migration(top, 2, status="queued")
    a_migration(top, 3, status="completed")
    a_migration(top, 4, migration_type="resize")
    a_migration(top, 5, server=2)
    a_migration(top, 6, zone_id=2)
    shown = {
        "id": 1,
        "status": "running",
        "server_uuid": uuid_of(1),
        "created_at": "2026-01-01T12:00:01.000000",
        "updated_at": "2026-01-01T12:01:01.000000",
        **HOSTS,
        **{f"{name}_bytes": size for name, size in SIZES.items()},
    }

    listed = api.get(path, 23)["migrations"]
    assert [each["id"] for each in listed] == [1, 2]
    assert listed[0] == shown
    assert api.get(f"{path}/1", 23) == {"migration": shown}
    shown |= {"uuid": uuid_of(1001)}
    assert api.get(f"{path}/1", 59) == {"migration": shown}
    shown |= {"user_id": USER, "project_id": PROJECT}
    assert api.get(f"{path}/1", 80) == {"migration": shown}
    assert manager_api(pool).get(path, 80)["migrations"][0]["source_compute"] is None


@pytest.mark.parametrize(
    ("number", "message"),
    [
        ("9", "In-progress live migration 9 is not found for server {}."),
        ("x", "In-progress live migration x is not found for server {}."),
        ("3", "Live migration 3 for server {} is not in progress."),
        ("4", "Migration 4 for server {} is not live-migration."),
    ],
)
def test_one_that_is_not_is_not_found_and_says_why(api, top, number, message):
    a_server(top, 1)
    a_migration(top, 3, status="completed")
    a_migration(top, 4, migration_type="resize")

    path = f"/v2.1/servers/{uuid_of(1)}/migrations/{number}"
    assert api.refusal(path, 23)[0::2] == (404, message.format(uuid_of(1)))
