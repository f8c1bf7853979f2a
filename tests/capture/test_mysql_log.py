# SPDX-License-Identifier: Apache-2.0
"""The log of a real MariaDB: transactions, DDL, odd commits, large ones, what stops a zone."""

import pytest

from tests.capture.mariadb_zone import (
    a_log,
    add_server,
    changes_of,
    follow,
    make_cell,
    mark,
    one_change,
    read_to,
    setting,
    some_rows,
    started,
    value,
)
from treetop.capture.binlog_group import MOST_CHANGES
from treetop.capture.gtid import MariadbGtidSet
from treetop.errors import Resnapshot, Retry, StopZone
from treetop.model.change import UNCHANGED, Heartbeat, Op


@pytest.fixture
def cell(mariadb_database):
    return make_cell(mariadb_database)


def test_transaction_holds_all_its_changes_in_order(cell):
    _, events = started(cell)

    with cell.connect(autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO instances (uuid, deleted, vm_state) VALUES ('s', 0, 'building')")
        cursor.execute("INSERT INTO tags (resource_id, tag) VALUES ('s', 't')")
        cursor.execute("UPDATE instances SET vm_state = 'active'")
        cursor.execute("DELETE FROM tags")
        connection.commit()

    (transaction,) = follow(cell, events)
    assert [(change.op, change.table) for change in transaction.changes] == [
        (Op.INSERT, "instances"),
        (Op.INSERT, "tags"),
        (Op.UPDATE, "instances"),
        (Op.DELETE, "tags"),
    ]
    assert value("instances", transaction.changes[2].row, "vm_state") == "active"
    assert transaction.is_complete


def test_stream_resumes_at_any_position_without_gap_or_repeat(cell):
    position, events = started(cell)
    for number in range(5):
        add_server(cell, f"s{number}")
    marker = mark(cell)
    everything = read_to(marker, events)

    for place, transaction in enumerate(everything):
        rest = read_to(marker, a_log(cell).stream(transaction.position))
        assert rest == everything[place + 1 :]
    assert read_to(marker, a_log(cell).stream(position)) == everything


def test_position_is_the_servers_own(cell):
    _, events = started(cell)
    add_server(cell, "s")
    ((position,),) = cell.execute("SELECT @@GLOBAL.gtid_binlog_pos")

    (transaction,) = follow(cell, events)

    assert MariadbGtidSet.parse(transaction.position) == MariadbGtidSet.parse(position)


def test_update_of_the_key_carries_the_old_one(cell):
    add_server(cell, "before")
    _, events = started(cell)

    cell.execute("UPDATE instances SET uuid = 'after'")

    change = one_change(follow(cell, events))
    assert value("instances", change.row, "uuid") == "after"
    assert value("instances", change.old_row, "uuid") == "before"
    assert value("instances", change.old_row, "vm_state") is UNCHANGED


def test_update_that_keeps_the_key_carries_no_old_row(cell):
    add_server(cell, "s")
    _, events = started(cell)

    cell.execute("UPDATE instances SET vm_state = 'active'")

    assert one_change(follow(cell, events)).old_row is None


def test_many_rows_and_many_null_patterns(cell):
    """Rows whose NULLs come often go through generated code, others through the plain loop."""
    _, events = started(cell)
    names = ["vm_state", "task_state", "host", "key_name", "power_state", "launched_at", "locked_by"]
    with cell.connect(autocommit=False) as connection, connection.cursor() as cursor:
        for number in range(128):
            for copy in range(number % 5 + 1):
                cursor.execute(
                    f"INSERT INTO instances (uuid, deleted, {', '.join(names)})"
                    " VALUES (%s, 0, %s, %s, %s, %s, %s, %s, %s)",
                    (f"{number}-{copy}", *_some_values(number)),
                )
        connection.commit()
        cursor.execute("UPDATE instances SET progress = id")
        connection.commit()

    transactions = follow(cell, events)
    selected = some_rows(cell).read_range(after=0, rows=1000).rows["instances"]
    assert [change.row for change in transactions[1].changes] == list(selected)
    assert len(transactions[0].changes) == len(selected) > 300


def _some_values(bits):
    values = ["active", "resizing", "host", "key", 1, "2024-01-02 03:04:05", "admin"]
    return [value if bits >> place & 1 else None for place, value in enumerate(values)]


@pytest.mark.parametrize("checksum", ["NONE", "CRC32"])
def test_checksums_are_read_from_the_log_itself(cell, checksum):
    with setting(cell, binlog_checksum=checksum):
        _, events = started(cell)
        add_server(cell, "s")
        assert one_change(follow(cell, events)).op is Op.INSERT


def test_checksum_and_file_changes_in_midstream_are_followed(cell):
    _, events = started(cell)
    add_server(cell, "s1")
    with setting(cell, binlog_checksum="NONE"):
        add_server(cell, "s2")
        cell.execute("FLUSH BINARY LOGS")
        add_server(cell, "s3")
    add_server(cell, "s4")

    found = changes_of(follow(cell, events))
    assert [value("instances", change.row, "uuid") for change in found] == ["s1", "s2", "s3", "s4"]


def test_compressed_events_are_compressed_and_read(cell):
    with setting(cell, log_bin_compress="ON", log_bin_compress_min_len="10"):
        _, events = started(cell)
        add_server(cell, "s", user_data="x" * 5000)
        cell.execute("UPDATE instances SET user_data = REPEAT('y', 6000)")
        cell.execute("ALTER TABLE instances ADD COLUMN by_a_long_statement INT COMMENT 'long enough'")
        cell.execute("DELETE FROM instances")
        changes = changes_of(follow(cell, events))
        ((_, size),) = cell.execute("SHOW GLOBAL STATUS LIKE 'Binlog_bytes_written'")

    assert [change.op for change in changes] == [Op.INSERT, Op.UPDATE, Op.DELETE]
    assert value("instances", changes[1].row, "user_data") == "y" * 6000
    assert int(size) > 0


@pytest.mark.parametrize("metadata", ["FULL", "NO_LOG"])
def test_ddl_in_midstream_is_followed(cell, metadata):
    """Columns that are not wanted come, go, move and change their names; every row stays right."""
    with setting(cell, binlog_row_metadata=metadata):
        _, events = started(cell)
        for number, ddl in enumerate(
            [
                "ADD COLUMN extra INT DEFAULT 7 FIRST",
                "DROP COLUMN cleaned",
                "CHANGE extra renamed BIGINT",
                "MODIFY renamed BIGINT AFTER uuid",
                "DROP COLUMN renamed, DROP COLUMN internal_id",
            ]
        ):
            cell.execute(f"ALTER TABLE instances {ddl}")
            add_server(cell, f"s{number}", display_name=f"name {number}")
            changed = one_change(follow(cell, events))
            assert value("instances", changed.row, "uuid") == f"s{number}"
            assert value("instances", changed.row, "display_name") == f"name {number}"


def test_dropped_wanted_column_stops_the_zone_before_its_rows(cell):
    _, events = started(cell)
    add_server(cell, "s1")
    cell.execute("ALTER TABLE instances CHANGE vm_state state_of_vm VARCHAR(255)")
    cell.execute("INSERT INTO instances (uuid, deleted) VALUES ('s2', 0)")

    assert one_change([next(events)]).op is Op.INSERT
    assert next(events).changes == []  # the ALTER itself
    with pytest.raises(StopZone, match="instances has no column vm_state") as stop:
        next(events)
    assert "SHOW CREATE TABLE" in stop.value.hint


def test_optional_wanted_column_that_goes_asks_for_a_new_load(cell):
    _, events = started(cell)
    add_server(cell, "s1")
    cell.execute("ALTER TABLE instances DROP COLUMN hidden")
    add_server(cell, "s2")

    with pytest.raises(Resnapshot, match="hidden"):
        follow(cell, events)


def test_unnamed_columns_that_do_not_fit_stop_the_zone(cell):
    with setting(cell, binlog_row_metadata="NO_LOG"):
        _, events = started(cell)
        add_server(cell, "s1")
        cell.execute("ALTER TABLE instances ADD COLUMN extra INT FIRST")
        with pytest.raises(StopZone, match="does not name columns") as stop:
            follow(cell, events)
    assert "binlog_row_metadata=FULL" in stop.value.hint


def test_swapped_table_of_an_online_schema_change_is_followed(cell):
    add_server(cell, "s1")
    _, events = started(cell)
    cell.execute("CREATE TABLE _instances_gho LIKE instances")
    cell.execute("ALTER TABLE _instances_gho ADD COLUMN extra INT FIRST")
    with cell.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SET foreign_key_checks = 0")
        cursor.execute("RENAME TABLE instances TO _instances_del, _instances_gho TO instances")
    add_server(cell, "s2")

    assert value("instances", one_change(follow(cell, events)).row, "uuid") == "s2"


def test_truncate_of_a_watched_table_is_a_change(cell):
    cell.execute("INSERT INTO tags VALUES ('s', 't')")
    _, events = started(cell)

    cell.execute("TRUNCATE TABLE tags")
    cell.execute("TRUNCATE virtual_interfaces")

    assert [(c.op, c.table, c.row) for c in changes_of(follow(cell, events))] == [(Op.TRUNCATE, "tags", ())]


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE tags",
        "DROP TABLE IF EXISTS virtual_interfaces, tags",
        "RENAME TABLE tags TO lost",
        "ALTER TABLE tags RENAME TO lost",
        "CREATE OR REPLACE TABLE tags (resource_id INT)",
        "DROP DATABASE {name}",
    ],
)
def test_lost_watched_table_stops_the_zone(cell, statement):
    _, events = started(cell)
    add_server(cell, "s")
    next(events)
    cell.execute(statement.format(name=cell.name))

    with pytest.raises(StopZone, match="went away without row events") as stop:
        next(events)
    assert "treetop zone resync" in stop.value.hint


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE instances SET vm_state = 'error'",
        "/* why */ DELETE FROM tags",
        "REPLACE INTO tags VALUES ('a', 'b')",
    ],
)
def test_statement_instead_of_rows_stops_the_zone(cell, statement):
    _, events = started(cell)
    with cell.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SET SESSION binlog_format = STATEMENT")
        cursor.execute(statement)

    with pytest.raises(StopZone, match="a statement instead of row events") as stop:
        follow(cell, events)
    assert "binlog_format=ROW" in stop.value.hint


