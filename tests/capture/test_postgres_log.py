# SPDX-License-Identifier: Apache-2.0
"""What the stream says of changes made in a real PostgreSQL."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.capture.postgres_zone import (
    a_log,
    a_zone,
    add_server,
    changes_of,
    follow,
    make_cell,
    one_change,
    started,
    value,
)
from tests.servers import PostgresDatabase
from treetop.capture.lsn import parse_lsn
from treetop.capture.pgoutput import PIECE_ROWS
from treetop.capture.postgres import PostgresLog
from treetop.errors import StopZone
from treetop.model.change import UNCHANGED, Heartbeat, LogEvent, Op, Transaction
from treetop.model.zone import Trust
from treetop.nova.tables import CELL_TABLES

INSTANCES = CELL_TABLES["instances"]
BIG = "".join(chr(0x4E00 + number % 20000) for number in range(60_000))  # out of line, hardly compressible


@pytest.fixture
def cell(postgres_database: PostgresDatabase) -> PostgresDatabase:
    make_cell(postgres_database)
    return postgres_database


@pytest.fixture
def events(cell: PostgresDatabase) -> Iterator[Iterator[LogEvent]]:
    log, _, events = started(cell)
    yield events
    log.close()
    events.close()


def test_a_transaction_is_given_whole_and_in_commit_order(cell, events):
    before = datetime.now(UTC) - timedelta(seconds=1)
    with cell.connect(autocommit=False) as first, cell.connect() as second:
        first.execute("INSERT INTO instances (uuid, deleted) VALUES ('a', 0)")
        second.execute("INSERT INTO instances (uuid, deleted) VALUES ('b', 0)")
        first.execute("INSERT INTO tags VALUES ('a', 'x')")
        first.commit()

    transactions = follow(cell, events)

    shape = [[(change.table, change.op) for change in each.changes] for each in transactions]
    assert shape == [[("instances", Op.INSERT)], [("instances", Op.INSERT), ("tags", Op.INSERT)]]
    assert value("instances", transactions[0].changes[0].row, "uuid") == "b"
    assert transactions[1].mark < transactions[0].mark  # began first, committed last
    assert parse_lsn(transactions[0].position) < parse_lsn(transactions[1].position)
    assert before < transactions[0].committed_at < datetime.now(UTC) + timedelta(seconds=1)


def test_mark_is_the_64_bit_transaction_id(cell, events):
    with cell.connect(autocommit=False) as connection:
        connection.execute("INSERT INTO tags VALUES ('a', 'x')")
        (wide,) = connection.execute("SELECT pg_current_xact_id()::text::bigint").fetchone()
        connection.commit()

    assert [each.mark for each in follow(cell, events)] == [wide]


def test_rolled_back_savepoint_is_not_given(cell, events):
    with cell.connect(autocommit=False) as connection:
        connection.execute("INSERT INTO tags VALUES ('a', 'kept')")
        connection.execute("SAVEPOINT part")
        connection.execute("INSERT INTO tags VALUES ('a', 'undone')")
        connection.execute("ROLLBACK TO SAVEPOINT part")
        connection.execute("INSERT INTO tags VALUES ('a', 'kept too')")
        connection.commit()
        connection.execute("INSERT INTO tags VALUES ('a', 'undone')")
        connection.rollback()

    assert [change.row for change in changes_of(follow(cell, events))] == [("a", "kept"), ("a", "kept too")]


def test_key_change_carries_the_old_key(cell, events):
    cell.execute("INSERT INTO tags VALUES ('a', 'before')")
    cell.execute("UPDATE tags SET tag = 'after'")

    _, update = changes_of(follow(cell, events))

    assert (update.op, update.row, update.old_row) == (Op.UPDATE, ("a", "after"), ("a", "before"))


def test_update_that_keeps_the_key_carries_no_old_row(cell, events):
    add_server(cell, "a", display_name="before")
    cell.execute("UPDATE instances SET display_name = 'after'")

    _, update = changes_of(follow(cell, events))

    assert update.old_row is None
    assert value("instances", update.row, "display_name") == "after"


def test_update_that_changes_nothing_is_given(cell, events):
    add_server(cell, "a")
    cell.execute("UPDATE instances SET deleted = deleted")

    insert, update = changes_of(follow(cell, events))

    assert update.row == insert.row


def test_unchanged_big_value_reads_as_unchanged(cell, events):
    add_server(cell, "a", user_data=BIG)
    cell.execute("UPDATE instances SET vm_state = 'active'")

    insert, update = changes_of(follow(cell, events))

    assert value("instances", insert.row, "user_data") == BIG
    assert value("instances", update.row, "user_data") is UNCHANGED
    assert value("instances", update.row, "vm_state") == "active"


def test_unchanged_big_value_stays_unchanged_when_the_key_changes(cell, events):
    add_server(cell, "a", user_data=BIG)
    cell.execute("UPDATE instances SET id = id + 1000")

    insert, update = changes_of(follow(cell, events))

    assert value("instances", update.row, "user_data") is UNCHANGED
    assert update.old_row is not None
    assert value("instances", update.old_row, "id") == value("instances", insert.row, "id")
    assert value("instances", update.old_row, "display_name") is UNCHANGED


def test_delete_with_default_identity_carries_only_the_key(cell, events):
    add_server(cell, "a", display_name="n")
    cell.execute("DELETE FROM instances")

    insert, delete = changes_of(follow(cell, events))

    assert delete.op is Op.DELETE
    assert value("instances", delete.row, "id") == value("instances", insert.row, "id")
    rest = {delete.row[INSTANCES.index(name)] for name in INSTANCES.shared_columns if name != "id"}
    assert rest == {UNCHANGED}


def test_full_identity_carries_whole_old_rows(postgres_database):
    make_cell(postgres_database)
    postgres_database.execute("ALTER TABLE instance_extra REPLICA IDENTITY FULL")
    add_server(postgres_database, "a")
    add_server(postgres_database, "b")
    log, _, events = started(postgres_database)
    postgres_database.execute("INSERT INTO instance_extra (instance_uuid, flavor) VALUES ('a', %s)", (BIG,))
    postgres_database.execute("UPDATE instance_extra SET vcpu_model = 'x'")
    postgres_database.execute("UPDATE instance_extra SET instance_uuid = 'b'")
    postgres_database.execute("DELETE FROM instance_extra")

    insert, update, move, delete = changes_of(follow(postgres_database, events))
    log.close()

    assert update.row == insert.row  # the big value comes from the old row
    assert update.old_row is None
    assert value("instance_extra", move.old_row, "instance_uuid") == "a"
    assert value("instance_extra", move.row, "instance_uuid") == "b"
    assert delete.row == move.row


def test_truncate_is_given_per_watched_table(cell, events):
    cell.execute("TRUNCATE tags, instance_metadata, services, instance_id_mappings")

    changes = changes_of(follow(cell, events))

    assert {(change.op, change.table, change.row) for change in changes} == {
        (Op.TRUNCATE, "tags", ()),
        (Op.TRUNCATE, "instance_metadata", ()),
        (Op.TRUNCATE, "services", ()),
    }


def test_unwatched_tables_and_unused_system_metadata_are_left_out(cell, events):
    add_server(cell, "a")
    cell.execute("INSERT INTO instance_id_mappings (uuid) VALUES ('h')")
    cell.execute(
        "INSERT INTO instance_system_metadata (instance_uuid, key)"
        " VALUES ('a', 'boot_roles'), ('a', 'image_os')"
    )

    instance, metadata = changes_of(follow(cell, events))

    assert instance.table == "instances"
    assert value("instance_system_metadata", metadata.row, "key") == "image_os"


def test_zone_that_shares_servers_only_gives_no_host(cell):
    log = PostgresLog(a_zone(cell, trust=Trust.SERVERS))
    events = log.stream(log.begin())
    add_server(cell, "a", host="compute-7", node="compute-7", project_id="p")

    row = one_change(follow(cell, events)).row
    log.close()

    assert "compute-7" not in repr(row)
    assert len(str(value("instances", row, "host_id"))) == 56


def test_large_transaction_comes_in_pieces(cell, events):
    rows = PIECE_ROWS * 2 + 10
    cell.execute("INSERT INTO tags SELECT 'a', g::text FROM generate_series(1, %s) g", (rows,))

    pieces = follow(cell, events)

    assert [piece.is_complete for piece in pieces] == [False, False, True]
    assert len({piece.mark for piece in pieces}) == 1
    assert [change.row[1] for change in changes_of(pieces)] == [str(number) for number in range(1, rows + 1)]


def test_transaction_of_big_rows_comes_in_pieces(cell, events):
    add_server(cell, "a")
    cell.execute(
        "INSERT INTO instance_faults (instance_uuid, code, details)"
        " SELECT 'a', 1, %s FROM generate_series(1, 60)",
        (BIG,),
    )

    pieces = follow(cell, events)[1:]

    assert len(pieces) > 1
    assert len(changes_of(pieces)) == 60


def test_resumed_stream_gives_what_follows_the_position_and_nothing_before(cell):
    log, _, events = started(cell)
    for number in range(5):
        cell.execute("INSERT INTO tags VALUES ('a', %s)", (str(number),))
    seen = follow(cell, events)
    log.close()
    events.close()

    again = a_log(cell).stream(seen[2].position)

    assert [change.row[1] for change in changes_of(follow(cell, again))][:2] == ["3", "4"]
    again.close()


def test_idle_stream_gives_heartbeats_that_reach_the_end_of_the_log(cell, events):
    cell.execute("INSERT INTO services (host, report_count) VALUES ('not watched', 0)")
    ((end,),) = cell.execute("SELECT pg_current_wal_flush_lsn()::text")
    asked_at = datetime.now(UTC)

    heartbeats: list[Heartbeat] = []
    while not heartbeats or parse_lsn(heartbeats[-1].position) < parse_lsn(end) or len(heartbeats) < 4:
        event = next(events)
        assert datetime.now(UTC) < asked_at + timedelta(seconds=10)
        if isinstance(event, Heartbeat):
            heartbeats.append(event)

    assert [each.at for each in heartbeats] == sorted(each.at for each in heartbeats)
    assert abs(heartbeats[-1].at - datetime.now(UTC)) < timedelta(seconds=2)


@pytest.mark.parametrize("identity", ["", "FULL"])
def test_columns_may_be_added_dropped_and_renamed_while_the_stream_runs(cell, identity):
    if identity:
        cell.execute(f"ALTER TABLE instances REPLICA IDENTITY {identity}")
    log, _, events = started(cell)
    add_server(cell, "a", display_name="one")
    cell.execute("ALTER TABLE instances ADD COLUMN new_one TEXT DEFAULT 'x'")
    cell.execute("ALTER TABLE instances DROP COLUMN internal_id")
    cell.execute("ALTER TABLE instances RENAME COLUMN cell_name TO cell_nickname")
    add_server(cell, "b", display_name="two")

    names = [value("instances", change.row, "display_name") for change in changes_of(follow(cell, events))]
    log.close()

    assert names == ["one", "two"]


def test_renaming_a_wanted_column_stops_the_zone_before_its_next_row(cell, events):
    add_server(cell, "a")
    cell.execute("ALTER TABLE instances RENAME COLUMN display_name TO name")
    cell.execute("INSERT INTO tags VALUES ('a', 'still fine')")
    add_server(cell, "b")

    given: list[Transaction] = []

    def read() -> None:
        given.extend(event for event in events if isinstance(event, Transaction))

    with pytest.raises(StopZone, match="display_name"):
        read()

    assert [change.table for change in changes_of(given)] == ["instances", "tags"]


def test_stream_is_right_whatever_date_style_the_database_has(cell):
    cell.execute(f"ALTER DATABASE {cell.name} SET datestyle = 'German, DMY'")
    cell.execute(f"ALTER DATABASE {cell.name} SET timezone = 'Asia/Kathmandu'")
    log, _, events = started(cell)
    add_server(cell, "a", created_at=datetime(2026, 1, 2, 3, 4, 5, 120000))  # noqa: DTZ001 (as Nova writes it)

    assert value("instances", one_change(follow(cell, events)).row, "created_at") == "2026-01-02 03:04:05.12"
    log.close()
