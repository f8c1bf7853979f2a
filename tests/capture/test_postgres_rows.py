# SPDX-License-Identifier: Apache-2.0
"""Chunks of a real PostgreSQL: the same values as the log, and exactly the transactions they say."""

import random
import threading
from datetime import datetime

import psycopg
import pytest

from tests.capture.postgres_zone import (
    END_OF_SERVERS,
    a_zone,
    add_server,
    changes_of,
    follow,
    make_cell,
    started,
)
from tests.servers import PostgresDatabase
from treetop.capture.postgres_rows import PostgresRows
from treetop.capture.postgres_snapshot import parse_snapshot
from treetop.errors import Retry, StopZone
from treetop.model.change import Op, Position, RowChange
from treetop.model.zone import Trust
from treetop.nova.table import Kind
from treetop.nova.tables import CELL_TABLES

TEXTS = [
    "",
    " ",
    "plain",
    "naïve",
    "日本",
    "😀 emoji",
    "tab\tline\nback\\slash",
    "'\"{},",
    "x" * 100_000,
    "\x01",
    "%s",
]


@pytest.fixture
def cell(postgres_database: PostgresDatabase) -> PostgresDatabase:
    make_cell(postgres_database)
    return postgres_database


def values_for(number: int) -> dict[str, object]:
    """Column values of one server: every kind, NULLs, extremes."""
    text = TEXTS[number % len(TEXTS)]
    columns: dict[str, object] = {
        "project_id": None if number % 3 else "p",
        "display_name": text[:255],
        "user_data": text,
        "power_state": (None, -1, 0, 2**31 - 1, -(2**31))[number % 5],
        "created_at": (None, datetime(2026, 1, 2, 3, 4, 5), datetime(2026, 1, 2, 3, 4, 5, 1))[number % 3],  # noqa: DTZ001
        "updated_at": datetime(1999, 12, 31, 23, 59, 59, 120000),  # noqa: DTZ001
        "locked": (None, True, False)[number % 3],
        "locked_by": (None, "owner", "admin")[number % 3],
        "access_ip_v4": (None, "10.0.0.1", "192.0.2.0/24")[number % 3],
        "access_ip_v6": (None, "2001:DB8:0::1", "::ffff:10.1.2.3")[number % 3],
    }
    return columns


def test_chunk_and_log_give_the_same_values(cell):
    log, _, events = started(cell)
    for number in range(len(TEXTS)):
        add_server(cell, f"uuid-{number}", **values_for(number))
        cell.execute(
            "INSERT INTO instance_metadata (instance_uuid, key, value, deleted) VALUES (%s, 'k', %s, 0)",
            (f"uuid-{number}", TEXTS[number][:255]),
        )

    changes = changes_of(follow(cell, events))
    log.close()
    rows = PostgresRows(a_zone(cell))
    chunk = rows.read_range(after=0, rows=100)
    rows.close()

    for table in ("instances", "instance_metadata"):
        assert [change.row for change in changes if change.table == table] == list(chunk.rows[table])
    first = dict(zip(CELL_TABLES["instances"].shared_columns, chunk.rows["instances"][1], strict=True))
    assert first["created_at"] == "2026-01-02 03:04:05"
    assert first["updated_at"] == "1999-12-31 23:59:59.12"
    assert (first["locked"], first["locked_by"]) == (True, "owner")
    assert (first["access_ip_v4"], first["access_ip_v6"]) == ("10.0.0.1", "2001:db8::1")
    assert chunk.rows["instances"][0][CELL_TABLES["instances"].index("created_at")] is None


def test_every_value_has_its_canonical_type(cell):
    types = {Kind.INTEGER: int, Kind.BOOLEAN: bool, Kind.TEXT: str, Kind.TIMESTAMP: str, Kind.REAL: str}
    for number in range(6):
        add_server(cell, f"uuid-{number}", **values_for(number))
    rows = PostgresRows(a_zone(cell))
    read = rows.read_range(after=0, rows=10).rows["instances"]
    rows.close()

    for row in read:
        for column, value in zip(CELL_TABLES["instances"].columns, row, strict=False):
            assert value is None or type(value) is types[column.kind], column.name


