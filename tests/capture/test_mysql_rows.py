# SPDX-License-Identifier: Apache-2.0
"""Chunks of a real MariaDB: which rows they hold, and that they are exactly what their snapshot says."""

import random
import threading

import pymysql
import pytest

from tests.capture.mariadb_zone import (
    END_OF_SERVERS,
    a_log,
    add_server,
    make_cell,
    mark,
    read_to,
    setting,
    some_rows,
)
from treetop.capture.gtid import MariadbGtidSet
from treetop.capture.mysql_snapshot import GtidSnapshot
from treetop.errors import StopZone
from treetop.model.change import Op, Position
from treetop.nova.tables import CELL_TABLES

_WRITERS = 4
_CHUNKS = 300
_SERVERS = 30


@pytest.fixture
def cell(mariadb_database):
    return make_cell(mariadb_database)


@pytest.fixture
def rows(cell):
    reader = some_rows(cell)
    yield reader
    reader.close()


def test_ranges_follow_each_other_to_the_end(cell, rows):
    for number in range(5):
        add_server(cell, f"s{number}")

    chunks, after = [], 0
    while after < END_OF_SERVERS:
        chunks.append(rows.read_range(after=after, rows=2))
        after = chunks[-1].upto

    ids = [[row[0] for row in chunk.rows["instances"]] for chunk in chunks]
    assert ids == [[1, 2], [3, 4], [5]]
    assert [(chunk.after, chunk.upto) for chunk in chunks] == [(0, 2), (2, 4), (4, END_OF_SERVERS)]


def test_last_full_range_knows_that_it_is_the_last(cell, rows):
    for number in range(4):
        add_server(cell, f"s{number}")

    assert rows.read_range(after=2, rows=2).upto == END_OF_SERVERS


def test_empty_zone_gives_an_empty_chunk(rows):
    chunk = rows.read_range(after=0, rows=10)

    assert chunk.upto == END_OF_SERVERS
    assert set(chunk.rows) == set(CELL_TABLES)
    assert not any(chunk.rows.values())


def test_range_holds_all_rows_of_its_servers_and_no_others(cell, rows):
    for number in range(3):
        add_server(cell, f"s{number}")
        cell.execute("INSERT INTO tags VALUES (%s, 'one'), (%s, 'two')", (f"s{number}", f"s{number}"))
        cell.execute(
            "INSERT INTO instance_metadata (instance_uuid, `key`, `value`, deleted) VALUES (%s, 'k', 'v', 0)",
            (f"s{number}",),
        )
    cell.execute("INSERT INTO tags VALUES ('nobody', 'one')")

    chunk = rows.read_range(after=1, rows=1)

    assert chunk.rows["tags"] == [("s1", "one"), ("s1", "two")]
    assert [row[1] for row in chunk.rows["instance_metadata"]] == ["s1"]


def test_single_servers_are_read_with_those_that_do_not_exist(cell, rows):
    add_server(cell, "s'1")
    add_server(cell, "s2")
    cell.execute("INSERT INTO tags VALUES ('s''1', 't')")

    chunk = rows.read_servers(["s'1", "gone"])

    assert chunk.only == {"s'1", "gone"}
    assert [row[1] for row in chunk.rows["instances"]] == ["s'1"]
    assert chunk.rows["tags"] == [("s'1", "t")]
    assert (chunk.after, chunk.upto) == (0, None)


def test_no_servers_give_an_empty_chunk(rows):
    assert not any(rows.read_servers([]).rows.values())


def test_optional_column_that_is_missing_reads_as_none(cell, rows):
    cell.execute("ALTER TABLE instances DROP COLUMN hidden")
    add_server(cell, "s")

    (row,) = rows.read_range(after=0, rows=5).rows["instances"]

    assert row[CELL_TABLES["instances"].index("hidden")] is None


def test_required_column_that_is_missing_stops_the_zone(cell, rows):
    cell.execute("ALTER TABLE instances DROP COLUMN vm_state")

    with pytest.raises(StopZone, match="instances has no column vm_state"):
        rows.read_range(after=0, rows=5)


