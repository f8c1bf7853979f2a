# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL zone whose server, network or consumer fails: nothing lost or twice, no endless wait."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.capture.postgres_zone import (
    a_log,
    a_zone,
    add_server,
    changes_of,
    follow,
    make_cell,
    read_to,
    started,
)
from tests.servers import PostgresDatabase, TcpProxy, create_postgres_database, wait_until
from treetop.capture.lsn import parse_lsn
from treetop.capture.postgres import PostgresLog
from treetop.errors import Retry
from treetop.model.change import Heartbeat, LogEvent, Position, Transaction
from treetop.store.embedded import EmbeddedPostgres


@pytest.fixture
def cell(postgres_database: PostgresDatabase) -> PostgresDatabase:
    make_cell(postgres_database)
    return postgres_database


def confirmed(database: PostgresDatabase) -> int:
    ((lsn,),) = database.execute(
        "SELECT confirmed_flush_lsn::text FROM pg_replication_slots WHERE database = %s", (database.name,)
    )
    return parse_lsn(lsn)


def tag(database: PostgresDatabase, tag: str) -> None:
    database.execute("INSERT INTO tags VALUES ('a', %s)", (tag,))


def in_background(events: Iterator[LogEvent]) -> threading.Thread:
    """Go on reading, dropping what comes, until the stream ends."""

    def read() -> None:
        with pytest.raises(Retry):
            for _ in events:
                pass

    thread = threading.Thread(target=read)
    thread.start()
    return thread


def test_slot_moves_only_when_a_position_is_acknowledged(cell):
    log, begun, events = started(cell)
    tag(cell, "one")
    tag(cell, "two")
    one, _ = follow(cell, events)
    reader = in_background(events)
    time.sleep(1.2)  # two status reports
    assert confirmed(cell) == parse_lsn(begun)

    log.acknowledge(one.position)

    wait_until("the slot moves", lambda: confirmed(cell) == parse_lsn(one.position))
    log.close()
    reader.join()


def test_acknowledged_heartbeats_let_the_log_of_a_busy_neighbour_go(cell, postgres_server):
    neighbour = create_postgres_database(postgres_server, f"{cell.name}_neighbour")
    neighbour.execute("CREATE TABLE noise (t text)")
    log, _, events = started(cell)
    neighbour.execute("INSERT INTO noise SELECT repeat('x', 1000) FROM generate_series(1, 2000)")
    ((end,),) = neighbour.execute("SELECT pg_current_wal_flush_lsn()::text")

    deadline = time.monotonic() + 10
    for event in events:
        if isinstance(event, Heartbeat):
            log.acknowledge(event.position)
            if parse_lsn(event.position) >= parse_lsn(end):
                break
        assert time.monotonic() < deadline

    wait_until("the slot passes the neighbour's writes", lambda: confirmed(cell) >= parse_lsn(end))
    log.close()


def test_consumer_that_is_stuck_for_long_keeps_its_connection(cell):
    cell.execute("ALTER ROLE treetop SET wal_sender_timeout = '2s'")
    try:
        log, _, events = started(cell)
        tag(cell, "before")
        assert len(follow(cell, events)) == 1
        cell.execute("INSERT INTO tags SELECT 'b', repeat('x', 60) || g FROM generate_series(1, 40000) g")

        time.sleep(6)  # the fact under test: nobody reads for three timeouts, with data waiting
        tag(cell, "after")
        transactions = follow(cell, events)
    finally:
        cell.execute("ALTER ROLE treetop RESET wal_sender_timeout")

    assert changes_of(transactions)[-1].row == ("a", "after")
    assert len(changes_of(transactions)) == 40_001
    log.close()


def test_silent_connection_is_given_up_within_seconds(cell):
    with TcpProxy(cell.port) as proxy:
        log = PostgresLog(a_zone(cell, port=proxy.port))
        events = log.stream(log.begin())
        next(events)
        proxy.pause()
        paused_at = time.monotonic()

        with pytest.raises(Retry, match="silent"):
            for _ in events:
                pass

        assert 2 < time.monotonic() - paused_at < 6
        proxy.resume()


def test_server_that_does_not_answer_before_the_stream_is_given_up(cell):
    with TcpProxy(cell.port) as proxy:
        log = PostgresLog(a_zone(cell, port=proxy.port), slot_seconds=1, answer_seconds=0.5)
        with cell.connect(autocommit=False) as connection:
            connection.execute("INSERT INTO tags VALUES ('a', 'open')")  # a new slot waits for this
            threading.Timer(0.5, proxy.pause).start()
            began = time.monotonic()

            with pytest.raises(Retry):
                log.begin()

        assert time.monotonic() - began < 4
        proxy.resume()


def test_large_transaction_of_other_tables_is_not_taken_for_silence(cell):
    """The server decodes it for seconds without a word to us."""
    cell.execute("CREATE TABLE shadow_noise (n int)")
    log = PostgresLog(a_zone(cell), silence_seconds=1.0)
    events = log.stream(log.begin())
    with cell.connect(autocommit=False) as connection:
        for _ in range(25):
            connection.execute("INSERT INTO shadow_noise SELECT generate_series(1, 100000)")
        connection.commit()
    tag(cell, "after")

    assert [change.row for change in changes_of(follow(cell, events, seconds=60))] == [("a", "after")]
    log.close()


