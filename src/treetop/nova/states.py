# SPDX-License-Identifier: Apache-2.0
"""Nova's states <-> the one status that its API shows, both directions. Pure.

`status_of` is what a server document shows; `states_of` is its inverse for the filter `status=`, which Nova
answers by states: asking for ACTIVE also finds servers that are shown as REBOOT. Facts: Nova 34,
api/openstack/common.py.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

DELETED: Final = "DELETED"
UNKNOWN: Final = "UNKNOWN"
SOFT_DELETED_STATE: Final = "soft-delete"
BUILDING_STATE: Final = "building"

_RESIZE = dict.fromkeys(("resize_prep", "resize_migrating", "resize_migrated", "resize_finish"), "RESIZE")
_REBUILD = dict.fromkeys(("rebuilding", "rebuild_block_device_mapping", "rebuild_spawning"), "REBUILD")
_REBOOT = dict.fromkeys(("rebooting", "reboot_pending", "reboot_started"), "REBOOT")
_HARD_REBOOT = dict.fromkeys(("rebooting_hard", "reboot_pending_hard", "reboot_started_hard"), "HARD_REBOOT")
_MIGRATING = {"migrating": "MIGRATING"}
_PASSWORD = {"updating_password": "PASSWORD"}

#: vm_state -> (status without a telling task, task_state -> status).
_STATUSES: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = MappingProxyType(
    {
        "active": ("ACTIVE", {**_REBOOT, **_HARD_REBOOT, **_PASSWORD, **_REBUILD, **_MIGRATING, **_RESIZE}),
        BUILDING_STATE: ("BUILD", {}),
        "stopped": ("SHUTOFF", {**_RESIZE, **_REBUILD}),
        "resized": ("VERIFY_RESIZE", {"resize_reverting": "REVERT_RESIZE"}),
        "paused": ("PAUSED", _MIGRATING),
        "suspended": ("SUSPENDED", {}),
        "rescued": ("RESCUE", {}),
        "error": ("ERROR", _REBUILD),
        "deleted": (DELETED, {}),
        SOFT_DELETED_STATE: ("SOFT_DELETED", {}),
        "shelved": ("SHELVED", {}),
        "shelved_offloaded": ("SHELVED_OFFLOADED", {}),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class States:
    """What a server must have to be found by a status.

    vm_states: any of these; empty: no server has the asked status.
    task_states: and any of these; None: whatever the task is.
    """

    vm_states: frozenset[str]
    task_states: frozenset[str] | None


def status_of(vm_state: str | None, task_state: str | None, *, is_deleted: bool) -> str:
    """The status that Nova shows for these states; UNKNOWN for a vm_state that Nova does not know."""
    if is_deleted:
        return DELETED
    default, by_task = _STATUSES.get(vm_state or "", (UNKNOWN, {}))
    return by_task.get(task_state, default) if task_state else default


def states_of(statuses: Iterable[str]) -> States:
    """The states to look for when these statuses are asked for, in any case.

    As in Nova, tasks narrow the search only if each asked status needs one: `REBOOT` does, `ACTIVE` does not.
    """
    asked = {status.upper() for status in statuses}
    vm_states: set[str] = set()
    task_states: set[str] = set()
    any_task = False
    for vm_state, (default, by_task) in _STATUSES.items():
        tasks = {task for task, status in by_task.items() if status in asked}
        if default in asked:
            any_task = True
        if default in asked or tasks:
            vm_states.add(vm_state)
        task_states |= tasks
    return States(
        vm_states=frozenset(vm_states),
        task_states=None if any_task or not vm_states else frozenset(task_states),
    )