def test_ranges_cover_the_table_once(cell):
    for number in range(10):
        add_server(cell, f"uuid-{number}")
        cell.execute("INSERT INTO tags VALUES (%s, 'x')", (f"uuid-{number}",))
    rows = PostgresRows(a_zone(cell))

    chunks = [rows.read_range(after=0, rows=5)]
    while chunks[-1].upto < END_OF_SERVERS:
        chunks.append(rows.read_range(after=chunks[-1].upto, rows=5))
    rows.close()

    assert [len(chunk.rows["instances"]) for chunk in chunks] == [5, 5]
    for chunk in chunks:
        assert {row[1] for row in chunk.rows["instances"]} == {row[0] for row in chunk.rows["tags"]}


def test_single_servers_are_read_again_with_their_rows(cell):
    for uuid in ("a", "b", "c"):
        add_server(cell, uuid)
        cell.execute("INSERT INTO tags VALUES (%s, 'x')", (uuid,))
    rows = PostgresRows(a_zone(cell))

    chunk = rows.read_servers(["b", "gone"])
    rows.close()

    assert (chunk.after, chunk.upto, chunk.only) == (0, None, {"b", "gone"})
    assert [row[1] for row in chunk.rows["instances"]] == ["b"]
    assert list(chunk.rows["tags"]) == [("b", "x")]


def test_host_identity_of_a_zone_that_shares_servers_only_is_not_in_a_chunk(cell):
    add_server(cell, "a", host="compute-7", node="compute-7")
    cell.execute(
        "INSERT INTO instance_faults (instance_uuid, code, details, host)"
        " VALUES ('a', 1, 'on compute-7', 'compute-7')"
    )
    cell.execute(
        "INSERT INTO instance_system_metadata (instance_uuid, key, value)"
        " VALUES ('a', 'imageXos', 'no'), ('a', 'image_os', 'yes')"
    )
    rows = PostgresRows(a_zone(cell, trust=Trust.SERVERS))

    chunk = rows.read_range(after=0, rows=10)
    rows.close()

    assert "compute-7" not in repr(chunk)
    assert [row[3] for row in chunk.rows["instance_system_metadata"]] == ["yes"]


def test_column_that_an_older_release_lacks_reads_as_none(cell):
    cell.execute("ALTER TABLE instances DROP COLUMN hidden")
    add_server(cell, "a")
    log, _, events = started(cell)
    cell.execute("UPDATE instances SET vm_state = 'active'")
    rows = PostgresRows(a_zone(cell))

    (row,) = rows.read_range(after=0, rows=1).rows["instances"]
    rows.close()

    assert row[CELL_TABLES["instances"].index("hidden")] is None
    assert changes_of(follow(cell, events))[0].row == row
    log.close()


def test_missing_required_column_stops_the_zone(cell):
    cell.execute("ALTER TABLE instances DROP COLUMN display_name")
    rows = PostgresRows(a_zone(cell))

    with pytest.raises(StopZone, match="display_name"):
        rows.read_range(after=0, rows=1)


def test_reader_goes_on_with_a_new_session_after_its_own_was_lost(cell):
    rows = PostgresRows(a_zone(cell))
    rows.read_range(after=0, rows=1)
    cell.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name LIKE '%% chunks' AND datname = %s",
        (cell.name,),
    )

    with pytest.raises(Retry):
        rows.read_range(after=0, rows=1)

    assert rows.read_range(after=0, rows=1).upto == END_OF_SERVERS
    rows.close()


def test_snapshot_knows_visible_open_and_later_transactions():
    snapshot = parse_snapshot("100:110:103,105", "1/10000")

    assert [xid for xid in range(98, 112) if snapshot.contains(xid)] == [
        98,
        99,
        100,
        101,
        102,
        104,
        106,
        107,
        108,
        109,
    ]
    assert [
        snapshot.is_covered_by(Position(text)) for text in ("1/FFFF", "1/10000", "0/FFFFFFFF", "2/0")
    ] == [False, True, False, True]


