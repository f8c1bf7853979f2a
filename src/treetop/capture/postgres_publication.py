# SPDX-License-Identifier: Apache-2.0
"""The publication of a PostgreSQL zone: which tables and columns its log carries to us.

In: a session and the state of the watched tables. Out: the SQL that makes the publication, what is wrong with
the one that is there, and its making. Facts: PostgreSQL docs, CREATE PUBLICATION.

Traps: a publication exists for the decoder only from the log position on where it was made, so it comes
before the slot. A column list must hold the replica identity, or *Nova's* updates fail; so a table gets one
only under an identity of few columns. Columns in a list cannot be dropped from their table without CASCADE.
"""

from collections.abc import Mapping
from typing import Any, Final

import psycopg
from psycopg import errors, sql

from treetop.capture.pgoutput import SCHEMA
from treetop.capture.postgres_tables import Problem, TableState
from treetop.errors import StopZone
from treetop.model.zone import Zone
from treetop.nova.tables import INSTANCE_SYSTEM_METADATA
from treetop.nova.watched import DATABASE_NAMES, watched_tables

PUBLICATION: Final = "treetop"
_COLUMN_LISTS_SINCE = 150000

_FIND = """
SELECT pg_has_role(p.pubowner, 'USAGE') AS is_owner,
       p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate AS is_whole
  FROM pg_publication p
 WHERE p.pubname = %s
"""
# attnames and rowfilter are there since PostgreSQL 15; through JSON the question fits every version
_FIND_TABLES = """
SELECT to_jsonb(t) AS published
  FROM pg_publication_tables t
 WHERE t.pubname = %s AND t.schemaname = %s
"""


def make_sql(found: Mapping[str, TableState], version: int, *, verb: str = "CREATE") -> sql.Composed:
    """Return the statement that makes (CREATE) or corrects (ALTER) the publication of these tables."""
    tables = sql.SQL(", ").join(_entry(state, version) for state in found.values())
    between = sql.SQL(" FOR TABLE " if verb == "CREATE" else " SET TABLE ")
    return sql.SQL(f"{verb} PUBLICATION ") + sql.Identifier(PUBLICATION) + between + tables


def script(conn: psycopg.Connection[Any], found: Mapping[str, TableState], *, exists: bool) -> str:
    """Return the SQL for the owner of the zone's tables to paste.

    Nova deletes single system metadata rows of living servers (unlock, unshelve, confirm resize). With the
    default identity such a delete carries only the row's id; with FULL it carries server and key.
    """
    lines = []
    metadata = found.get(INSTANCE_SYSTEM_METADATA.name)
    if metadata is not None and metadata.identity != "f":
        name = sql.Identifier(SCHEMA, INSTANCE_SYSTEM_METADATA.name)
        lines.append(sql.SQL("ALTER TABLE {} REPLICA IDENTITY FULL").format(name).as_string(conn))
    verb = "ALTER" if exists else "CREATE"
    lines.append(make_sql(found, conn.info.server_version, verb=verb).as_string(conn))
    return "".join(f"{line};\n" for line in lines).rstrip()


def publication_problem(
    conn: psycopg.Connection[Any], zone: Zone, found: Mapping[str, TableState]
) -> Problem | None:
    """Say what keeps the publication from carrying all that is watched; None: it is as wanted."""
    row = conn.execute(_FIND, (PUBLICATION,)).fetchone()
    if row is None:
        return Problem(f"publication {PUBLICATION} does not exist", script(conn, found, exists=False))
    if not row[1]:
        mend = f"ALTER PUBLICATION {PUBLICATION} SET (publish = 'insert, update, delete, truncate');"
        return Problem(f"publication {PUBLICATION} leaves out some kind of change", mend)
    published = {entry["tablename"]: entry for (entry,) in conn.execute(_FIND_TABLES, (PUBLICATION, SCHEMA))}
    for name in watched_tables(zone.kind, zone.trust):
        state, entry = found.get(name), published.get(name)
        if state is None:
            kind = DATABASE_NAMES[zone.kind]
            return Problem(
                f"table {name} does not exist", f"look at the database in the zone's URL: is it a {kind}?"
            )
        columns = set(state.columns if entry is None else entry.get("attnames") or state.columns)
        if entry is None:
            what = f"lacks table {name}"
        elif entry.get("rowfilter"):
            what = f"filters the rows of {name}"
        elif not columns.issuperset(state.wanted):
            what = f"lacks column {', '.join(sorted(set(state.wanted) - columns))} of {name}"
        elif state.identity == "f" and columns != state.columns:
            what = f"lists columns of {name}, which has REPLICA IDENTITY FULL: Nova's own updates fail"
        else:
            continue
        return Problem(f"publication {PUBLICATION} {what}", script(conn, found, exists=True))
    return None


def may_publish(conn: psycopg.Connection[Any], found: Mapping[str, TableState]) -> bool:
    """Say whether our role could make or correct the publication."""
    row = conn.execute(_FIND, (PUBLICATION,)).fetchone()
    owns_publication = row is None or bool(row[0])
    (may_create,) = conn.execute(
        "SELECT has_database_privilege(current_database(), 'CREATE')"
    ).fetchone() or (False,)
    return owns_publication and bool(may_create) and all(state.is_owner for state in found.values())


def ensure_publication(conn: psycopg.Connection[Any], zone: Zone, found: Mapping[str, TableState]) -> None:
    """Make or correct the publication where our role may; raise `StopZone` with the SQL where it may not."""
    problem = publication_problem(conn, zone, found)
    if problem is None:
        return
    exists = conn.execute(_FIND, (PUBLICATION,)).fetchone() is not None
    try:
        with conn.transaction():
            conn.execute(make_sql(found, conn.info.server_version, verb="ALTER" if exists else "CREATE"))
            if exists:
                name = sql.Identifier(PUBLICATION)
                publish = sql.SQL("ALTER PUBLICATION {} SET (publish = 'insert, update, delete, truncate')")
                conn.execute(publish.format(name))
    except errors.InsufficientPrivilege as error:
        raise StopZone(f"zone {zone.name}: {problem.what}", hint=problem.mend) from error
    except (errors.ObjectInUse, errors.InvalidParameterValue, errors.ObjectNotInPrerequisiteState) as error:
        # e.g. a publication FOR ALL TABLES cannot be given tables
        raise StopZone(
            f"zone {zone.name}: {problem.what}, and it cannot be changed: {error}", hint=problem.mend
        ) from error


def _entry(state: TableState, version: int) -> sql.Composable:
    name = sql.Identifier(SCHEMA, state.table.name)
    may_list = (
        version >= _COLUMN_LISTS_SINCE
        and state.identity in "di"
        and state.key.issubset(state.wanted)
        and state.table is not INSTANCE_SYSTEM_METADATA  # FULL is recommended there, and may come later
    )
    if not may_list:
        return name
    columns = sql.SQL(", ").join(map(sql.Identifier, state.wanted))
    return sql.SQL("{} ({})").format(name, columns)
