# SPDX-License-Identifier: Apache-2.0
"""Look whether a PostgreSQL zone can be read: version, settings, privileges, tables, publication.

In: a session. Out: `SourceFacts`, or `StopZone` with every problem found and what mends each. Writes nothing.
"""

import time
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from treetop.capture.postgres_publication import may_publish, publication_problem, script
from treetop.capture.postgres_slot import find_slot
from treetop.capture.postgres_tables import Problem, TableState, find_tables, table_problems
from treetop.capture.source import SourceFacts
from treetop.errors import StopZone
from treetop.model.zone import Zone
from treetop.nova.tables import INSTANCES
from treetop.nova.watched import watched_tables

_OLDEST_VERSION = 120000

_SETTINGS = """
SELECT current_setting('server_version') AS version,
       current_setting('wal_level') AS wal_level,
       current_setting('server_encoding') AS encoding,
       current_setting('max_replication_slots')::int AS slots,
       current_setting('max_wal_senders')::int AS senders,
       (SELECT count(*) FROM pg_replication_slots) AS used_slots,
       (SELECT count(*) FROM pg_stat_replication) AS used_senders,
       pg_is_in_recovery() AS is_standby,
       current_user::text AS role,
       (SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user) AS may_replicate,
       has_schema_privilege('public', 'USAGE') AS sees_schema
"""
# The first eight digits of a WAL file's name are the timeline.
_IDENTITY = """
SELECT (SELECT system_identifier FROM pg_control_system())::text,
       left(pg_walfile_name(pg_current_wal_lsn()), 8)
"""


def check_zone(conn: psycopg.Connection[Any], zone: Zone, slot: str) -> SourceFacts:
    """Return what was found; raise `StopZone` naming all that has to be mended first."""
    with conn.cursor(row_factory=dict_row) as cursor:
        settings = cursor.execute(_SETTINGS).fetchone()
    assert settings is not None
    problems = _setting_problems(settings, conn.info.server_version)
    if find_slot(conn, slot) is None and settings["used_slots"] >= settings["slots"]:
        problems.append(_too_few("max_replication_slots", settings["slots"]))
    found = find_tables(conn, watched_tables(zone.kind, zone.trust))
    of_tables = table_problems(zone, found, settings["role"])
    problems += of_tables
    if all(problem.is_right for problem in of_tables):
        problems += _publication_problems(conn, zone, found)
    if problems:
        raise StopZone(
            f"zone {zone.name} cannot be read: " + "; ".join(problem.what for problem in problems),
            hint="\n".join(dict.fromkeys(problem.mend for problem in problems)),
        )
    return SourceFacts(
        version=f"PostgreSQL {settings['version']}",
        identity=_identity(conn),
        clock_offset_seconds=_clock_offset(conn),
        servers=_servers(conn, found.get(INSTANCES.name)),
    )


def _setting_problems(settings: dict[str, Any], version: int) -> list[Problem]:
    problems = []
    if version < _OLDEST_VERSION:
        problems.append(
            Problem(f"PostgreSQL {settings['version']} is too old", "-- upgrade to PostgreSQL 12 or newer")
        )
    if settings["is_standby"]:
        problems.append(Problem("the server is a standby", "-- name the primary in the URL of the zone"))
    if settings["wal_level"] != "logical":
        problems.append(
            Problem(
                f"wal_level is {settings['wal_level']}",
                "ALTER SYSTEM SET wal_level = 'logical'; -- as superuser; then restart this PostgreSQL",
            )
        )
    if settings["used_senders"] >= settings["senders"]:
        problems.append(_too_few("max_wal_senders", settings["senders"]))
    if settings["encoding"] == "SQL_ASCII":
        problems.append(
            Problem(
                "the database's encoding is SQL_ASCII, which says nothing of its texts",
                "-- move it to a UTF8 database",
            )
        )
    role = sql.Identifier(settings["role"]).as_string()
    if not settings["may_replicate"]:
        problems.append(
            Problem(f"role {role} may not replicate", f"ALTER ROLE {role} REPLICATION; -- as superuser")
        )
    if not settings["sees_schema"]:
        problems.append(
            Problem(f"role {role} may not use schema public", f"GRANT USAGE ON SCHEMA public TO {role};")
        )
    return problems


def _too_few(setting: str, limit: int) -> Problem:
    return Problem(
        f"{setting} = {limit} are all in use",
        f"ALTER SYSTEM SET {setting} = {limit + 4}; -- as superuser; then restart this PostgreSQL",
    )


def _publication_problems(
    conn: psycopg.Connection[Any], zone: Zone, found: dict[str, TableState]
) -> list[Problem]:
    problem = publication_problem(conn, zone, found)
    if problem is None or may_publish(conn, found):
        return []
    return [
        Problem(
            f"{problem.what}, and our role may not change that",
            problem.mend or script(conn, found, exists=True),
        )
    ]


def _identity(conn: psycopg.Connection[Any]) -> str:
    row = conn.execute(_IDENTITY).fetchone()
    assert row is not None
    return f"{row[0]}/{int(row[1], 16)}"


def _clock_offset(conn: psycopg.Connection[Any]) -> float:
    before, started = datetime.now(UTC), time.monotonic()
    row = conn.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
    assert row is not None
    return float(row[0]) - (before.timestamp() + (time.monotonic() - started) / 2)


def _servers(conn: psycopg.Connection[Any], instances: TableState | None) -> int:
    """The planner's estimate; a table that was never analysed is counted."""
    if instances is None:
        return 0
    if instances.estimated_rows > 0:
        return instances.estimated_rows
    row = conn.execute("SELECT count(*) FROM public.instances").fetchone()
    assert row is not None
    return int(row[0])
