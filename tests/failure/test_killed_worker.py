# SPDX-License-Identifier: Apache-2.0
"""`kill -9` of a zone's worker, again and again at random moments, while Nova works on the zone."""

import time
from random import Random

from tests.servers import wait_until
from tests.sync.running import Cell, Top, Work
from tests.sync.witness import Witness

ROUNDS = 20
ROUNDS_OF_THE_LOAD = 6
SERVERS = 400


def test_a_worker_killed_at_any_moment_loses_and_repeats_nothing(top: Top, cell: Cell) -> None:
    random = Random()
    zone = top.add("west", cell.fill(SERVERS))
    witness = Witness(zone)
    worker = top.worker("west", chunk_servers="2")
    top.wait_until_begun("west")
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
