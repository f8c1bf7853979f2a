# SPDX-License-Identifier: Apache-2.0
"""A server for which no host was found: it is written into cell0, in ERROR, and stays there until it is deleted."""

from treetop.demo.catalogue import NO_VALID_HOST
from treetop.demo.operations.create import accept_server, as_new
from treetop.demo.operations.session import Session
from treetop.demo.population import plan_server
from treetop.demo.server_rows import fault_row, server_rows


def bury_server(session: Session) -> str:
    """Ask for the next server of cell0's population, in vain; return its uuid. 7 transactions, 8 with tags."""
    plan = plan_server(session.population, session.next_number, state=NO_VALID_HOST, created_at=session.now())
    session.next_number += 1
    rows = server_rows(plan)
    accept_server(session, plan, rows)
    action = session.start_action(rows["instances"][0], "create")
    event = session.start_event(action, "conductor_schedule_and_build_instances", "conductor")
    session.finish_event(action, event, "Error")
    with session.database.transaction():
        session.database.insert("block_device_mapping", *map(as_new, rows["block_device_mapping"]))
    if plan.tags:
        with session.database.transaction():
            session.database.insert("tags", *rows["tags"])
    session.save_server(plan.uuid, vm_state="error", task_state=None)
    with session.database.transaction():
        fault = fault_row(plan.uuid, plan.fault or "", None)
        session.database.insert("instance_faults", session.stamped(fault))
    session.region.forget_request(plan.uuid)
    return plan.uuid
