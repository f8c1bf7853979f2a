# SPDX-License-Identifier: Apache-2.0
"""The servers of a cell as rows: those drawn by the demo's population, and one of every state Nova knows. Pure.

`cell_servers(cell)` -> one `Made` per server. Numbers (Nova's `instances.id`) are unique in a cell: drawn
servers from 1, states from 1001, special ones from 2001.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from tests.conformance.region.plan import CELL0, CELLS, DRAWN_SERVERS, MEMBER, NOW, OTHER, SHARES, population
from treetop.demo.catalogue import ACTIVE, DELETED, ERROR, State
from treetop.demo.population import ServerPlan, plan_server
from treetop.demo.server_rows import Rows, server_rows

STATES_FROM: Final = 1001

_RESIZE = ("resize_prep", "resize_migrating", "resize_migrated", "resize_finish")
_REBUILD = ("rebuilding", "rebuild_block_device_mapping", "rebuild_spawning")
_REBOOT = ("rebooting", "reboot_pending", "reboot_started")

#: vm_state -> task_states that change the status that is shown, and one that does not.
TASKS: Final[dict[str | None, tuple[str | None, ...]]] = {
    "active": (
        *_REBOOT,
        *(f"{task}_hard" for task in _REBOOT),
        *_REBUILD,
        *_RESIZE,
        "updating_password",
        "migrating",
        "powering-off",
        None,
    ),
    "building": ("scheduling", "block_device_mapping", "networking", "spawning", None),
    "stopped": (*_RESIZE, *_REBUILD, "powering-on", None),
    "resized": ("resize_reverting", "resize_confirming", None),
    "paused": ("migrating", "unpausing", None),
    "suspended": ("resuming", None),
    "rescued": ("unrescuing", None),
    "error": (*_REBUILD, "deleting", None),
    "soft-delete": ("restoring", None),
    "shelved": ("unshelving", None),
    "shelved_offloaded": ("spawning", None),
    "deleted": (None,),  # the moment between a delete's two updates
    "no-such-state": (None,),
}
_POWER: Final = {"active": 1, "stopped": 4, "paused": 3, "suspended": 7, "rescued": 1, "resized": 1}
_NOT_ON_HOST: Final = ("shelved_offloaded", "building")


@dataclass(slots=True, kw_only=True)
class Made:
    """A server's rows in every table of its cell. rows may be edited until they are written."""

    plan: ServerPlan
    rows: Rows

    @property
    def uuid(self) -> str:
        return self.plan.uuid


def make(plan: ServerPlan) -> Made:
    """The rows of a plan, as Nova would have left them."""
    return Made(plan=plan, rows=server_rows(plan))


def cell_servers(cell: str) -> Iterator[Made]:
    """Every drawn server and every state of a cell."""
    if cell == CELL0:
        yield from map(make, _unscheduled())
        return
    for number in range(1, DRAWN_SERVERS + 1):
        plan = plan_server(population(cell), number)
        yield make(of_project(plan, number))
    for number, (vm_state, task_state) in enumerate(_pairs(cell), STATES_FROM):
        yield make(_in_state(cell, number, vm_state, task_state))


def of_project(plan: ServerPlan, number: int) -> ServerPlan:
    """The plan as one of the region's four projects; every third server has a creation time that others have."""
    project = SHARES[number % len(SHARES)]
    created = NOW - timedelta(days=30 + number // 10) if number % 3 == 0 else plan.created_at
    return replace(
        plan,
        project=project,
        user=project.users[number % len(project.users)],
        created_at=created.replace(microsecond=0),
        updated_at=max(created, plan.updated_at or created).replace(microsecond=0),
    )


def _pairs(cell: str) -> list[tuple[str | None, str | None]]:
    """The cell's part of all pairs, dealt out one by one."""
    pairs = [(vm_state, task) for vm_state, tasks in TASKS.items() for task in tasks]
    return pairs[CELLS.index(cell) :: len(CELLS)]


def _in_state(cell: str, number: int, vm_state: str | None, task_state: str | None) -> ServerPlan:
    on_host = vm_state not in _NOT_ON_HOST
    state = State(
        name="made",
        vm_state=vm_state or "",
        task_state=task_state,
        power_state=_POWER.get(vm_state or "", 0),
        weight=0,
        on_host=on_host,
    )
    created = NOW - timedelta(days=3, minutes=number % 7)
    drawn = plan_server(population(cell), number, state=state, created_at=created)
    project = (MEMBER, MEMBER, OTHER)[number % 3]
    name = f"state-{vm_state}-{task_state}".lower()
    return replace(
        drawn,
        name=name,
        hostname=name,
        project=project,
        user=project.users[0],
        updated_at=created + timedelta(minutes=number % 11),
        fault="Unexpected vif_type=binding_failed" if vm_state == "error" else None,
    )


def _unscheduled() -> Iterator[ServerPlan]:
    """What cell0 has: servers for which no host was found, some of them deleted since."""
    for number in range(1, 13):
        state = DELETED if number % 4 == 0 else ERROR
        created = NOW - timedelta(days=number, hours=5)
        drawn = plan_server(
            population(CELL0), number, state=replace(state, on_host=False), created_at=created
        )
        project = (MEMBER, OTHER)[number % 2]
        deleted = created + timedelta(hours=1) if state is DELETED else None
        yield replace(
            drawn,
            name=f"unscheduled-{number:02d}",
            hostname=f"unscheduled-{number:02d}",
            project=project,
            user=project.users[0],
            state=state,
            host_number=None,
            launched_at=None,
            updated_at=deleted or created,
            deleted_at=deleted,
            ports=(),
            fault="No valid host was found. There are not enough hosts available.",
        )


def active(cell: str, number: int, name: str) -> ServerPlan:
    """A plain active server to make something special of, on the cell's first host."""
    created = NOW - timedelta(days=10, minutes=number)
    drawn = plan_server(population(cell), number, state=ACTIVE, created_at=created)
    return replace(
        drawn,
        name=name,
        hostname=name,
        project=MEMBER,
        user=MEMBER.users[0],
        host_number=0,
        updated_at=created + timedelta(hours=1),
        locked_by=None,
        locked_reason=None,
        fault=None,
    )
