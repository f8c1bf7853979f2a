# SPDX-License-Identifier: Apache-2.0
"""Deleting a server (its rows stay, marked), and moving the rows of deleted servers away for good."""

from collections.abc import Sequence
from typing import Final

from treetop.demo.documents import network_document
from treetop.demo.operations.session import Session
from treetop.demo.row import Row

#: What Nova soft-deletes with a server, in its order; actions stay, so that one can still ask what happened.
_MARKED: Final = (
    "instance_info_caches",
    "instance_metadata",
    "instance_faults",
    "instance_extra",
    "instance_system_metadata",
    "block_device_mapping",
    "migrations",
    "virtual_interfaces",
)

#: What refers to a server by foreign key, children before parents.
_REFERRING: Final = (*_MARKED, "instance_actions")


def delete_server(session: Session, uuid: str) -> None:
    """Delete: the host stops it, unplugs it, frees what it took, and one transaction marks all its rows."""
    database, server = session.database, session.server(uuid)
    host = server["host"]
    session.save_server(uuid, task_state="deleting")
    action = session.start_action(server, "delete")
    session.region.queue_for_delete(uuid)
    event = session.start_event(action, "compute_terminate_instance", host)
    if database.count("virtual_interfaces", instance_uuid=uuid, deleted=0):
        with database.transaction():
            database.soft_delete("virtual_interfaces", session.now(), instance_uuid=uuid)
        with database.transaction():
            unplugged: Row = {"updated_at": session.now(), "network_info": network_document(())}
            database.update("instance_info_caches", unplugged, instance_uuid=uuid)
    session.save_server(
        uuid, power_state=0, vm_state="deleted", task_state=None, terminated_at=session.now(), cleaned=1
    )
    if host is not None:
        session.claim(host, sign=-1, servers=1, flavor=server)
    with database.transaction():
        now = session.now()
        database.soft_delete("instances", now, uuid=uuid)
        for table in _MARKED:
            database.soft_delete(table, now, instance_uuid=uuid)
        database.soft_delete("instance_id_mappings", now, uuid=uuid)
        database.delete("tags", resource_id=uuid)
    session.finish_event(action, event)


def archive_servers(session: Session, uuids: Sequence[str]) -> None:
    """Move all rows of deleted servers to the shadow tables, as `nova-manage db archive_deleted_rows` does.

    One transaction for the servers and all that refers to them, children first; one for the id mappings,
    which refer to nothing.
    """
    database = session.database
    found = [database.select("instance_actions", "id", instance_uuid=uuid) for uuid in uuids]
    actions = [row["id"] for rows in found for row in rows]
    with database.transaction():
        database.move("instance_actions_events", "shadow_instance_actions_events", "action_id", actions)
        for table in _REFERRING:
            database.move(table, f"shadow_{table}", "instance_uuid", uuids)
        database.move("instances", "shadow_instances", "uuid", uuids)
    with database.transaction():
        database.move("instance_id_mappings", "shadow_instance_id_mappings", "uuid", uuids)
    session.region.archive(uuids)
