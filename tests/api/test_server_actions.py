# SPDX-License-Identifier: Apache-2.0
"""What was done to a server: the list, its pages, and the steps of one action for whom."""

from hashlib import sha224

import pytest

from tests.store.builders import PROJECT, USER, a_row, a_server, a_zone, uuid_of

ACTION = {
    "action": "create",
    "request_id": "req-1",
    "user_id": USER,
    "project_id": PROJECT,
    "message": None,
    "start_time": "2026-01-01T12:00:01.000000",
}


def an_action(top, number, *, zone_id=1, server=1, request_id=None, deleted=0, **changes):
    columns = {
        "action": "create",
        "user_id": USER,
        "project_id": PROJECT,
        "start_time": f"2026-01-01 12:00:0{number}",
        "created_at": f"2026-01-01 12:00:0{number}",
        "updated_at": f"2026-01-01 12:01:0{number}",
    }
    a_row(
        top,
        "instance_actions",
        zone_id=zone_id,
        id=number,
        instance_uuid=uuid_of(server),
        request_id=request_id or f"req-{number}",
        deleted=deleted,
        **(columns | changes),
    )


def an_event(top, number, *, action=1, deleted=0, **changes):
    columns = {
        "event": "compute__do_build_and_run_instance",
        "start_time": "2026-01-01 12:00:01",
        "finish_time": "2026-01-01 12:00:02.5",
        "created_at": f"2026-01-01 12:00:0{number}",
        "result": "Error",
        "host": "compute-1",
        "traceback": "Traceback",
        "details": "No valid host",
    }
    a_row(top, "instance_actions_events", id=number, action_id=action, deleted=deleted, **(columns | changes))


@pytest.fixture
def path(top):
    a_server(top, 1)
    return f"/v2.1/servers/{uuid_of(1)}/os-instance-actions"


def listed(api, path, minor=104):
    return [action["request_id"] for action in api.get(path, minor)["instanceActions"]]


def test_the_newest_action_comes_first(api, top, path):
    a_zone(top, 2)
    a_server(top, 2)
    an_action(top, 1)
    an_action(top, 3)
    an_action(top, 2, created_at="2026-01-01 12:00:03")
    an_action(top, 4, deleted=4)
    an_action(top, 5, server=2)
    an_action(top, 6, zone_id=2)

    assert listed(api, path) == listed(api, path, 1) == ["req-3", "req-2", "req-1"]


def test_each_microversion_has_novas_keys(api, top, path):
    an_action(top, 1)
    shown = ACTION | {"instance_uuid": uuid_of(1)}

    assert api.get(path, 57)["instanceActions"] == [shown]
    assert api.get(path, 58)["instanceActions"] == [shown | {"updated_at": "2026-01-01T12:01:01.000000"}]


def test_pages_lead_to_the_oldest(api, top, path):
    for number in (1, 2, 3):
        an_action(top, number)

    body = api.get(f"{path}?limit=2", 58)

    assert [action["request_id"] for action in body["instanceActions"]] == ["req-3", "req-2"]
    assert body["links"] == [
        {"rel": "next", "href": f"http://falconframework.org{path}?limit=2&marker=req-2"}
    ]
    assert api.get(f"{path}?limit=2&marker=req-2", 58)["instanceActions"][0]["request_id"] == "req-1"
    assert api.get(f"{path}?limit=0", 58) == {"instanceActions": []}
    assert listed(api, f"{path}?limit=2", 57) == ["req-3", "req-2", "req-1"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("changes-since=2026-01-01T12:01:02Z", ["req-3", "req-2"]),
        ("changes-before=2026-01-01T12:01:02Z", ["req-2", "req-1"]),
        ("changes-since=2026-01-01T13:01:02%2B01:00&changes-before=2026-01-01T12:01:02", ["req-2"]),
    ],
)
def test_changes_are_listed_to_the_second(api, top, path, query, found):
    for number in (1, 2, 3):
        an_action(top, number)
    an_action(top, 4, updated_at=None)

    assert listed(api, f"{path}?{query}") == found


@pytest.mark.parametrize(
    ("query", "minor", "message"),
    [
        ("marker=req-9", 58, "Marker req-9 could not be found."),
        (
            "changes-since=2026-01-02&changes-before=2026-01-01",
            66,
            "The value of changes-since must be less than or equal to changes-before.",
        ),
        ("changes-before=2026-01-01", 65, "('changes-before' was unexpected)"),
        ("limit=1&limit=2", 58, "is too long"),
    ],
)
def test_bad_parameters_are_refused(api, path, query, minor, message):
    status, _, said = api.refusal(f"{path}?{query}", minor)

    assert status == 400
    assert message in said


HOST_ID = sha224(f"{PROJECT}compute-1".encode()).hexdigest()
EVENT = {
    "event": "compute__do_build_and_run_instance",
    "start_time": "2026-01-01T12:00:01.000000",
    "finish_time": "2026-01-01T12:00:02.500000",
    "result": "Error",
}


@pytest.mark.parametrize(
    ("kind", "minor", "event"),
    [
        ("api", 1, {"traceback": "Traceback"}),
        ("api", 62, {"traceback": "Traceback", "host": "compute-1", "hostId": HOST_ID}),
        (
            "api",
            84,
            {"traceback": "Traceback", "host": "compute-1", "hostId": HOST_ID, "details": "No valid host"},
        ),
        ("reader_api", 50, None),
        ("reader_api", 51, {}),
        ("reader_api", 62, {"hostId": HOST_ID}),
        ("reader_api", 104, {"hostId": HOST_ID}),
    ],
)
def test_the_steps_of_an_action_are_shown_to_whom_they_concern(request, top, path, kind, minor, event):
    an_action(top, 1)
    an_event(top, 1)

    action = request.getfixturevalue(kind).get(f"{path}/req-1", minor)["instanceAction"]

    assert action.get("events") == (None if event is None else [EVENT | event])
    assert action["request_id"] == "req-1"


def test_the_newest_step_comes_first_and_deleted_ones_not_at_all(api, top, path):
    an_action(top, 1)
    for number in (1, 3, 2):
        an_event(top, number, event=f"e{number}")
    an_event(top, 4, deleted=4)
    an_event(top, 5, action=2)

    events = api.get(f"{path}/req-1", 62)["instanceAction"]["events"]

    assert [event["event"] for event in events] == ["e3", "e2", "e1"]


def test_an_action_of_a_periodic_task_is_the_servers_projects(api, top, path):
    an_action(top, 1, project_id=None)
    an_event(top, 1)
    an_event(top, 2, host=None)

    host_ids = [event["hostId"] for event in api.get(f"{path}/req-1", 62)["instanceAction"]["events"]]

    assert host_ids == ["", HOST_ID]


def test_of_two_actions_of_a_request_the_newest_is_shown(api, top, path):
    an_action(top, 1, action="old")
    an_action(top, 2, action="new", request_id="req-1")

    assert api.get(f"{path}/req-1")["instanceAction"]["action"] == "new"
    assert api.refusal(f"{path}/req-2")[0::2] == (404, "Action req-2 not found")


def test_what_was_done_to_a_deleted_server_is_known_from_2_21_on(api, top):
    a_server(top, 1, deleted=True)
    an_action(top, 1)
    path = f"/v2.1/servers/{uuid_of(1)}/os-instance-actions"

    assert listed(api, path, 21) == ["req-1"]
    assert api.ask(path, 20).status_code == api.ask(f"{path}/req-1", 20).status_code == 404
    assert api.ask(f"{path}/req-1", 21).status_code == 200
