# SPDX-License-Identifier: Apache-2.0
"""What `check` finds in a real PostgreSQL, and that the hints it gives mend it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.capture.postgres_zone import a_log, a_zone, follow, make_cell
from tests.servers import PostgresDatabase, TcpProxy, create_postgres_database
from treetop.capture.postgres import PostgresLog
from treetop.capture.postgres_rows import PostgresRows
from treetop.errors import Refuse, Retry, StopZone, TreetopError
from treetop.model.zone import PasswordReference, Zone
from treetop.nova.mirrored_tables import MIRRORED_CELL_TABLES
from treetop.store.embedded import EmbeddedPostgres

SECRET = "s3cret-of-the-reader"


@pytest.fixture
def cell(postgres_database: PostgresDatabase) -> PostgresDatabase:
    make_cell(postgres_database)
    return postgres_database


@pytest.fixture
def reader(cell: PostgresDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[Zone]:
    """A zone whose role may log in and nothing else."""
    role = f"reader_of_{cell.name}"
    cell.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{SECRET}'")
    monkeypatch.setenv("ZONE_PASSWORD", SECRET)
    zone = a_zone(cell)
    password = PasswordReference(kind="env", name="ZONE_PASSWORD")
    yield replace(zone, url=replace(zone.url, user=role), password=password)
    cell.execute(f"DROP OWNED BY {role}")
    cell.execute(f"DROP ROLE {role}")


def stopped(log: PostgresLog) -> StopZone:
    with pytest.raises(StopZone) as caught:
        log.check()
    return caught.value


def paste(cell: PostgresDatabase, error: TreetopError) -> None:
    """Run the SQL of a hint as the tables' owner."""
    statements = [part.strip() for part in str(error.hint).split(";")]
    assert statements
    for statement in filter(None, statements):
        cell.execute(statement)


def test_facts_of_a_zone_that_can_be_read(cell):
    cell.execute("INSERT INTO instances (uuid, deleted) SELECT g::text, 0 FROM generate_series(1, 7) g")

    facts = a_log(cell).check()

    ((version,), (system,)) = (
        cell.execute("SHOW server_version")[0],
        cell.execute("SELECT system_identifier::text FROM pg_control_system()")[0],
    )
    assert facts.version == f"PostgreSQL {version}"
    assert facts.identity == f"{system}/1"
    assert facts.servers == 7
    assert abs(facts.clock_offset_seconds) < 1


def test_hints_bring_a_role_without_privileges_to_reading(cell, reader):
    log = PostgresLog(reader)
    error = stopped(log)
    assert "may not replicate" in str(error)
    assert "may not SELECT from instances" in str(error)
    assert "publication treetop does not exist" in str(error)
    assert "REPLICA IDENTITY FULL" in str(error.hint)
    with pytest.raises(StopZone, match="may not SELECT"):
        log.begin()

    paste(cell, error)

    assert log.check().servers == 0
    events = log.stream(log.begin())
    cell.execute("INSERT INTO instances (uuid, deleted) VALUES ('a', 0)")
    assert len(follow(cell, events)) == 1
    events.close()
    log.forget()
    rows = PostgresRows(reader)
    assert len(rows.read_range(after=0, rows=1).rows["instances"]) == 1
    rows.close()


def test_a_zone_that_shared_servers_alone_before_names_at_once_what_is_missing(cell, reader):
    log = PostgresLog(reader)
    paste(cell, stopped(log))
    for table in MIRRORED_CELL_TABLES:
        cell.execute(f"ALTER PUBLICATION treetop DROP TABLE {table}")
        cell.execute(f"REVOKE SELECT ON {table} FROM {reader.url.user}")

    error = stopped(log)
    assert "may not SELECT from services" in str(error)
    assert "publication treetop lacks table services" in str(error)
    paste(cell, error)

    log.begin()
    log.forget()


