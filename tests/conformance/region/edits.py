# SPDX-License-Identifier: Apache-2.0
"""Edits of a server's rows: what makes a plain server special. Each is, or returns, a function that changes rows."""

from collections.abc import Callable
from datetime import timedelta

from tests.conformance.region.servers import Made
from treetop.demo.row import Row, Value

Edit = Callable[[Made], None]


def columns(**changes: Value) -> Edit:
    """Change columns of the `instances` row."""

    def edit(made: Made) -> None:
        made.rows["instances"][0] |= changes

    return edit


def extra(**changes: Value) -> Edit:
    """Change columns of the `instance_extra` row."""

    def edit(made: Made) -> None:
        made.rows["instance_extra"][0] |= changes

    return edit


def network_info(text: str | None) -> Edit:
    """Replace the cached ports."""

    def edit(made: Made) -> None:
        made.rows["instance_info_caches"][0]["network_info"] = text

    return edit


def without(table: str) -> Edit:
    """Take a table's rows away."""

    def edit(made: Made) -> None:
        made.rows[table] = []

    return edit


def rows(table: str, *changes: Row) -> Edit:
    """Replace a table's rows by these (and the columns that every row has)."""

    def edit(made: Made) -> None:
        made.rows[table] = [
            {
                "created_at": made.plan.created_at,
                "updated_at": None,
                "deleted_at": None,
                "id": made.plan.number * 64 + number,
                "deleted": 0,
                "instance_uuid": made.uuid,
                **change,
            }
            for number, change in enumerate(changes)
        ]

    return edit


def tags(*names: str) -> Edit:
    """Give it these tags and no other."""

    def edit(made: Made) -> None:
        made.rows["tags"] = [{"resource_id": made.uuid, "tag": name} for name in names]

    return edit


def soft_deleted(made: Made) -> None:
    """Leave what a delete with `reclaim_instance_interval` leaves."""
    made.rows["instances"][0] |= {"vm_state": "soft-delete", "power_state": 4, "task_state": None}


def deleted(made: Made) -> None:
    """Delete it as Nova does: rows stay and say so, its tags are gone, its ports are out of the cache."""
    at = made.plan.created_at + timedelta(hours=2)
    for table in ("instances", "instance_extra", "instance_info_caches", "instance_metadata"):
        for row in made.rows[table]:
            row |= {"deleted": row["id"], "deleted_at": at}
    for table in ("instance_system_metadata", "block_device_mapping"):
        for row in made.rows[table]:
            row |= {"deleted": row["id"], "deleted_at": at}
    made.rows["instances"][0] |= {
        "vm_state": "deleted",
        "task_state": None,
        "terminated_at": at,
        "updated_at": at,
        "power_state": 0,
    }
    made.rows["instance_info_caches"][0]["network_info"] = "[]"
    made.rows["tags"] = []


def both(*edits: Edit) -> Edit:
    """One edit after another."""

    def edit(made: Made) -> None:
        for each in edits:
            each(made)

    return edit
