# SPDX-License-Identifier: Apache-2.0
"""DDL on watched tables while their zone is read: what Treetop does not need may change, what it needs not."""

import pytest

from tests.servers import wait_until
from tests.sync.running import LIVE, Cell, Top
from treetop.model.zone import Engine, ZoneState

STOPPED = ZoneState.STOPPED
BREAKS = {
    "renamed": (
        "ALTER TABLE instances RENAME COLUMN vm_state TO former_state",
        "ALTER TABLE instances RENAME COLUMN former_state TO vm_state",
    ),
    "dropped": (
        "ALTER TABLE instances DROP COLUMN vm_state CASCADE",
        "ALTER TABLE instances ADD COLUMN vm_state VARCHAR(255)",
    ),
}


def test_columns_that_are_not_read_may_come_go_and_change_their_names(top: Top, cell: Cell) -> None:
    top.add("west", cell.fill(10))
    with top.worker("west") as worker:
        top.wait_for_state("west", LIVE)
        for number, statement in enumerate(
            (
                "ALTER TABLE instances ADD COLUMN brand_new VARCHAR(20) DEFAULT 'x'",
                "ALTER TABLE instances RENAME COLUMN brand_new TO less_new",
                "ALTER TABLE instances DROP COLUMN ephemeral_key_uuid",
                "ALTER TABLE instances DROP COLUMN less_new",
            )
        ):
            cell.execute(statement)
            cell.mark(f"change {number}")
            top.wait_for_mark("west", f"change {number}")

        top.require_equal("west")
        assert top.report("west").state is LIVE
        assert "stopped" not in worker.log


@pytest.mark.parametrize("how", BREAKS)
def test_a_needed_column_that_goes_away_stops_the_zone_where_it_is(top: Top, cell: Cell, how: str) -> None:
    breaking, mending = BREAKS[how]
    named = "vm_state"
    if cell.engine is Engine.POSTGRESQL and how == "dropped":  # CASCADE: the publication loses the table
        named = "publication treetop was changed"
    elif cell.engine is Engine.MARIADB:
        breaking = breaking.removesuffix(" CASCADE")
    top.add("west", cell.fill(10))
    # the supervisor: a worker that a resync surprises while it opens the zone ends, and is started again
    with top.supervisor(stopped_retry_seconds="1"):
        top.wait_for_state("west", LIVE)
        cell.mark("before")
        top.wait_for_mark("west", "before")

        cell.execute(breaking)
        cell.mark("after")

        stopped = top.wait_for_state("west", STOPPED)
        assert named in (stopped.reason or "")
        assert stopped.hint
        wait_until("it is tried again", lambda: top.report("west").retry_at != stopped.retry_at)
        again = top.report("west")
        assert (again.state, again.since, again.transactions) == (
            STOPPED,
            again.since,
            stopped.transactions,
        )
        assert top.execute("SELECT count(*) FROM server WHERE display_name = 'before'") == [(1,)]
        cell.execute(mending)
        resync = top.command("zone", "resync", "west")

        assert resync.returncode == 0, resync.stderr
        top.wait_for_mark("west", "after")
        top.wait_until_applied("west")
        top.require_equal("west")


def test_a_zone_goes_on_by_itself_when_its_layout_is_mended(top: Top, cell: Cell) -> None:
    breaking, mending = BREAKS["renamed"]
    top.add("west", cell.fill(10))
    with top.worker("west"):
        top.wait_for_state("west", LIVE)
    cell.mark("in the log")
    cell.execute(breaking)
    with top.worker("west", stopped_retry_seconds="1") as worker:
        stopped = top.wait_for_state("west", STOPPED)
        assert "vm_state" in (stopped.reason or "")
        assert stopped.hint

        cell.execute(mending)

        top.wait_for_mark("west", "in the log")
        live = top.wait_for_state("west", LIVE)
        assert (live.reason, live.hint, live.retry_at) == (None, None, None)
        top.require_equal("west")
        assert worker.log.count("load begins") == 1  # the first worker's
