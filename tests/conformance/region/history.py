# SPDX-License-Identifier: Apache-2.0
"""Migrations, actions and their events of the special servers that have some, as rows. Pure."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from tests.conformance.region.plan import MEMBER, NOW
from tests.conformance.region.servers import Made
from tests.conformance.region.special_servers import SPECIAL
from treetop.demo.catalogue import fixed_uuid
from treetop.demo.population import host_name, node_name
from treetop.demo.row import Row
from treetop.demo.server_rows import Rows

_IDS_FROM: Final = 900_000

#: (type, status, hidden) of one server's migrations, oldest first.
_MIGRATIONS: Final = (
    ("resize", "confirmed", False),
    ("resize", "reverted", False),
    ("live-migration", "completed", False),
    ("live-migration", "error", False),
    ("live-migration", "running", False),
    ("live-migration", "queued", False),
    ("evacuation", "done", False),
    ("migration", "accepted", True),
)

#: (action, its message, its events as (name, result, has finished)).
_ACTIONS: Final = (
    ("create", None, (("compute__do_build_and_run_instance", "Success", True),)),
    ("stop", None, (("compute_stop_instance", "Success", True),)),
    ("resize", "Error", (("cold_migrate", "Error", True), ("compute_prep_resize", "Success", True))),
    ("reboot", None, (("compute_reboot_instance", None, False),)),
    ("lock", None, ()),
)


def history_rows(made: Made) -> Rows:
    """The rows that replace those of a drawn server; nothing for most."""
    if made.uuid == SPECIAL["with_migrations"]:
        return {"migrations": list(_migrations(made))}
    if made.uuid == SPECIAL["with_actions"]:
        actions = list(_actions(made))
        return {"instance_actions": actions, "instance_actions_events": list(_events(made, actions))}
    return {}


def _migrations(made: Made) -> Iterator[Row]:
    zone = made.plan.zone
    for number, (kind, status, is_hidden) in enumerate(_MIGRATIONS):
        at = NOW - timedelta(days=5 - number // 2)
        yield {
            "created_at": at,
            "updated_at": None if status == "accepted" else at + timedelta(minutes=5),
            "deleted_at": None,
            "deleted": 0,
            "id": _IDS_FROM + number,
            "source_compute": host_name(zone, 0),
            "source_node": node_name(zone, 0),
            "dest_compute": None if status == "queued" else host_name(zone, 1),
            "dest_node": None if status == "queued" else node_name(zone, 1),
            "dest_host": None if number == 2 else "192.0.2.10",
            "status": status,
            "instance_uuid": made.uuid,
            "old_instance_type_id": 1,
            "new_instance_type_id": 2,
            "migration_type": kind,
            "hidden": is_hidden,
            "uuid": fixed_uuid(f"migration {number} {made.uuid}"),
            "memory_total": 1024 if kind == "live-migration" else None,
            "memory_processed": 512 if kind == "live-migration" else None,
            "memory_remaining": 512 if kind == "live-migration" else None,
            "disk_total": 10 if kind == "live-migration" else None,
            "disk_processed": 4 if kind == "live-migration" else None,
            "disk_remaining": 6 if kind == "live-migration" else None,
            "cross_cell_move": False,
            "user_id": None if number == 3 else MEMBER.users[0][0],
            "project_id": None if number == 3 else MEMBER.id,
        }


def _actions(made: Made) -> Iterator[Row]:
    for number, (action, message, _) in enumerate(_ACTIONS):
        at = NOW - timedelta(days=4, minutes=-number)
        yield {
            "created_at": at,
            "updated_at": None if action == "lock" else at + timedelta(seconds=30),
            "deleted_at": None,
            "deleted": 0,
            "id": _IDS_FROM + number,
            "action": action,
            "instance_uuid": made.uuid,
            "request_id": action_request_id(number),
            "user_id": MEMBER.users[number % 2][0],
            "project_id": MEMBER.id,
            "start_time": at,
            "finish_time": None,
            "message": message,
        }


def action_request_id(number: int) -> str:
    """The id of the request that began action `number` of the server with actions."""
    return f"req-{fixed_uuid(f'action {number}')}"


def _events(made: Made, actions: list[Row]) -> Iterator[Row]:
    number = 0
    for action, (_, _, events) in zip(actions, _ACTIONS, strict=True):
        for name, result, is_finished in events:
            at = NOW - timedelta(days=4, minutes=-number)
            yield {
                "created_at": at,
                "updated_at": at if is_finished else None,
                "deleted_at": None,
                "deleted": 0,
                "id": _IDS_FROM + number,
                "event": name,
                "action_id": action["id"],
                "start_time": at,
                "finish_time": at + timedelta(seconds=9) if is_finished else None,
                "result": result,
                "traceback": '  File "x.py", line 1\n' if result == "Error" else None,
                "host": host_name(made.plan.zone, 0),
                "details": "No valid host was found." if result == "Error" else None,
            }
            number += 1
