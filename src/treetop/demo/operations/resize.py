# SPDX-License-Identifier: Apache-2.0
"""Resizing: 30 transactions until the user is asked, 11 to confirm.

Until the confirmation `instance_extra.flavor` holds the old and the new flavor, and the server's state before
the resize is a row of system metadata that the confirmation deletes for good.
"""

from typing import Final

from treetop.demo.catalogue import FLAVORS, Flavor
from treetop.demo.documents import flavor_document, migration_context_document
from treetop.demo.operations.session import Session
from treetop.demo.population import host_name, node_name, random_uuid
from treetop.demo.row import Row, Value

_EVENTS: Final = ("compute_prep_resize", "compute_resize_instance", "compute_finish_resize")


def resize_server(session: Session, uuid: str) -> None:
    """Move an ACTIVE server to another flavor on another host, up to VERIFY_RESIZE."""
    server = session.server(uuid)
    old = _flavor(server)
    new = session.random.choice([flavor for flavor in FLAVORS if flavor.id != old.id])
    source, target = server["host"], session.any_host(other_than=server["host"])
    zone = session.population.zone
    host, node = host_name(zone, target), node_name(zone, target)
    session.save_extra(uuid)
    session.save_server(uuid, task_state="resize_prep")
    action = session.start_action(server, "resize")
    cold = session.start_event(action, "cold_migrate", source)
    conductor = session.start_event(action, "conductor_migrate_server", source)
    session.region.change_flavor(uuid, new)
    migration = _plan_migration(session, server, old, new)
    prepare = session.start_event(action, _EVENTS[0], host)
    session.finish_event(action, conductor)
    session.finish_event(action, cold)
    session.save_extra(uuid, flavor=flavor_document(old.id, old_id=old.id, new_id=new.id))
    with session.database.transaction():
        session.change_server(uuid)
        state: Row = {"key": "old_vm_state", "value": server["vm_state"], "instance_uuid": uuid}
        session.database.insert("instance_system_metadata", session.stamped(state))
    _save_migration(
        session,
        migration,
        dest_compute=host,
        dest_node=node,
        dest_host="192.0.2.9",
        dest_compute_id=target + 1,
    )
    context = migration_context_document(uuid, migration)
    session.save_extra(uuid, migration_context=context)
    session.claim(host, sign=1, servers=0, flavor=_sizes(new))
    moving = session.start_event(action, _EVENTS[1], source)
    session.finish_event(action, prepare)
    _save_migration(session, migration, status="migrating")
    session.save_extra(uuid, migration_context=context)
    session.save_server(uuid, task_state="resize_migrating")
    _save_migration(session, migration, status="post-migrating")
    session.save_extra(uuid, flavor=flavor_document(old.id, old_id=old.id, new_id=new.id))
    session.save_server(uuid, host=host, node=node, compute_id=target + 1, task_state="resize_migrated")
    finish = session.start_event(action, _EVENTS[2], host)
    session.finish_event(action, moving)
    session.save_extra(uuid, flavor=flavor_document(new.id, old_id=old.id, new_id=new.id))
    session.save_server(uuid, task_state="resize_finish", instance_type_id=new.id, **_sizes(new))
    _save_migration(session, migration, status="finished")
    session.save_extra(uuid)
    session.save_server(uuid, vm_state="resized", launched_at=session.now(), task_state=None)
    session.finish_event(action, finish)


def confirm_resize(session: Session, uuid: str) -> None:
    """Keep the new flavor of a VERIFY_RESIZE server and give back what it had."""
    server = session.server(uuid)
    migration = _last_migration(session, uuid)
    _save_migration(session, migration["id"], status="confirming")
    action = session.start_action(server, "confirmResize")
    event = session.start_event(action, "compute_confirm_resize", migration["source_compute"])
    _save_migration(session, migration["id"], status="confirmed")
    old = next(flavor for flavor in FLAVORS if flavor.id == migration["old_instance_type_id"])
    session.claim(migration["source_compute"], sign=-1, servers=0, flavor=_sizes(old))
    session.save_extra(uuid, migration_context=None)
    session.save_extra(uuid)
    session.save_server(uuid, vm_state="active")
    session.save_extra(uuid, flavor=flavor_document(_flavor(server).id))
    with session.database.transaction():
        session.database.delete("instance_system_metadata", instance_uuid=uuid, key="old_vm_state", deleted=0)
    session.finish_event(action, event)


def _flavor(server: Row) -> Flavor:
    return next(flavor for flavor in FLAVORS if flavor.id == server["instance_type_id"])


def _sizes(flavor: Flavor) -> dict[str, Value]:
    return {
        "vcpus": flavor.vcpus,
        "memory_mb": flavor.memory_mb,
        "root_gb": flavor.root_gb,
        "ephemeral_gb": flavor.ephemeral_gb,
    }


def _plan_migration(session: Session, server: Row, old: Flavor, new: Flavor) -> int:
    row: Row = {
        "source_compute": server["host"],
        "source_node": server["node"],
        "status": "pre-migrating",
        "instance_uuid": server["uuid"],
        "old_instance_type_id": old.id,
        "new_instance_type_id": new.id,
        "migration_type": "resize",
        "hidden": False,
        "uuid": random_uuid(session.random),
        "cross_cell_move": False,
        "user_id": server["user_id"],
        "project_id": server["project_id"],
    }
    with session.database.transaction():
        return session.database.insert("migrations", session.stamped(row))


def _save_migration(session: Session, migration: Value, **changes: Value) -> None:
    with session.database.transaction():
        session.database.update("migrations", {"updated_at": session.now(), **changes}, id=migration)


def _last_migration(session: Session, uuid: str) -> Row:
    return session.database.select("migrations", "*", instance_uuid=uuid, deleted=0)[-1]
