# SPDX-License-Identifier: Apache-2.0
"""Power and locks: stop, start, reboot, pause, unpause, lock, unlock, and a host that fails at it."""

from typing import Final

from treetop.demo.operations.session import Session
from treetop.demo.row import Row
from treetop.demo.server_rows import fault_row

_REASONS: Final = (None, "maintenance", "legal hold — ask first")


def stop_server(session: Session, uuid: str) -> None:
    """ACTIVE to SHUTOFF in 6 transactions."""
    _switch(session, uuid, action="stop", task="powering-off", vm_state="stopped", power_state=4)


def start_server(session: Session, uuid: str) -> None:
    """SHUTOFF to ACTIVE in 6 transactions."""
    _switch(session, uuid, action="start", task="powering-on", vm_state="active", power_state=1)


def pause_server(session: Session, uuid: str) -> None:
    """ACTIVE to PAUSED in 6 transactions."""
    _switch(session, uuid, action="pause", task="pausing", vm_state="paused", power_state=3)


def unpause_server(session: Session, uuid: str) -> None:
    """PAUSED to ACTIVE in 6 transactions."""
    _switch(session, uuid, action="unpause", task="unpausing", vm_state="active", power_state=1)


def reboot_server(session: Session, uuid: str) -> None:
    """ACTIVE through the states of a hard reboot and back in 7 transactions."""
    server = session.server(uuid)
    session.save_server(uuid, task_state="rebooting_hard")
    action = session.start_action(server, "reboot")
    event = session.start_event(action, "compute_reboot_instance", server["host"])
    session.save_server(uuid, task_state="reboot_pending_hard")
    session.save_server(uuid, task_state="reboot_started_hard")
    session.save_server(uuid, task_state=None)
    session.finish_event(action, event)


def lock_server(session: Session, uuid: str) -> None:
    """Lock, sometimes with a reason, which is a row of system metadata; 4 transactions."""
    server = session.server(uuid)
    action = session.start_action(server, "lock")
    event = session.start_event(action, "api_lock", "api")
    reason = session.random.choice(_REASONS)
    with session.database.transaction():
        session.change_server(uuid, locked=True, locked_by=session.random.choice(("owner", "admin")))
        if reason is not None and not server["locked"]:
            row: Row = {"key": "locked_reason", "value": reason, "instance_uuid": uuid}
            session.database.insert("instance_system_metadata", session.stamped(row))
    session.finish_event(action, event)


def unlock_server(session: Session, uuid: str) -> None:
    """Unlock; the reason's row is deleted for good, not marked; 4 transactions."""
    action = session.start_action(session.server(uuid), "unlock")
    event = session.start_event(action, "api_unlock", "api")
    with session.database.transaction():
        session.change_server(uuid, locked=False, locked_by=None)
        session.database.delete(
            "instance_system_metadata", instance_uuid=uuid, key="locked_reason", deleted=0
        )
    session.finish_event(action, event)


def fail_server(session: Session, uuid: str) -> None:
    """Let a reboot fail: the server goes to ERROR and has a newer fault; 6 transactions."""
    server = session.server(uuid)
    session.save_server(uuid, task_state="rebooting_hard")
    action = session.start_action(server, "reboot")
    event = session.start_event(action, "compute_reboot_instance", server["host"])
    with session.database.transaction():
        message = f"internal error: qemu exited, code {session.random.randrange(1, 100)}"
        fault = fault_row(uuid, message, server["host"])
        session.database.insert("instance_faults", session.stamped(fault))
    session.save_server(uuid, vm_state="error", task_state=None)
    session.finish_event(action, event, "Error")


def reset_state(session: Session, uuid: str) -> None:
    """Let an administrator set an ERROR server to ACTIVE again; its faults stay."""
    session.save_server(uuid, vm_state="active", task_state=None, power_state=1)


def _switch(session: Session, uuid: str, *, action: str, task: str, vm_state: str, power_state: int) -> None:
    server = session.server(uuid)
    session.save_server(uuid, task_state=task)
    started = session.start_action(server, action)
    event = session.start_event(started, f"compute_{action}_instance", server["host"])
    session.save_extra(uuid)
    session.save_server(uuid, vm_state=vm_state, power_state=power_state, task_state=None)
    session.finish_event(started, event)
