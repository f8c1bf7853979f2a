# SPDX-License-Identifier: Apache-2.0
"""Two workers for one zone: one reads, the other waits; one that was thought dead can do no harm."""

import os
import signal

import psycopg

from tests.servers import wait_until
from tests.sync.running import LIVE, PATIENCE_SECONDS, Cell, Top
from treetop.model.zone import Engine


def expire_lease(top: Top) -> None:
    """Do what ten seconds without a sign of life do."""
    top.execute("UPDATE zone_position SET lease_until = now() - interval '1 second'")


def test_the_second_worker_waits_and_takes_over_when_the_first_has_ended(top: Top, cell: Cell) -> None:
    top.add("west", cell.fill(20))
    with top.worker("west", supervisor="first") as first:
        before = top.wait_for_state("west", LIVE)
        with top.worker("west", supervisor="second") as second:
            wait_until("the second says why it waits", lambda: "another worker (first/" in second.log, 20)
            during = top.report("west")
            assert (during.state, during.since, during.reason) == (LIVE, before.since, None)

            first.stop()
            cell.mark("by the second")

            top.wait_for_mark("west", "by the second")
            top.require_equal("west")


def test_a_worker_that_comes_back_from_the_dead_cannot_commit(top: Top, cell: Cell) -> None:
    top.add("west", cell.fill(20))
    with top.worker("west", supervisor="zombie") as zombie:
        top.wait_for_state("west", LIVE)
        os.kill(zombie.process.pid, signal.SIGSTOP)
        try:
            expire_lease(top)
            with top.worker("west", supervisor="heir"):
                if cell.engine is Engine.POSTGRESQL:
                    follow_the_hint(top, cell)
                cell.mark("by the heir")
                top.wait_for_mark("west", "by the heir")

                os.kill(zombie.process.pid, signal.SIGCONT)
                status = zombie.process.wait(timeout=20)
                cell.mark("still by the heir")

                top.wait_for_mark("west", "still by the heir")
                top.require_equal("west")
                assert status == 0
                assert "another worker took this zone over" in zombie.log
                assert top.report("west").state is LIVE
        finally:
            if zombie.process.poll() is None:
                os.kill(zombie.process.pid, signal.SIGCONT)


def follow_the_hint(top: Top, cell: Cell) -> None:
    """A PostgreSQL zone keeps the dead one's slot until its wal_sender_timeout, or until somebody ends it."""
    asked = "SELECT pg_terminate_backend"
    hint = wait_until(
        "the hint names who holds the slot",
        lambda: hint if asked in (hint := top.report("west").hint or "") else "",
        PATIENCE_SECONDS,
    )
    statement = hint[hint.index(asked) :]
    with psycopg.connect(cell.database.dsn, autocommit=True) as conn:  # type: ignore[union-attr]
        conn.execute(statement)
