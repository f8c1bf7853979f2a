# SPDX-License-Identifier: Apache-2.0
"""Slot and publication of a real PostgreSQL: made, missing, lost, taken, and what each means."""

from collections.abc import Callable, Iterator

import psycopg
import pytest

from tests.capture.postgres_zone import a_log, a_zone, add_server, changes_of, follow, make_cell, started
from tests.servers import PostgresDatabase, create_postgres_database, wait_until
from treetop.capture import open_log
from treetop.capture.lsn import parse_lsn, print_lsn
from treetop.capture.postgres import PostgresLog
from treetop.capture.postgres_slot import slot_name
from treetop.errors import Resnapshot, Retry, StopZone
from treetop.model.change import LogEvent, Position
from treetop.model.zone import ZoneName
from treetop.store.embedded import EmbeddedPostgres


@pytest.fixture
def cell(postgres_database: PostgresDatabase) -> PostgresDatabase:
    make_cell(postgres_database)
    return postgres_database


def run(events: Iterator[LogEvent]) -> None:
    for _ in events:
        pass


def slots(database: PostgresDatabase) -> list[str]:
    rows = database.execute(
        "SELECT slot_name FROM pg_replication_slots WHERE database = %s", (database.name,)
    )
    return [name for (name,) in rows]


def test_slot_name_fits_postgresql_and_tells_tops_apart():
    assert slot_name(ZoneName("cell-1")) == "treetop_cell_1"
    assert slot_name(ZoneName("cell-1"), "b2") == "treetop_cell_1_b2"
    long = [slot_name(ZoneName("z" * 62 + end), "top") for end in "ab"]
    assert all(len(name) <= 63 for name in long)
    assert long[0] != long[1]


def test_begin_again_replaces_the_slot_and_forget_removes_it(cell):
    log = a_log(cell)
    first = log.begin()
    add_server(cell, "a")

    second = log.begin()

    assert parse_lsn(second) > parse_lsn(first)
    assert len(slots(cell)) == 1
    log.forget()
    log.forget()
    assert slots(cell) == []


def test_two_tops_read_one_zone_by_their_suffixes(cell):
    logs = [open_log(a_zone(cell), slot_suffix=suffix) for suffix in ("one", "two")]
    streams = [log.stream(log.begin()) for log in logs]
    add_server(cell, "a")

    assert [len(changes_of(follow(cell, events))) for events in streams] == [1, 2]  # with the first marker
    assert len(slots(cell)) == 2
    for log in logs:
        log.close()


def test_missing_slot_means_load_anew(cell):
    log = a_log(cell)
    position = log.begin()
    log.forget()

    with pytest.raises(Resnapshot, match="does not exist"):
        run(log.stream(position))


def test_slot_confirmed_beyond_the_position_means_load_anew(cell):
    log, position, events = started(cell)
    add_server(cell, "a")
    (transaction,) = follow(cell, events)
    log.acknowledge(transaction.position)
    log.close()
    events.close()

    with pytest.raises(Resnapshot, match="beyond the stored position"):
        run(a_log(cell).stream(position))


def test_position_ahead_of_the_zone_means_load_anew(cell):
    log = a_log(cell)
    position = log.begin()

    with pytest.raises(Resnapshot, match="its log ends at"):
        run(log.stream(print_lsn(parse_lsn(position) + (1 << 40))))


def test_slot_whose_log_the_server_gave_up_means_load_anew(own_postgres: Callable[..., EmbeddedPostgres]):
    server = own_postgres({"max_slot_wal_keep_size": "1MB", "min_wal_size": "32MB", "max_wal_size": "32MB"})
    database = create_postgres_database(server, "cell")
    make_cell(database)
    log = a_log(database)
    position = log.begin()

    def is_lost() -> bool:
        database.execute("SELECT pg_switch_wal()")
        database.execute("CREATE TABLE IF NOT EXISTS noise AS SELECT 1")
        database.execute("DROP TABLE noise")
        database.execute("CHECKPOINT")
        return database.execute("SELECT wal_status FROM pg_replication_slots") == [("lost",)]

    wait_until("the server invalidates the slot", is_lost, seconds=30)

    with pytest.raises(Resnapshot, match="invalidated"):
        run(log.stream(position))
    begun = log.begin()  # and the new reading works
    database.execute("INSERT INTO tags VALUES ('a', 'x')")
    events = log.stream(begun)
    assert len(follow(database, events)) == 1
    log.close()


