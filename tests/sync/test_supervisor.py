# SPDX-License-Identifier: Apache-2.0
"""`treetop sync`: one worker per zone, none disturbed by another, all ended together."""

import os
import signal
import time
from dataclasses import replace
from pathlib import Path

from tests.servers import MariaDBDatabase, TcpProxy, wait_until
from tests.sync.running import LIVE, PATIENCE_SECONDS, Cell, Top, Work, WorkerProcess, is_alive
from treetop.demo.mariadb import PrivateMariaDB
from treetop.model.zone import PasswordReference, ZoneState

SECOND_ON_A_BUSY_MACHINE = 3.0


def reference_to(path: Path, password: str) -> PasswordReference:
    path.write_text(password + "\n")
    return PasswordReference(kind="file", name=str(path))


def wait_for_workers(supervisor: WorkerProcess, count: int) -> list[int]:
    return wait_until(
        f"{count} workers run",
        lambda: children if len(children := supervisor.children()) == count else [],
        PATIENCE_SECONDS,
    )


def test_bad_zones_do_not_disturb_the_others(top: Top, mariadb_cell: Cell, postgres_cell: Cell) -> None:
    good = {"maria": mariadb_cell.fill(20), "postgres": postgres_cell.fill(20)}
    for name, cell in good.items():
        top.add(name, cell)
    server = mariadb_cell.database.server
    nowhere, empty = (
        Cell(database=MariaDBDatabase(server=server, name=name), folder=top.folder)
        for name in ("no_such_database", "mysql")
    )
    with TcpProxy(postgres_cell.database.port) as hanging:
        hanging.pause()
        top.add("hanging", postgres_cell, url=postgres_cell.database.source_url(port=hanging.port))
        url = mariadb_cell.database.source_url()
        top.add("unreachable", mariadb_cell, url=replace(url, port=9, database="elsewhere"))
        top.add(
            "wrong-password", nowhere, password=reference_to(top.folder / "wrong.password", "surely-not-this")
        )
        top.add("not-a-cell", empty)

        with top.supervisor() as supervisor:
            for name in good:
                top.wait_for_state(name, LIVE)
            top.wait_for_state("unreachable", ZoneState.WAITING)
            top.wait_for_state("wrong-password", ZoneState.STOPPED)
            top.wait_for_state("not-a-cell", ZoneState.STOPPED)
            for number in range(4):
                for name, cell in good.items():
                    cell.mark(f"{name} {number}")
                for name in good:
                    top.wait_for_mark(name, f"{name} {number}", SECOND_ON_A_BUSY_MACHINE)
                    assert top.report(name).state is LIVE
                time.sleep(0.3)
            workers = supervisor.children()
            seconds = supervisor.stop()

            assert "surely-not-this" not in supervisor.log
            assert "Traceback" not in supervisor.log
    assert len(workers) == 6
    assert not any(map(is_alive, workers))
    assert seconds < 5.0


def test_workers_end_when_the_supervisor_is_killed(top: Top, mariadb_cell: Cell) -> None:
    top.add("west", mariadb_cell.fill(5))
    supervisor = top.supervisor()
    top.wait_for_state("west", LIVE)
    workers = supervisor.children()

    supervisor.kill()

    assert len(workers) == 1
    wait_until("the worker ends", lambda: not is_alive(workers[0]), 5.0)
    assert top.execute("SELECT owner FROM zone_position") == [(None,)]


def test_a_killed_worker_is_replaced_at_once(top: Top, postgres_cell: Cell) -> None:
    cell = postgres_cell
    top.add("west", cell.fill(5))
    with top.supervisor() as supervisor:
        top.wait_for_state("west", LIVE)
        (worker,) = supervisor.children()

        os.kill(worker, signal.SIGKILL)
        cell.mark("after the kill")

        top.wait_for_mark("west", "after the kill", 8.0)  # well below the lease
        assert worker not in supervisor.children()


def test_zones_come_and_go_while_it_runs(top: Top, cell: Cell) -> None:
    with top.supervisor() as supervisor:
        assert supervisor.children() == []
        zone = top.add("west", cell.fill(50))
        (worker,) = wait_for_workers(supervisor, 1)
        top.wait_for_state("west", LIVE)

        with Work(cell=cell):  # a batch under way must not lock with it
            removed = top.command("zone", "remove", "west", "--yes")

        assert (removed.returncode, removed.stderr) == (0, "")
        wait_until("the worker ends", lambda: not is_alive(worker), 8.0)
        assert supervisor.children() == []
        for table in ("zone", "zone_position", "zone_status", "zone_verification", "server", "server_feed"):
            assert top.execute(f"SELECT count(*) FROM {table}") == [(0,)], table
        if not isinstance(cell.database.server, PrivateMariaDB):
            slots = "SELECT slot_name FROM pg_replication_slots WHERE database = %s"
            assert cell.execute(slots, (cell.database.name,)) == []

        assert top.add("west", cell).id == zone.id
        top.wait_for_state("west", LIVE)
        top.require_equal("west")


def test_a_registry_without_zones_is_told_once_with_the_next_command(top: Top) -> None:
    with top.supervisor() as supervisor:
        wait_until(
            "the supervisor said something", lambda: "no zone is registered" in supervisor.path.read_text()
        )
        time.sleep(2.5)  # it looks every second

        said = supervisor.path.read_text()

    assert said.count("no zone is registered") == 1
    assert "treetop zone add" in said
