# SPDX-License-Identifier: Apache-2.0
"""A Nova cell or API database on a test's PostgreSQL, and reading its log up to a marker."""

import itertools
import time
from collections.abc import Iterator
from importlib.resources import files

from tests.servers import PostgresDatabase
from treetop.capture.postgres import PostgresLog
from treetop.model.change import LogEvent, Position, Row, RowChange, Transaction
from treetop.model.zone import Trust, Zone, ZoneId, ZoneKind, ZoneName
from treetop.nova.mirrored_tables import MIRRORED_TABLES
from treetop.nova.tables import CELL_TABLES
from treetop.nova.watched import segments

END_OF_SERVERS = segments(ZoneKind.CELL, Trust.FULL)[0].last_key
_markers = itertools.count(1)


def make_cell(database: PostgresDatabase) -> None:
    """Create Nova's tables."""
    database.execute((files("treetop.demo") / "schema" / "postgresql.sql").read_text())


def make_api_database(database: PostgresDatabase) -> None:
    """Create the tables of Nova's API database that Treetop reads."""
    database.execute((files("treetop.demo") / "schema" / "nova_api.postgresql.sql").read_text())


def a_zone(
    database: PostgresDatabase,
    *,
    trust: Trust = Trust.FULL,
    kind: ZoneKind = ZoneKind.CELL,
    port: int | None = None,
    **options: str,
) -> Zone:
    """A zone named like its database: slot names are one per server."""
    return Zone(
        id=ZoneId(1),
        name=ZoneName(database.name),
        region="test",
        trust=trust,
        url=database.source_url(port=port, **options),
        password=database.password,
        kind=kind,
    )


def a_log(database: PostgresDatabase, *, kind: ZoneKind = ZoneKind.CELL, **options: str) -> PostgresLog:
    return PostgresLog(a_zone(database, kind=kind, **options))


def follow(database: PostgresDatabase, events: Iterator[LogEvent], seconds: float = 20) -> list[Transaction]:
    """Commit a marker and return the transactions before it, without heartbeats."""
    marker = f"marker {next(_markers)}"
    database.execute("INSERT INTO tags (resource_id, tag) VALUES ('marker', %s)", (marker,))
    return read_to(marker, events, seconds)


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


def started(
    database: PostgresDatabase, *, kind: ZoneKind = ZoneKind.CELL, **options: str
) -> tuple[PostgresLog, Position, Iterator[LogEvent]]:
    """A log that was begun, where it begins, and its stream."""
    log = a_log(database, kind=kind, **options)
    position = log.begin()
    return log, position, log.stream(position)


def add_server(database: PostgresDatabase, uuid: str, **columns: object) -> None:
    names = ", ".join(["uuid", "deleted", *columns])
    places = ", ".join(["%s"] * (len(columns) + 2))
    database.execute(f"INSERT INTO instances ({names}) VALUES ({places})", (uuid, 0, *columns.values()))