def read_with_cuts(
    cell: PostgresDatabase, position: Position, cuts: Iterator[int], marker: str
) -> list[list[Transaction]]:
    """Read up to the marker, one session per cut, resuming from the last complete transaction.

    Returns what each session completed, the last one's with the marker's transaction.
    """
    sessions: list[list[Transaction]] = []
    with TcpProxy(cell.port) as proxy:
        for cut in cuts:
            sessions.append([])
            log = PostgresLog(a_zone(cell, port=proxy.port))
            events = log.stream(position)
            proxy.cut_after(cut)
            try:
                for event in events:
                    if isinstance(event, Transaction):
                        sessions[-1].append(event)
                        position = event.position
                        if any(change.row[1:] == (marker,) for change in event.changes):
                            return sessions
            except Retry:
                continue
            finally:
                log.close()
                events.close()
    raise AssertionError("the cuts ran out")


def bytes_of_an_empty_session(cell: PostgresDatabase, position: Position) -> int:
    with TcpProxy(cell.port) as proxy:
        log = PostgresLog(a_zone(cell, port=proxy.port))
        events = log.stream(position)
        next(events)
        size = proxy.forwarded
        log.close()
        events.close()
    return size


def test_connection_cut_at_any_byte_loses_and_repeats_nothing(cell):
    log = a_log(cell)
    position = log.begin()
    log.close()
    opening = bytes_of_an_empty_session(cell, position)
    for number in range(30):
        with cell.connect(autocommit=False) as connection:
            for part in range(number % 4 + 1):
                connection.execute("INSERT INTO tags VALUES (%s, %s)", (str(number), str(part)))
            connection.commit()
    tag(cell, "end of it")
    cuts = itertools.chain(
        range(0, opening, 397), (opening + 7 * n for n in range(120)), itertools.repeat(10**9)
    )

    sessions = read_with_cuts(cell, position, cuts, "end of it")

    assert sum(1 for session in sessions if session) > 5  # cut, and yet some way further
    given = [[change.row for change in each.changes] for session in sessions for each in session]
    assert given == [[(str(n), str(part)) for part in range(n % 4 + 1)] for n in range(30)] + [
        [("a", "end of it")]
    ]


@pytest.mark.parametrize("kind", ["clean", "kill"])
def test_stream_resumes_after_the_server_restarted(own_postgres: Callable[..., EmbeddedPostgres], kind):
    server = own_postgres({"fsync": "on"})
    database = create_postgres_database(server, "cell")
    make_cell(database)
    log, _, events = started(database)
    tag(database, "before")
    (before,) = follow(database, events)
    tag(database, "not read yet")

    if kind == "clean":
        began = time.monotonic()
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        with pytest.raises(Retry):
            for _ in events:
                pass
        stopping.join()
        assert (
            time.monotonic() - began < 15
        )  # nothing was acknowledged, and yet the server did not wait for us
    else:
        server.kill()
        with pytest.raises(Retry):
            for _ in events:
                pass
    log.close()
    server.start()
    tag(database, "after")
    again = a_log(database)
    resumed = again.stream(before.position)

    assert [change.row[1] for change in changes_of(follow(database, resumed))][1:] == [
        "not read yet",
        "after",
    ]
    again.close()


def test_server_shuts_down_at_once_although_the_consumer_is_stuck(
    own_postgres: Callable[..., EmbeddedPostgres],
):
    server = own_postgres()
    database = create_postgres_database(server, "cell")
    make_cell(database)
    log, position, events = started(database)
    next(events)
    database.execute("INSERT INTO tags SELECT 'b', repeat('x', 60) || g FROM generate_series(1, 40000) g")
    tag(database, "unread")
    began = time.monotonic()

    server.stop()  # nobody reads meanwhile, and nothing was acknowledged

    assert time.monotonic() - began < 10
    with pytest.raises(Retry):
        for _ in events:
            pass
    server.start()
    resumed = a_log(database).stream(position)
    assert len(changes_of(follow(database, resumed))) == 40_001
    resumed.close()  # type: ignore[attr-defined]
    log.close()


def test_close_from_another_thread_ends_the_stream(cell):
    log, _, events = started(cell)
    next(events)
    reader = in_background(events)

    log.close()

    reader.join(timeout=5)
    assert not reader.is_alive()
    wait_until(
        "the slot is free",
        lambda: (
            cell.execute("SELECT active FROM pg_replication_slots WHERE database = %s", (cell.name,))
            == [(False,)]
        ),
    )


def test_marks_stay_64_bit_after_a_restart_of_the_reader(cell):
    log, position, events = started(cell)
    add_server(cell, "a")
    (first,) = follow(cell, events)
    log.close()
    events.close()

    (again,) = read_to_first(a_log(cell).stream(position))

    assert again.mark == first.mark


def read_to_first(events: Iterator[LogEvent]) -> list[Transaction]:
    for event in events:
        if isinstance(event, Transaction):
            events.close()  # type: ignore[attr-defined]
            return [event]
    return []


def test_read_to_gives_up(cell):
    log, _, events = started(cell)
    with pytest.raises(AssertionError, match="did not come"):
        read_to("never", events, seconds=1)
    log.close()
