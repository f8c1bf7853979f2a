# SPDX-License-Identifier: Apache-2.0
"""The zone's server and the top's are restarted, cleanly and by `kill -9`, while Nova works on the zone."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.servers import create_mariadb_database, create_postgres_database, wait_until
from tests.sync.running import LIVE, Cell, Top, Work
from tests.sync.witness import Witness
from treetop.demo.mariadb import PrivateMariaDB
from treetop.model.zone import ZoneState
from treetop.store.embedded import EmbeddedPostgres

#: What was committed survives `kill -9` of the server (not the loss of the machine's power).
KEEPS_COMMITS = {"innodb_flush_log_at_trx_commit": "2"}


@pytest.fixture(params=["mariadb", "postgres"])
def own_cell(request: pytest.FixtureRequest, tmp_path: Path) -> Cell:
    """A cell on a server of its own."""
    if request.param == "mariadb":
        make_mariadb: Callable[..., PrivateMariaDB] = request.getfixturevalue("own_mariadb")
        return Cell(database=create_mariadb_database(make_mariadb(KEEPS_COMMITS), "nova"), folder=tmp_path)
    make_postgres: Callable[..., EmbeddedPostgres] = request.getfixturevalue("own_postgres")
    return Cell(database=create_postgres_database(make_postgres(), "nova"), folder=tmp_path)


@pytest.fixture
def own_top(own_postgres: Callable[..., EmbeddedPostgres], tmp_path: Path) -> tuple[Top, EmbeddedPostgres]:
    server = own_postgres()
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE treetop")
    return Top(dsn=server.conninfo("treetop"), folder=tmp_path).prepare(), server


def go_on(top: Top, work: Work) -> None:
    """Wait until changes made from now on are seen."""
    transactions, before = work.transactions, top.report("west").transactions
    wait_until("the work goes on", lambda: work.transactions > transactions + 20, 30)
    wait_until("its changes are applied", lambda: top.report("west").transactions > before + 5, 40)


def test_a_zone_survives_restarts_of_its_server(top: Top, own_cell: Cell) -> None:
    server = own_cell.database.server
    zone = top.add("west", own_cell.fill(60))
    witness = Witness(zone)
    worker = top.worker("west")
    top.wait_until_begun("west")
    with worker, Work(cell=own_cell) as work:
        go_on(top, work)
        for end in (server.stop, server.kill):
            end()
            wait_until("the worker notices", lambda: top.report("west").state is ZoneState.WAITING, 20)
            assert top.report("west").reason
            server.start()
            go_on(top, work)
        work.stop()
        own_cell.mark("the end")

        top.wait_for_mark("west", "the end")
        top.wait_until_applied("west")
        assert top.report("west").transactions == witness.count_to("the end")
        top.require_equal("west")
        assert "Traceback" not in worker.log


def test_zones_survive_restarts_of_the_top(own_top: tuple[Top, EmbeddedPostgres], cell: Cell) -> None:
    top, server = own_top
    zone = top.add("west", cell.fill(60))
    witness = Witness(zone)
    worker = top.worker("west")
    top.wait_until_begun("west")
    with worker, Work(cell=cell) as work:
        go_on(top, work)
        for end in (server.stop, server.kill):
            noticed = worker.log.count("the top's PostgreSQL does not answer")
            end()
            wait_until(
                "the worker notices",
                lambda noticed=noticed: worker.log.count("the top's PostgreSQL does not answer") > noticed,
                20,
            )
            server.start()
            top.wait_for_state("west", LIVE)
            go_on(top, work)
        work.stop()
        cell.mark("the end")

        top.wait_for_mark("west", "the end")
        top.wait_until_applied("west")
        assert top.report("west").transactions == witness.count_to("the end")
        top.require_equal("west")
        assert worker.process.poll() is None
        assert "Traceback" not in worker.log