def test_slot_that_somebody_reads_is_waited_for_and_its_reader_named(cell):
    log, position, events = started(cell)
    next(events)
    ((pid,),) = cell.execute("SELECT active_pid FROM pg_replication_slots WHERE database = %s", (cell.name,))

    with pytest.raises(Retry, match=f"process {pid}") as caught:
        run(a_log(cell).stream(position))

    assert f"pg_terminate_backend({pid})" in str(caught.value.hint)
    log.close()


def test_new_slot_waits_for_open_transactions_and_names_the_oldest(cell):
    log = PostgresLog(a_zone(cell), slot_seconds=1)
    with psycopg.connect(cell.dsn, application_name="nightly report") as connection:
        connection.execute("INSERT INTO tags VALUES ('a', 'x')")

        with pytest.raises(Retry, match="nightly report"):
            log.begin()

        assert slots(cell) == []
    assert log.begin()


def test_slot_of_another_database_is_left_alone(cell, postgres_server):
    zone = a_zone(cell)
    other = create_postgres_database(postgres_server, f"{cell.name}_other")
    name = slot_name(zone.name)
    other.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (name,))

    with pytest.raises(StopZone, match=other.name):
        PostgresLog(zone).begin()

    assert slots(other) == [name]
    other.execute("SELECT pg_drop_replication_slot(%s)", (name,))


def test_missing_publication_stops_the_zone_with_the_sql_that_makes_it(cell):
    log = a_log(cell)
    position = log.begin()
    cell.execute("DROP PUBLICATION treetop")

    with pytest.raises(StopZone, match="treetop does not exist") as caught:
        run(log.stream(position))

    for statement in filter(None, str(caught.value.hint).split(";")):
        cell.execute(statement)
    assert log.check()


def test_publication_made_after_the_position_means_load_anew(cell):
    log = a_log(cell)
    position = log.begin()
    cell.execute("DROP PUBLICATION treetop")
    add_server(cell, "a")
    cell.execute("CREATE PUBLICATION treetop FOR ALL TABLES")

    with pytest.raises(Resnapshot, match="made anew"):
        run(log.stream(position))


def test_dropping_a_published_column_by_force_stops_the_zone(cell):
    """CASCADE takes the whole table out of the publication: its rows would be missing without a word."""
    log, _, events = started(cell)
    next(events)
    next(events)
    with pytest.raises(psycopg.errors.DependentObjectsStillExist):
        cell.execute("ALTER TABLE instances DROP COLUMN display_name")
    cell.execute("ALTER TABLE instances DROP COLUMN display_name CASCADE")

    with pytest.raises(StopZone, match="publication"):
        run(events)
    log.close()


def test_publication_dropped_under_the_stream_stops_the_zone(cell):
    log, _, events = started(cell)
    next(events)
    cell.execute("DROP PUBLICATION treetop")

    with pytest.raises(StopZone, match="publication"):
        run(events)
    log.close()


def test_table_taken_out_of_the_publication_and_put_back_stops_the_stream(cell):
    log, _, events = started(cell)
    next(events)
    next(events)
    with cell.connect(autocommit=False) as connection:
        connection.execute("ALTER PUBLICATION treetop DROP TABLE tags")
        connection.execute("ALTER PUBLICATION treetop ADD TABLE tags")
        connection.commit()

    with pytest.raises(StopZone, match="was changed"):
        run(events)
    log.close()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("ALTER PUBLICATION treetop DROP TABLE tags", "lacks table tags"),
        ("ALTER PUBLICATION treetop SET (publish = 'insert')", "leaves out"),
        ("ALTER PUBLICATION treetop SET TABLE instances WHERE (id > 3)", "filters the rows|lacks"),
        ("ALTER TABLE instances ADD COLUMN hidden boolean", "lacks column hidden"),
        ("ALTER TABLE tags REPLICA IDENTITY FULL", None),  # all its columns are wanted
        ("ALTER TABLE instances REPLICA IDENTITY FULL", "Nova's own updates fail"),
    ],
)
def test_publication_that_lacks_something_stops_the_zone_and_begin_mends_it(cell, change, message):
    if "hidden" in change:
        cell.execute("ALTER TABLE instances DROP COLUMN hidden")
    log = a_log(cell)
    position: Position = log.begin()
    cell.execute(change)

    events = log.stream(position)
    if message is not None:
        with pytest.raises(StopZone, match=message):
            next(events)
        events = log.stream(log.begin())

    add_server(cell, "a")
    cell.execute("UPDATE instances SET vm_state = 'active'")  # Nova's own writes work
    assert len(changes_of(follow(cell, events))) == 2
    log.close()
