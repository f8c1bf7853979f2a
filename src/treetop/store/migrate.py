# SPDX-License-Identifier: Apache-2.0
"""Bring the top's schema up to date, or say that it is not.

Numbered files `store/sql/NNNN_what.sql` in, table `schema_version` (one row per applied file) out. Forward
only. Each file is one transaction; an advisory lock lets one program migrate at a time, the others wait and
find nothing left to do. Raises `SchemaMismatch`, `Refuse` (PostgreSQL too old) or `StoreUnavailable`.
"""

import re
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

import psycopg

from treetop.errors import Refuse, SchemaMismatch
from treetop.store.session import open_session, store_errors

OLDEST_POSTGRESQL: Final = 140000
_LOCK: Final = 8774_0001  # any number that no other program locks in this database
_FILE = re.compile(r"([0-9]{4})_[a-z0-9_]+\.sql")

_CREATE = """
    CREATE TABLE IF NOT EXISTS schema_version (
        version integer PRIMARY KEY,
        name text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
    )
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One file: its number, its name and its statements."""

    version: int
    name: str
    statements: str


def migrations() -> tuple[Migration, ...]:
    """The files of this program, in order. Raises `ValueError` if their numbers are not 1, 2, 3, …"""
    found = sorted(
        (
            Migration(version=int(match[1]), name=entry.name, statements=entry.read_text(encoding="utf-8"))
            for entry in files("treetop.store").joinpath("sql").iterdir()
            if (match := _FILE.fullmatch(entry.name))
        ),
        key=lambda migration: migration.version,
    )
    if [migration.version for migration in found] != list(range(1, len(found) + 1)):
        raise ValueError(f"numbers of migrations do not follow each other: {[m.name for m in found]}")
    return tuple(found)


def sync_schema(conninfo: str) -> tuple[str, ...]:
    """Apply what is missing and return the names of the applied files (empty: it was up to date).

    Idempotent, and safe to run from several programs at once. A file that fails leaves the schema as the file
    before it left it.
    """
    wanted = migrations()
    applied: list[str] = []
    with open_session(conninfo, name="db sync") as connection, store_errors():
        connection.autocommit = True
        _check_server(connection)
        connection.execute("SELECT pg_advisory_lock(%(lock)s)", {"lock": _LOCK})
        connection.execute(_CREATE)
        current = schema_version(connection)
        _refuse_newer(current, wanted)
        for migration in wanted[current:]:
            _apply(connection, migration)
            applied.append(migration.name)
    return tuple(applied)


def check_schema(connection: psycopg.Connection) -> None:
    """Return if the schema is the one this program was written for; else raise `SchemaMismatch` with the way
    out.
    """
    with store_errors():
        _check_server(connection)
        current = schema_version(connection)
    wanted = migrations()
    _refuse_newer(current, wanted)
    if current < len(wanted):
        missing = ", ".join(migration.name for migration in wanted[current:])
        raise SchemaMismatch(
            f"the top's schema is at version {current}, not {len(wanted)} (missing: {missing})",
            hint="run: treetop db sync",
        )


def schema_version(connection: psycopg.Connection) -> int:
    """The number of the last applied file; 0 for a database that Treetop has never seen."""
    row = connection.execute("SELECT to_regclass('schema_version') IS NOT NULL").fetchone()
    if row is None or not row[0]:
        return 0
    row = connection.execute("SELECT coalesce(max(version), 0) FROM schema_version").fetchone()
    return int(row[0]) if row else 0


def _apply(connection: psycopg.Connection, migration: Migration) -> None:
    with connection.transaction():
        # The file is part of this program, not input.
        connection.execute(migration.statements.encode())
        connection.execute(
            "INSERT INTO schema_version (version, name) VALUES (%(version)s, %(name)s)",
            {"version": migration.version, "name": migration.name},
        )


def _refuse_newer(current: int, wanted: tuple[Migration, ...]) -> None:
    if current > len(wanted):
        raise SchemaMismatch(
            f"the top's schema is at version {current}, this program knows only {len(wanted)}",
            hint="upgrade treetop on this machine: a newer one has migrated the database",
        )


def _check_server(connection: psycopg.Connection) -> None:
    found = connection.info.server_version
    if found < OLDEST_POSTGRESQL:
        raise Refuse(
            f"the top runs on PostgreSQL {found // 10000}, older than {OLDEST_POSTGRESQL // 10000}",
            hint="upgrade it, or point [store] connection at a newer one",
        )