def test_position_behind_a_page_header_counts_as_the_end_of_the_page_before():
    assert parse_snapshot("1:1:", "0/2018").is_covered_by(Position("0/2000"))
    assert not parse_snapshot("1:1:", "0/2030").is_covered_by(Position("0/2000"))


CHUNKS = 300


def test_chunk_holds_exactly_the_transactions_its_snapshot_sees(cell):
    """Rebuild every chunk from the log, by the rule alone, and compare."""
    cell.execute(
        "INSERT INTO instances (id, uuid, deleted, vcpus)"
        " SELECT g, 'u' || g, 0, 0 FROM generate_series(1, 40) g"
    )
    log, _, events = started(cell)
    stop = threading.Event()
    writers = [threading.Thread(target=write, args=(cell, seed, stop)) for seed in range(4)]
    rows = PostgresRows(a_zone(cell))
    initial = rows.read_range(after=0, rows=1000)
    for writer in writers:
        writer.start()

    chunks = [rows.read_range(after=number % 30, rows=10) for number in range(CHUNKS)]
    stop.set()
    for writer in writers:
        writer.join()
    history = follow(cell, events, seconds=60)
    log.close()
    rows.close()

    visible = [sum(chunk.snapshot.contains(each.mark) for each in history) for chunk in chunks]
    assert 0 <= visible[0] < visible[-1] - 300  # there were writes, and early chunks lack later ones
    for chunk in chunks:
        state: dict[str, set[tuple[object, ...]]] = {"tags": set(initial.rows["tags"])}
        instances = {row[0]: row for row in initial.rows["instances"]}
        for transaction in history:
            if chunk.snapshot.contains(transaction.mark):
                for change in transaction.changes:
                    replay(change, instances, state["tags"])
        expected = sorted(row for key, row in instances.items() if chunk.after < key)[:10]
        assert sorted(chunk.rows["instances"]) == expected
        uuids = {row[1] for row in expected}
        assert set(chunk.rows["tags"]) == {row for row in state["tags"] if row[0] in uuids}


def replay(
    change: RowChange, instances: dict[object, tuple[object, ...]], tags: set[tuple[object, ...]]
) -> None:
    if change.table == "instances":
        if change.op is Op.DELETE:
            del instances[change.row[0]]
        else:
            instances[change.row[0]] = change.row
    elif change.table == "tags":
        (tags.discard if change.op is Op.DELETE else tags.add)(change.row)


def write(cell: PostgresDatabase, seed: int, stop: threading.Event) -> None:
    """Short transactions on few keys: updates, deletes and re-inserts, tags."""
    chance = random.Random(seed)
    with cell.connect(autocommit=False) as connection:
        while not stop.is_set():
            key = chance.randint(1, 40)
            try:
                for _ in range(chance.randint(1, 3)):
                    match chance.randint(0, 3):
                        case 0:
                            connection.execute("DELETE FROM instances WHERE id = %s", (key,))
                        case 1:
                            connection.execute(
                                "INSERT INTO instances (id, uuid, deleted, vcpus) VALUES (%s, %s, 0, %s)"
                                " ON CONFLICT DO NOTHING",
                                (key, f"u{key}", chance.randint(0, 9)),
                            )
                        case 2:
                            connection.execute(
                                "INSERT INTO tags VALUES (%s, %s) ON CONFLICT DO NOTHING",
                                (f"u{key}", str(chance.randint(0, 3))),
                            )
                        case _:
                            connection.execute(
                                "UPDATE instances SET vcpus = vcpus + 1, display_name = %s WHERE id = %s",
                                (str(chance.random()), key),
                            )
                    key = chance.randint(key, 40)
                connection.commit()
            except psycopg.errors.DeadlockDetected:
                connection.rollback()
