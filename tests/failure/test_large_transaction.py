# SPDX-License-Identifier: Apache-2.0
"""One transaction of a zone with very many row changes: one commit at the top, and bounded memory."""

import os

from tests.servers import wait_until
from tests.sync.running import LIVE, Cell, Top
from treetop.model.zone import Engine

ROWS = int(os.environ.get("TREETOP_LARGE_ROWS", "100000"))  # the million takes a minute or two
SERVERS = int(os.environ.get("TREETOP_LARGE_SERVERS", "400"))
MOST_MEMORY_MB = 200.0


def fill_metadata(cell: Cell) -> None:
    """One transaction that inserts `ROWS` rows of a watched table, spread over all servers."""
    each = ROWS // SERVERS
    if cell.engine is Engine.POSTGRESQL:
        key, numbers = "key", f"generate_series(1, {each}) AS number(n)"
    else:
        key, numbers = "`key`", f"(SELECT seq AS n FROM seq_1_to_{each}) AS number"
    cell.execute(
        f"INSERT INTO instance_system_metadata (instance_uuid, {key}, value, deleted)"
        f" SELECT uuid, concat('image_os_', n), concat('value ', n), 0 FROM instances, {numbers}"
    )


def entries(top: Top, value: str) -> int:
    ((count,),) = top.execute(
        "SELECT count(*) FROM server, jsonb_each(system_metadata) AS e WHERE e.value ->> 1 LIKE %s", (value,)
    )
    return int(count)


def test_a_large_transaction_is_seen_at_once_and_takes_bounded_memory(top: Top, cell: Cell) -> None:
    top.add("west", cell.fill(SERVERS))
    with top.worker("west") as worker:
        top.wait_for_state("west", LIVE)
        top.wait_until_applied("west")
        before = top.report("west").transactions
        fill_metadata(cell)
        partly: set[int] = set()

        def is_there() -> bool:
            partly.add(count := entries(top, "value %"))
            return count >= ROWS

        wait_until("the inserts are there", is_there, 300)
        assert partly <= {0, ROWS}
        cell.execute(
            "UPDATE instance_system_metadata SET value = concat('new ', id) WHERE value LIKE %s", ("value %",)
        )
        cell.mark("after it")
        top.wait_for_mark("west", "after it", 300)
        assert entries(top, "new %") == ROWS
        assert top.report("west").transactions == before + 3
        assert worker.peak_memory_mb() <= MOST_MEMORY_MB
        top.require_equal("west")
        assert worker.peak_memory_mb() <= MOST_MEMORY_MB  # a thousand rows a server make chunks of fewer