def test_statements_of_other_databases_do_not_matter(cell):
    _, events = started(cell)
    other = f"{cell.name}_x"[-20:][::-1]
    cell.execute(f"CREATE DATABASE {other}")
    with cell.server.root_connection(other) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE instances (id INT)")
        cursor.execute("SET SESSION binlog_format = STATEMENT")
        cursor.execute("INSERT INTO instances VALUES (1)")
        cursor.execute("SET SESSION binlog_format = ROW")
        cursor.execute("INSERT INTO instances VALUES (2)")
        cursor.execute("TRUNCATE instances")
        cursor.execute("DROP TABLE instances")
    cell.execute(f"DROP DATABASE {other}")

    assert changes_of(follow(cell, events)) == []


def test_partial_row_image_stops_the_zone(cell):
    add_server(cell, "s")
    _, events = started(cell)
    with cell.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SET SESSION binlog_row_image = MINIMAL")
        cursor.execute("UPDATE instances SET vm_state = 'active'")

    with pytest.raises(StopZone, match="lacks some of them") as stop:
        follow(cell, events)
    assert "binlog_row_image=FULL" in stop.value.hint


def test_commit_without_xid_ends_a_transaction(cell):
    cell.execute("ALTER TABLE tags ENGINE=MyISAM")
    _, events = started(cell)
    cell.execute("INSERT INTO tags VALUES ('s', 'one'), ('s', 'two')")

    (transaction,) = follow(cell, events)

    assert [change.row for change in transaction.changes] == [("s", "one"), ("s", "two")]


