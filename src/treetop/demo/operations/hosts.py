# SPDX-License-Identifier: Apache-2.0
"""What hosts write by themselves: heartbeats all the time, their resources when these changed."""

from treetop.demo.documents import host_stats
from treetop.demo.operations.session import Session
from treetop.demo.row import Row


def beat_heart(session: Session, service: int) -> None:
    """Say that the service with this id is alive: one transaction, every ten seconds in a real zone."""
    database = session.database
    reports = [
        int(str(row["report_count"])) for row in database.select("services", "report_count", id=service)
    ]
    with database.transaction():
        for reported in reports:
            now = session.now()
            changes: Row = {"updated_at": now, "last_seen_up": now, "report_count": reported + 1}
            database.update("services", changes, id=service)


def update_resources(session: Session) -> None:
    """Let one host count its servers again: only `compute_nodes.stats` moves."""
    host = session.random.randrange(session.population.hosts) + 1
    found = session.database.select("compute_nodes", "running_vms", id=host)
    with session.database.transaction():
        for row in found:
            running = int(str(row["running_vms"]))
            active = max(0, running - session.random.randrange(3))
            changes: Row = {"updated_at": session.now(), "stats": host_stats(running, active)}
            session.database.update("compute_nodes", changes, id=host)
