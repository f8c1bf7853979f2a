# SPDX-License-Identifier: Apache-2.0
"""A zone's log no longer reaches back to the stored position: it is loaded anew beside its old rows."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from tests.servers import create_postgres_database, wait_until
from tests.sync.running import LIVE, Cell, Top, Work
from treetop.model.zone import Engine, ZoneState
from treetop.store.embedded import EmbeddedPostgres

SERVERS = 120


_SEEN = "SELECT (SELECT count(*) FROM server), state FROM zone_status"


class Observer:
    """What a reader of the top saw: the fewest rows, and the states that workers recorded, one after the other."""

    def __init__(self, top: Top) -> None:
        with top.connect() as conn:
            row = conn.execute(_SEEN).fetchone()
        assert row is not None
        self.fewest: int = row[0]
        self.states = [ZoneState(row[1])]
        self._top = top
        self._stop = Event()

    @contextmanager
    def watching(self) -> Iterator[None]:
        with ThreadPoolExecutor() as pool:
            watch = pool.submit(self._watch)
            try:
                yield
            finally:
                self._stop.set()
                watch.result()

    def _watch(self) -> None:
        with self._top.connect() as conn:
            while not self._stop.wait(0.002):
                row = conn.execute(_SEEN).fetchone()
                assert row is not None
                self.fewest = min(self.fewest, row[0])
                state = ZoneState(row[1])
                if state is not self.states[-1]:
                    self.states.append(state)


def lose_the_log(cell: Cell) -> None:
    if cell.engine is Engine.MARIADB:
        cell.execute("FLUSH BINARY LOGS")
        ((last, *_),) = cell.execute("SHOW MASTER STATUS")

        def purge() -> bool:  # a file stays while the server thinks that somebody reads it
            cell.execute("PURGE BINARY LOGS TO %s", (last,))
            return len(cell.execute("SHOW BINARY LOGS")) == 1

        wait_until("the log is purged", purge, 20)
    else:
        slots = "FROM pg_replication_slots WHERE database = %s"
        wait_until(
            "nobody reads the slot",
            lambda: not cell.execute(f"SELECT 1 {slots} AND active", (cell.database.name,)),
        )
        cell.execute(f"SELECT pg_drop_replication_slot(slot_name) {slots}", (cell.database.name,))


def require_reload(top: Top, cell: Cell, lose: Callable[[], None], said: str) -> None:
    """Change the zone unseen, lose its log, and see how the next worker gets over it."""
    top.add("west", cell.fill(SERVERS))
    with top.worker("west"):
        top.wait_for_state("west", LIVE)
        top.wait_until_applied("west")
    cell.rename_servers("while nobody looked")
    cell.execute("DELETE FROM instance_faults")
    lose()
    observer = Observer(top)
    with observer.watching(), top.worker("west", chunk_servers="4") as worker:
        cell.mark("after the loss")
        top.wait_for_mark("west", "after the loss")
        with Work(cell=cell, rate=100.0):
            top.wait_for_state("west", LIVE)
        top.wait_until_applied("west")
        top.require_equal("west")
        assert said in worker.log
        assert "reload begins" in worker.log
    assert observer.fewest >= SERVERS
    between = observer.states[1 : observer.states.index(LIVE, 1)]
    assert ZoneState.LOADING in between
    assert observer.states[-1] is LIVE
    assert observer.states.count(LIVE) == 2, observer.states


def test_rows_stay_listed_while_a_zone_whose_log_is_gone_is_loaded_anew(top: Top, cell: Cell) -> None:
    said = "the server refuses its log" if cell.engine is Engine.MARIADB else "does not exist"
    require_reload(top, cell, lambda: lose_the_log(cell), said)


def test_the_same_when_the_server_gave_up_on_the_slot(
    top: Top, own_postgres: Callable[..., EmbeddedPostgres], tmp_path: Path
) -> None:
    server = own_postgres({"max_slot_wal_keep_size": "1MB", "min_wal_size": "32MB", "max_wal_size": "32MB"})
    cell = Cell(database=create_postgres_database(server, "nova"), folder=tmp_path)

    def outgrow() -> None:
        cell.execute("CREATE TABLE filler (text text)")
        for _ in range(4):
            cell.execute("INSERT INTO filler SELECT repeat('x', 1000) FROM generate_series(1, 20000)")
            cell.execute("SELECT pg_switch_wal()")
            cell.execute("CHECKPOINT")
        status = "SELECT wal_status FROM pg_replication_slots"
        wait_until("the slot is invalidated", lambda: cell.execute(status) == [("lost",)])

    require_reload(top, cell, outgrow, "is invalidated")


def test_a_zone_can_be_loaded_anew_by_hand(top: Top, postgres_cell: Cell) -> None:
    top.add("west", postgres_cell.fill(SERVERS))
    with top.supervisor(chunk_servers="4") as supervisor:
        top.wait_for_state("west", LIVE)
        top.wait_until_applied("west")
        top.execute("DELETE FROM server WHERE source_id = 7")
        observer = Observer(top)
        with observer.watching():
            done = top.command("zone", "resync", "west")
            wait_until("it is loaded anew", lambda: "reload done" in supervisor.log, 30)
            top.wait_for_state("west", LIVE)

        assert done.returncode == 0
        assert observer.fewest >= SERVERS - 1
        assert top.rows("west") == SERVERS
        top.require_equal("west")