def test_privilege_taken_away_stops_the_zone_when_chunks_are_read(cell, reader):
    rows = PostgresRows(reader)

    with pytest.raises(StopZone, match="not allowed"):
        rows.read_range(after=0, rows=1)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        ("ALTER TABLE instances REPLICA IDENTITY NOTHING", "no replica identity that holds id"),
        ("ALTER TABLE tags DROP CONSTRAINT tags_pkey", "no replica identity that holds resource_id, tag"),
    ],
)
def test_table_without_replica_identity_is_never_published(cell, spoil, message):
    cell.execute(spoil)
    log = a_log(cell)

    error = stopped(log)
    assert message in str(error)
    with pytest.raises(StopZone, match=message):
        log.begin()
    assert cell.execute("SELECT count(*) FROM pg_publication") == [(0,)]
    paste(cell, error)

    assert log.check()


def test_missing_table_and_column_are_named(cell):
    cell.execute("DROP TABLE tags")
    cell.execute("ALTER TABLE instances DROP COLUMN vm_state, DROP COLUMN hidden")

    error = stopped(a_log(cell))

    assert "table public.tags does not exist" in str(error)
    assert "table instances has no column vm_state" in str(error)
    assert "hidden" not in str(error)  # older releases lack it


def test_a_database_that_is_not_novas_is_told_once(postgres_database):
    error = stopped(PostgresLog(a_zone(postgres_database)))

    assert f"database {postgres_database.name} has none of the tables that are read" in str(error)
    assert str(error.hint).count("name a Nova cell") == 1


def test_server_without_logical_log_is_named_with_the_setting(own_postgres: Callable[..., EmbeddedPostgres]):
    server = own_postgres({"wal_level": "replica", "max_replication_slots": "0"})
    database = create_postgres_database(server, "cell")
    make_cell(database)

    error = stopped(a_log(database))

    assert "wal_level is replica" in str(error)
    assert "ALTER SYSTEM SET wal_level = 'logical';" in str(error.hint)
    assert "max_replication_slots = 0 are all in use" in str(error)


def failure_of(zone: Zone) -> TreetopError:
    with pytest.raises(TreetopError) as caught:
        PostgresLog(zone).check()
    assert SECRET not in f"{caught.value} {caught.value.hint} {caught.value.__cause__!r}"
    return caught.value


def test_wrong_password_needs_a_person(reader, monkeypatch):
    monkeypatch.setenv("ZONE_PASSWORD", f"not {SECRET}")

    error = failure_of(reader)

    assert isinstance(error, StopZone)
    assert "password authentication failed" in str(error)


def test_unknown_database_and_role_need_a_person(cell):
    zone = a_zone(cell)

    database = failure_of(replace(zone, url=replace(zone.url, database="no_such")))
    role = failure_of(replace(zone, url=replace(zone.url, user="no_such")))

    assert isinstance(database, StopZone)
    assert 'database "no_such" does not exist' in str(database)
    assert isinstance(role, StopZone)


def test_role_that_is_not_let_in_needs_a_person(cell, reader):
    cell.execute(f"ALTER ROLE {reader.url.user} NOLOGIN")

    error = failure_of(reader)

    assert isinstance(error, StopZone)
    assert re.search("ALTER ROLE … LOGIN", str(error.hint))


def test_refused_connection_is_tried_again(cell):
    with TcpProxy(cell.port) as proxy:
        port = proxy.port

    error = failure_of(a_zone(cell, port=port))

    assert isinstance(error, Retry)
    assert str(port) in str(error)


def test_full_server_is_tried_again(cell, reader):
    cell.execute(f"ALTER ROLE {reader.url.user} CONNECTION LIMIT 0")

    assert isinstance(failure_of(reader), Retry)


def test_unknown_option_is_refused_by_name(cell):
    error = failure_of(a_zone(cell, sslmod="require"))

    assert isinstance(error, Refuse)
    assert "'sslmod'" in str(error)


def test_tls_that_the_server_lacks_needs_a_person(cell):
    error = failure_of(a_zone(cell, sslmode="require"))

    assert isinstance(error, StopZone)
    assert "SSL" in str(error)


def test_bad_tls_options_need_a_person(cell, tmp_path: Path):
    authority = str(tmp_path / "none.pem")

    assert isinstance(failure_of(a_zone(cell, sslmode="verify-full", sslrootcert=authority)), StopZone)
    assert isinstance(failure_of(a_zone(cell, sslmode="sometimes")), StopZone)
