# SPDX-License-Identifier: Apache-2.0
"""Creating a server: 15 transactions for one without network, port or tag; a port takes 4 more, tags 1.

The region's API database sees 3 besides, or 4 for a server in a group.
"""

from treetop.demo.catalogue import ACTIVE
from treetop.demo.documents import Port, network_document
from treetop.demo.operations.session import Session
from treetop.demo.population import ServerPlan, host_name, node_name, plan_server
from treetop.demo.row import Row, Value
from treetop.demo.server_rows import Rows, server_rows

_LATER = ("boot_roles", "locked_reason")  # system metadata that is not there from the start


def create_server(session: Session) -> str:
    """Create the next server of the population, up to ACTIVE; return its uuid."""
    plan = plan_server(session.population, session.next_number, state=ACTIVE, created_at=session.now())
    session.next_number += 1
    return create_planned(session, plan)


def create_planned(session: Session, plan: ServerPlan) -> str:
    """Create this server (on a host) transaction by transaction, as API, conductor and compute do."""
    rows = server_rows(plan)
    server = rows["instances"][0]
    uuid, host = plan.uuid, server["host"]
    accept_server(session, plan, rows)
    action = session.start_action(server, "create")
    with session.database.transaction():
        devices = [as_new(device) for device in rows["block_device_mapping"]]
        session.database.insert(
            "block_device_mapping", *({**device, "device_name": None} for device in devices)
        )
    if plan.tags:
        with session.database.transaction():
            session.database.insert("tags", *rows["tags"])
    session.region.forget_request(uuid)
    event = session.start_event(action, "compute__do_build_and_run_instance", host)
    session.save_extra(uuid)
    session.save_server(uuid, task_state=None)
    _claim_host(session, plan, server)
    if plan.ports:
        session.save_extra(uuid)
    session.save_server(uuid, task_state="networking")
    with session.database.transaction():
        for device in devices:
            name = {"updated_at": session.now(), "device_name": device["device_name"]}
            session.database.update("block_device_mapping", name, uuid=device["uuid"])
    if not plan.ports:
        session.save_extra(uuid)
    session.save_server(uuid, root_device_name="/dev/vda", task_state="block_device_mapping")
    session.save_server(uuid, task_state="spawning")
    if plan.ports:
        connect_ports(session, uuid, plan.ports, plan.ports)
        session.save_extra(uuid)
    session.save_server(uuid, power_state=1, vm_state="active", launched_at=session.now(), task_state=None)
    session.finish_event(action, event)
    return uuid


def connect_ports(session: Session, uuid: str, new: tuple[Port, ...], all_ports: tuple[Port, ...]) -> None:
    """Record new interfaces (one transaction) and then the whole network cache (another)."""
    with session.database.transaction():
        for port in new:
            row: Row = {"address": f"{port.mac}/{port.id}", "uuid": port.id, "instance_uuid": uuid}
            session.database.insert("virtual_interfaces", session.stamped(row))
    with session.database.transaction():
        changes: Row = {"updated_at": session.now(), "network_info": network_document(all_ports)}
        session.database.update("instance_info_caches", changes, instance_uuid=uuid)


def accept_server(session: Session, plan: ServerPlan, rows: Rows) -> None:
    """Write what exists before a host was chosen, all at once: first for the region, then in the cell."""
    first = [row for row in rows["instance_system_metadata"] if row["key"] not in _LATER]
    session.region.accept(plan, {str(row["key"]): _text(row["value"]) for row in first})
    server = as_new(rows["instances"][0]) | {
        "power_state": 0,
        "vm_state": "building",
        "task_state": "scheduling",
        "host": None,
        "node": None,
        "compute_id": None,
        "launched_on": None,
        "launched_at": None,
        "root_device_name": None,
        "locked": False,
        "locked_by": None,
    }
    with session.database.transaction():
        session.database.insert("instances", server)
        session.database.insert("instance_id_mappings", as_new(rows["instance_id_mappings"][0]))
        session.database.insert("instance_extra", as_new(rows["instance_extra"][0]))
        cache = as_new(rows["instance_info_caches"][0])
        session.database.insert("instance_info_caches", cache | {"network_info": network_document(())})
        if rows["instance_metadata"]:
            session.database.insert("instance_metadata", *map(as_new, rows["instance_metadata"]))
        session.database.insert("instance_system_metadata", *map(as_new, first))
    session.region.map_to_cell(plan.uuid)


def _claim_host(session: Session, plan: ServerPlan, server: Row) -> None:
    uuid, number = plan.uuid, plan.host_number or 0
    host = host_name(plan.zone, number)
    with session.database.transaction():
        session.change_server(
            uuid,
            host=host,
            launched_on=host,
            node=node_name(plan.zone, number),
            compute_id=number + 1,
        )
        later: Row = {"key": "boot_roles", "value": "member,reader", "instance_uuid": uuid}
        session.database.insert("instance_system_metadata", session.stamped(later))
    session.claim(host, sign=1, servers=1, flavor=server)


def as_new(row: Row) -> Row:
    """The row without its id: the database gives it the next."""
    return {name: value for name, value in row.items() if name != "id"}


def _text(value: Value) -> str | None:
    return None if value is None else str(value)
