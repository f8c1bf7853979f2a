# SPDX-License-Identifier: Apache-2.0
"""`kill -9` of a zone's worker, again and again at random moments, while Nova works on the zone."""

import time
from random import Random

from tests.servers import wait_until
from tests.sync.running import Cell, Top, Work
from treetop.capture import open_log
from treetop.model.change import Position, Transaction
from treetop.model.zone import Zone

ROUNDS = 20
ROUNDS_OF_THE_LOAD = 6
SERVERS = 400


class Witness:
    """Reads the zone's log by itself, to count what the top should have counted."""

    def __init__(self, zone: Zone) -> None:
        self._zone = zone
        self._began: Position = open_log(zone, slot_suffix="witness").begin()

    def count_to(self, mark: str) -> int:
        """Transactions with watched rows, up to the one that names a server `mark`."""
        log = open_log(self._zone, slot_suffix="witness")
        count = 0
        for event in log.stream(self._began):
            if isinstance(event, Transaction):
                assert event.is_complete
                count += bool(event.changes)
                if any(mark in change.row for change in event.changes):
                    break
        log.close()
        log.forget()
        return count


def test_a_worker_killed_at_any_moment_loses_and_repeats_nothing(top: Top, cell: Cell) -> None:
    random = Random()
    zone = top.add("west", cell.fill(SERVERS))
    witness = Witness(zone)
    worker = top.worker("west", chunk_servers="2")
    wait_until("the zone is begun", lambda: top.report("west").position, 30)
    kills_in_load = 0

    with Work(cell=cell) as work:
        for number in range(ROUNDS):
            if number < ROUNDS_OF_THE_LOAD:
                kills_in_load += wait_for_a_chunk(top)
            time.sleep(random.uniform(0.0, 0.2 if number < ROUNDS_OF_THE_LOAD else 2.2))
            worker.kill()
            worker = top.worker("west", chunk_servers="2" if number + 1 < ROUNDS_OF_THE_LOAD else "100")
        work.stop()
    cell.mark("the end")

    with worker:
        top.wait_for_mark("west", "the end")
        top.wait_until_applied("west")
        assert kills_in_load >= 2
        assert work.transactions > 500
        assert top.report("west").transactions == witness.count_to("the end")
        top.require_equal("west")


def wait_for_a_chunk(top: Top) -> bool:
    """Wait until the load gets on; False: it is done."""
    before = top.report("west").loaded_upto

    def gets_on() -> bool:
        report = top.report("west")
        return report.is_loaded or report.loaded_upto != before

    wait_until("the load gets on", gets_on, 30)
    return not top.report("west").is_loaded
