# SPDX-License-Identifier: Apache-2.0
"""Attaching a volume to a server and detaching it again: rows of `block_device_mapping`."""

from typing import Final

from treetop.demo.device_rows import volume_device
from treetop.demo.operations.session import Session
from treetop.demo.population import plan_volume
from treetop.demo.row import Row

_DEVICES: Final = ("vdb", "vdc", "vdd", "vde")


def attach_volume(session: Session, uuid: str) -> None:
    """Attach a new volume on the first free device (with all taken: do nothing); 6 transactions."""
    taken = {row["device_name"] for row in _devices(session, uuid)}
    free = [device for device in _DEVICES if f"/dev/{device}" not in taken]
    if not free:
        return
    server = session.server(uuid)
    volume = plan_volume(session.random, free[0])
    device = volume_device(volume, uuid)
    with session.database.transaction():  # the name is reserved before anything is connected
        reserved = device | {"connection_info": None, "attachment_id": None}
        row = session.database.insert("block_device_mapping", session.stamped(reserved))
    action = session.start_action(server, "attach_volume")
    event = session.start_event(action, "compute_attach_volume", server["host"])
    for column in ("attachment_id", "connection_info"):
        with session.database.transaction():
            changes = {"updated_at": session.now(), column: device[column]}
            session.database.update("block_device_mapping", changes, id=row)
    session.finish_event(action, event)


def detach_volume(session: Session, uuid: str) -> None:
    """Detach the newest volume that is not the root disk, if there is one; 4 transactions."""
    volumes = [row for row in _devices(session, uuid) if row["volume_id"] and row["boot_index"] != 0]
    if not volumes:
        return
    server = session.server(uuid)
    action = session.start_action(server, "detach_volume")
    event = session.start_event(action, "compute_detach_volume", server["host"])
    with session.database.transaction():
        session.database.soft_delete("block_device_mapping", session.now(), id=volumes[-1]["id"])
    session.finish_event(action, event)


def _devices(session: Session, uuid: str) -> list[Row]:
    columns = "id device_name volume_id boot_index"
    return session.database.select("block_device_mapping", columns, instance_uuid=uuid, deleted=0)