def test_rollback_in_the_log_stops_the_zone_if_it_touches_watched_rows(cell):
    cell.execute("CREATE TABLE notes (id INT) ENGINE=MyISAM")
    _, events = started(cell)
    with cell.connect(autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO notes VALUES (1)")
        connection.rollback()  # only what cannot be undone is in the log
        cursor.execute("SAVEPOINT here")
        cursor.execute("INSERT INTO tags VALUES ('s', 't')")
        cursor.execute("INSERT INTO notes SELECT 2 FROM tags LIMIT 1")
        cursor.execute("ROLLBACK TO SAVEPOINT here")
        connection.commit()

    with pytest.raises(StopZone, match="rolled back"):
        follow(cell, events)


def test_rolled_back_savepoint_leaves_no_rows(cell):
    _, events = started(cell)
    with cell.connect(autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO tags VALUES ('s', 'kept')")
        cursor.execute("SAVEPOINT here")
        cursor.execute("INSERT INTO tags VALUES ('s', 'undone')")
        cursor.execute("ROLLBACK TO SAVEPOINT here")
        connection.commit()

    assert [change.row for change in changes_of(follow(cell, events))] == [("s", "kept")]


def run_xa(database, table_row, end):
    with database.connect() as connection, connection.cursor() as cursor:
        for statement in ("XA START 'x'", table_row, "XA END 'x'", "XA PREPARE 'x'", end):
            cursor.execute(statement)


def test_xa_on_watched_tables_stops_the_zone(cell):
    _, events = started(cell)
    run_xa(cell, "INSERT INTO tags VALUES ('s', 't')", "XA COMMIT 'x'")

    with pytest.raises(StopZone, match="XA transaction") as stop:
        follow(cell, events)
    assert "XA" in stop.value.hint


@pytest.mark.parametrize("end", ["XA COMMIT 'x'", "XA ROLLBACK 'x'"])
def test_xa_on_other_tables_passes(cell, end):
    cell.execute("CREATE TABLE other (id INT)")
    _, events = started(cell)
    run_xa(cell, "INSERT INTO other VALUES (1)", end)
    add_server(cell, "s")

    assert one_change(follow(cell, events)).table == "instances"


def test_every_domain_stays_in_the_position(cell):
    position, events = started(cell)
    with cell.connect() as connection, connection.cursor() as cursor:
        for domain in (7, 3, 7):
            cursor.execute("SET SESSION gtid_domain_id = %s", (domain,))
            cursor.execute("INSERT INTO tags VALUES ('s', UUID())")
    marker = mark(cell)
    transactions = read_to(marker, events)

    last = MariadbGtidSet.parse(transactions[-1].position).last
    assert set(MariadbGtidSet.parse(position).last) | {3, 7} == set(last)
    assert read_to(marker, a_log(cell).stream(transactions[0].position)) == transactions[1:]


def test_ddl_advances_the_position(cell):
    _, events = started(cell)
    cell.execute("CREATE TABLE other (id INT)")

    (transaction,) = follow(cell, events)

    assert transaction.changes == []
    assert transaction.is_complete
    ((position,),) = cell.execute("SELECT @@GLOBAL.gtid_binlog_pos")
    assert MariadbGtidSet.parse(position).covers(MariadbGtidSet.parse(transaction.position))


def test_row_over_16_mb_is_joined(cell):
    text = "0123456789abcdef" * (2 << 20)  # 32 MB: two full packets and a rest
    with setting(cell, max_allowed_packet=str(256 << 20)):
        _, events = started(cell)
        with cell.connect() as connection, connection.cursor() as cursor:
            cursor.execute("ALTER TABLE instance_extra MODIFY flavor LONGTEXT")
            cursor.execute("SET foreign_key_checks = 0")
            cursor.execute(
                "INSERT INTO instance_extra (instance_uuid, flavor)"
                " VALUES ('s', REPEAT('0123456789abcdef', %s))",
                (2 << 20,),
            )
        row = one_change(follow(cell, events, seconds=60)).row
        cell.execute(
            "FLUSH BINARY LOGS"
        )  # BINLOG_GTID_POS cannot read on behind an event over max_allowed_packet

    assert row[2] == text


def test_a_log_file_that_the_server_cannot_read_is_named_with_the_way_out(cell):
    with setting(cell, max_allowed_packet=str(256 << 20)):
        cell.execute("CREATE TABLE elsewhere (t LONGTEXT)")
        cell.execute("INSERT INTO elsewhere VALUES (REPEAT('0123456789abcdef', 2097152))")
    rows = some_rows(cell)

    try:
        with pytest.raises(Retry, match="max_allowed_packet") as retry:
            rows.read_range(after=0, rows=10)
    finally:
        rows.close()
        cell.execute("FLUSH BINARY LOGS")

    assert "FLUSH BINARY LOGS" in retry.value.hint


def test_large_transaction_comes_in_pieces(cell):
    _, events = started(cell)
    rows = 3 * MOST_CHANGES + 10
    cell.execute(f"INSERT INTO tags SELECT 'x', seq FROM seq_1_to_{rows}")

    pieces = follow(cell, events)

    assert sum(len(piece.changes) for piece in pieces) == rows
    assert max(len(piece.changes) for piece in pieces) < MOST_CHANGES + 1000
    assert [piece.is_complete for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    assert len({piece.mark for piece in pieces}) == 1


def test_quiet_zone_gives_heartbeats_at_its_position(cell):
    add_server(cell, "s")
    position, events = started(cell)

    first, second = next(events), next(events)

    assert isinstance(first, Heartbeat)
    assert isinstance(second, Heartbeat)
    assert first.position == second.position == position
    assert 0.1 < (second.at - first.at).total_seconds() < 3
