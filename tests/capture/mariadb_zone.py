# SPDX-License-Identifier: Apache-2.0
"""A Nova cell or API database on a test's MariaDB, and reading its log up to a marker."""

import contextlib
import itertools
import re
import time
from collections.abc import Iterator
from importlib.resources import files

from tests.servers import MariaDBDatabase
from treetop.capture.mysql import MysqlLog
from treetop.capture.mysql_rows import MysqlRows
from treetop.model.change import LogEvent, Position, Row, RowChange, Transaction
from treetop.model.zone import PasswordReference, SourceUrl, Trust, Zone, ZoneId, ZoneKind, ZoneName
from treetop.nova.mirrored_tables import MIRRORED_TABLES
from treetop.nova.tables import CELL_TABLES
from treetop.nova.watched import segments, watched_tables

END_OF_SERVERS = segments(ZoneKind.CELL, Trust.FULL)[0].last_key
_markers = itertools.count(1)


def make_cell(database: MariaDBDatabase) -> MariaDBDatabase:
    """Create the tables that Treetop reads, of Nova's layout, and one that it does not; return the database."""
    _make_tables(database, "mariadb.sql", {*watched_tables(ZoneKind.CELL, Trust.FULL), "virtual_interfaces"})
    return database


def make_api_database(database: MariaDBDatabase) -> MariaDBDatabase:
    """Create the tables of Nova's API database that Treetop reads; return the database."""
    _make_tables(database, "nova_api.mariadb.sql", {*watched_tables(ZoneKind.API, Trust.FULL)})
    return database


def _make_tables(database: MariaDBDatabase, script: str, wanted: set[str]) -> None:
    statements = (files("treetop.demo") / "schema" / script).read_text().split(";\n")
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SET foreign_key_checks = 0")
        for statement in statements:
            created = re.search(r"CREATE TABLE `?(\w+)", statement)
            if created and created.group(1) in wanted:
                cursor.execute(statement)
                wanted.remove(created.group(1))
    assert not wanted


def a_zone(
    database: MariaDBDatabase,
    *,
    trust: Trust = Trust.FULL,
    kind: ZoneKind = ZoneKind.CELL,
    url: SourceUrl | None = None,
    password: PasswordReference | None = None,
) -> Zone:
    return Zone(
        id=ZoneId(1),
        name=ZoneName(database.name),
        region="test",
        trust=trust,
        url=url or database.source_url(),
        password=password or database.password,
        kind=kind,
    )


def a_log(
    database: MariaDBDatabase,
    *,
    port: int | None = None,
    trust: Trust = Trust.FULL,
    kind: ZoneKind = ZoneKind.CELL,
) -> MysqlLog:
    return MysqlLog(a_zone(database, url=database.source_url(port=port), trust=trust, kind=kind))


def some_rows(
    database: MariaDBDatabase, *, trust: Trust = Trust.FULL, kind: ZoneKind = ZoneKind.CELL
) -> MysqlRows:
    return MysqlRows(a_zone(database, trust=trust, kind=kind))


def started(
    database: MariaDBDatabase,
    *,
    port: int | None = None,
    trust: Trust = Trust.FULL,
    kind: ZoneKind = ZoneKind.CELL,
) -> tuple[Position, Iterator[LogEvent]]:
    """Where the log ends now, and the stream from there (connected when it is first read)."""
    log = a_log(database, port=port, trust=trust, kind=kind)
    position = log.begin()
    return position, log.stream(position)


def mark(database: MariaDBDatabase) -> str:
    """Commit a marker; return it for `read_to`."""
    marker = f"marker {next(_markers)}"
    database.execute("INSERT INTO tags (resource_id, tag) VALUES ('marker', %s)", (marker,))
    return marker


def follow(database: MariaDBDatabase, events: Iterator[LogEvent], seconds: float = 20) -> list[Transaction]:
    """Commit a marker and return the transactions before it, without heartbeats."""
    return read_to(mark(database), events, seconds)


def read_to(marker: str, events: Iterator[LogEvent], seconds: float = 20) -> list[Transaction]:
    """Return the transactions before the one that inserts this tag."""
    deadline = time.monotonic() + seconds
    transactions: list[Transaction] = []
    for event in events:
        if isinstance(event, Transaction):
            if any(change.table == "tags" and change.row[1:] == (marker,) for change in event.changes):
                return transactions
            transactions.append(event)
        assert time.monotonic() < deadline, f"{marker} did not come within {seconds} s"
    raise AssertionError("the stream ended")


def changes_of(transactions: list[Transaction]) -> list[RowChange]:
    return [change for transaction in transactions for change in transaction.changes]


def one_change(transactions: list[Transaction]) -> RowChange:
    changes = changes_of(transactions)
    assert len(changes) == 1
    return changes[0]


def value(table: str, row: Row, column: str) -> object:
    return row[(CELL_TABLES.get(table) or MIRRORED_TABLES[table]).index(column)]


def add_server(database: MariaDBDatabase, uuid: str, **columns: object) -> None:
    names = ", ".join(["uuid", "deleted", *columns])
    places = ", ".join(["%s"] * (len(columns) + 2))
    database.execute(f"INSERT INTO instances ({names}) VALUES ({places})", (uuid, 0, *columns.values()))


@contextlib.contextmanager
def setting(database: MariaDBDatabase, **variables: str) -> Iterator[None]:
    """Set global variables of the server, and set them back."""
    before = {name: database.execute(f"SELECT @@GLOBAL.{name}")[0][0] for name in variables}
    for name, wanted in variables.items():
        database.execute(f"SET GLOBAL {name} = %s", (int(wanted) if wanted.isdigit() else wanted,))
    try:
        yield
    finally:
        for name, old in before.items():
            database.execute(f"SET GLOBAL {name} = %s", (old,))