def test_chunk_stands_where_its_transaction_began(cell, rows):
    add_server(cell, "s")
    chunk = rows.read_range(after=0, rows=5)
    ((position,),) = cell.execute("SELECT @@GLOBAL.gtid_binlog_pos")

    assert chunk.snapshot.is_covered_by(Position(position))
    assert chunk.snapshot == GtidSnapshot(MariadbGtidSet.parse(position))
    for domain, (server_id, sequence) in MariadbGtidSet.parse(position).last.items():
        assert chunk.snapshot.contains((domain, sequence))
        assert not chunk.snapshot.contains((domain, sequence + 1))
        before = Position(f"{domain}-{server_id}-{sequence - 1}")
        assert not chunk.snapshot.is_covered_by(before)


@pytest.mark.parametrize("domains", [(0,), (0, 5)])
def test_chunks_are_exact_under_writers(cell, rows, domains):
    """Replay the log to each chunk's snapshot: the rows must be the chunk's, in all of several hundred chunks."""
    chunks, position, marker = read_chunks_under_writers(cell, rows, domains)
    transactions = read_to(marker, a_log(cell).stream(position), seconds=60)

    tables = {name: {} for name in CELL_TABLES}
    state = {}
    for chunk in chunks:
        transactions = replay(state, transactions, chunk.snapshot, domains)
        for name in tables:
            expected = sorted(row for (table, _), row in state.items() if table == name)
            assert sorted(chunk.rows[name]) == expected
    assert len({chunk.snapshot.gtids.text() for chunk in chunks}) > _CHUNKS / 10


def read_chunks_under_writers(cell, rows, domains):
    position = a_log(cell).begin()
    for number in range(_SERVERS):
        add_server(cell, f"s{number}", progress=0)
    stop = threading.Event()
    failures = []
    writers = [
        threading.Thread(target=write, args=(cell, number, domains[number % len(domains)], stop, failures))
        for number in range(_WRITERS)
    ]
    for writer in writers:
        writer.start()
    chunks = [rows.read_range(after=0, rows=10 * _SERVERS) for _ in range(_CHUNKS)]
    stop.set()
    for writer in writers:
        writer.join()
    assert failures == []
    return chunks, position, mark(cell)


def write(cell, number, domain, stop, failures):
    """Change the servers of this writer: each transaction writes several tables."""
    chance = random.Random(number)
    try:
        with cell.connect(autocommit=False) as connection, connection.cursor() as cursor:
            cursor.execute("SET SESSION gtid_domain_id = %s", (domain,))
            while not stop.wait(0.002):
                server = f"s{chance.randrange(number, _SERVERS, _WRITERS)}"
                cursor.execute("UPDATE instances SET progress = progress + 1 WHERE uuid = %s", (server,))
                if chance.random() < 0.5:
                    cursor.execute("INSERT IGNORE INTO tags VALUES (%s, %s)", (server, str(chance.random())))
                if chance.random() < 0.4:
                    cursor.execute("DELETE FROM tags WHERE resource_id = %s", (server,))
                connection.commit() if chance.random() < 0.9 else connection.rollback()
    except pymysql.Error as error:
        failures.append(error)


def replay(state, transactions, snapshot, domains):
    """Apply what the snapshot holds; return the transactions that it does not hold yet."""
    later, ended = [], set()
    for place, transaction in enumerate(transactions):
        if not snapshot.contains(transaction.mark):
            later.append(transaction)
            ended.add(transaction.mark[0])
            if ended == set(domains):  # the rest is later in every domain
                return later + transactions[place + 1 :]
            continue
        for change in transaction.changes:
            table = CELL_TABLES[change.table]
            key = (change.table, tuple(change.row[table.index(name)] for name in table.key))
            if change.op is Op.DELETE:
                del state[key]
            else:
                state[key] = change.row
    return later


def test_layout_that_changes_between_chunks_is_read_anew(cell, rows):
    add_server(cell, "s")
    rows.read_range(after=0, rows=5)
    cell.execute("ALTER TABLE instances DROP COLUMN hidden")

    with pytest.raises(Exception, match="altered while it was read"):
        rows.read_range(after=0, rows=5)

    assert len(rows.read_range(after=0, rows=5).rows["instances"]) == 1


def test_snapshot_does_not_depend_on_the_logs_settings(cell, rows):
    with setting(cell, binlog_row_metadata="NO_LOG", log_bin_compress="ON"):
        add_server(cell, "s")
        assert len(rows.read_range(after=0, rows=5).rows["instances"]) == 1
