# SPDX-License-Identifier: Apache-2.0
"""What a PostgreSQL zone says of the watched tables: columns, privileges, identity; and what is wrong.

In: a session. Out: a `TableState` per table found, and problems, each with the SQL that mends it. Reads the
catalogue only. Facts: PostgreSQL docs, pg_class, pg_attribute, pg_index; "REPLICA IDENTITY" of ALTER TABLE.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from treetop.capture.pgoutput import SCHEMA
from treetop.model.zone import Zone, ZoneKind
from treetop.nova.table import Table
from treetop.nova.watched import DATABASE_NAMES, watched_tables

_FIND = """
SELECT c.relname::text AS name,
       c.relreplident::text AS identity,
       c.reltuples::bigint AS estimated_rows,
       pg_has_role(c.relowner, 'USAGE') AS is_owner,
       ARRAY(SELECT a.attname::text
               FROM pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
       has_table_privilege(c.oid, 'SELECT') AS is_readable,
       ARRAY(SELECT a.attname::text
               FROM pg_index i
               JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY(i.indkey)
              WHERE i.indrelid = c.oid
                AND CASE c.relreplident WHEN 'd' THEN i.indisprimary ELSE i.indisreplident END) AS key
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = %(schema)s AND c.relname = ANY(%(names)s) AND c.relkind IN ('r', 'p')
"""


_WHERE = {
    ZoneKind.CELL: "nova-manage cell_v2 list_cells shows them",
    ZoneKind.API: "nova.conf has it in [api_database] connection",
}


class Problem(NamedTuple):
    """Something that keeps a zone from being read. mend: the SQL or setting that helps.

    is_right: our role may not do something; the tables themselves are as they should be.
    """

    what: str
    mend: str
    is_right: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TableState:
    """One watched table as it is in the zone.

    identity: `pg_class.relreplident`: d(efault), f(ull), i(ndex), n(othing). key: its columns for d and i.
    is_readable: our role may SELECT (and so take the weakest lock). estimated_rows: negative if not analysed.
    """

    table: Table
    identity: str
    columns: frozenset[str]
    key: frozenset[str]
    is_owner: bool
    is_readable: bool
    estimated_rows: int

    @property
    def wanted(self) -> tuple[str, ...]:
        """The columns that are read and that this zone has, in the order of `Table.columns`."""
        return tuple(name for name in self.table.column_names if name in self.columns)


def find_tables(conn: psycopg.Connection[Any], tables: Mapping[str, Table]) -> dict[str, TableState]:
    """Read the state of those of `tables` that exist, by name, in the order of `tables`."""
    with conn.cursor(row_factory=dict_row) as cursor:
        cursor.execute(_FIND, {"schema": SCHEMA, "names": list(tables)})
        found = {
            row["name"]: TableState(
                table=tables[row["name"]],
                identity=row["identity"],
                columns=frozenset(row["columns"]),
                key=frozenset(row["key"]),
                is_owner=row["is_owner"],
                is_readable=row["is_readable"],
                estimated_rows=row["estimated_rows"],
            )
            for row in cursor
        }
    return {name: found[name] for name in tables if name in found}


def table_problems(zone: Zone, found: Mapping[str, TableState], role: str) -> list[Problem]:
    """Say what is wrong with the zone's watched tables."""
    name_it = f"name a {DATABASE_NAMES[zone.kind]} in the zone's URL ({_WHERE[zone.kind]})"
    watched = watched_tables(zone.kind, zone.trust)
    if not found:
        few = ", ".join(list(watched)[:3])
        what = f"database {zone.url.database} has none of the tables that are read ({few}, …)"
        return [Problem(what, name_it)]
    problems = []
    for name, table in watched.items():
        state = found.get(name)
        if state is None:
            problems.append(
                Problem(
                    f"table {SCHEMA}.{name} does not exist",
                    name_it,
                )
            )
        else:
            problems += _problems_of(table, state, role)
    return problems


def _problems_of(table: Table, state: TableState, role: str) -> list[Problem]:
    name = sql.Identifier(SCHEMA, table.name)
    missing = [c.name for c in table.columns if c.required and c.name not in state.columns]
    if missing:
        return [
            Problem(
                f"table {table.name} has no column {', '.join(missing)}",
                f"nova-manage db sync (the table is not of a release that Treetop knows); \\d {table.name}",
            )
        ]
    problems = []
    if not state.is_readable:
        grant = sql.SQL("GRANT SELECT ON {} TO {};").format(name, sql.Identifier(role))
        what = f"role {role} may not SELECT from {table.name}"
        problems.append(Problem(what, grant.as_string(), is_right=True))
    if state.identity == "f":
        return problems
    if not state.key.issuperset(table.key):
        # Nova's own UPDATE and DELETE would fail as soon as the table is published, so never publish it so.
        mend = sql.SQL("ALTER TABLE {} REPLICA IDENTITY DEFAULT;").format(name)
        if state.identity == "d":
            mend = sql.SQL("ALTER TABLE {} ADD PRIMARY KEY ({});").format(
                name, sql.SQL(", ").join(map(sql.Identifier, table.key))
            )
        problems.append(
            Problem(
                f"table {table.name} has no replica identity that holds {', '.join(table.key)}: its updates"
                " and deletes cannot be logged",
                mend.as_string(),
            )
        )
    return problems
