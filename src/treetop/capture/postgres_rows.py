# SPDX-License-Identifier: Apache-2.0
"""`RowSource` of a PostgreSQL zone: some of its rows and the exact set of transactions they reflect.

In: a `Zone`, a range of row keys, uuids or ids. Out: a `Chunk`, from one REPEATABLE READ READ ONLY transaction.
Values come in the form the log gives them: both are printed by the same output functions of the server. Takes no
lock but the one every SELECT takes; it is taken *before* the snapshot, because a table that is rewritten in
between (ALTER TABLE) would look empty to it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, cast

import psycopg
from psycopg import sql
from psycopg.types.string import TextLoader

from treetop.capture.pgoutput import SCHEMA
from treetop.capture.pgoutput_rows import value_expression
from treetop.capture.postgres_session import bounded, connect, failure
from treetop.capture.postgres_snapshot import PostgresSnapshot, parse_snapshot
from treetop.errors import Retry, StopZone
from treetop.model.change import Chunk, Row
from treetop.model.zone import Zone
from treetop.nova.table import Table
from treetop.nova.tables import CELL_TABLES, INSTANCE_SYSTEM_METADATA, INSTANCES
from treetop.nova.trust import sharing
from treetop.nova.watched import cut, segment_after, watched_tables

_LOCK_SECONDS: Final = 5
#: A chunk names its rows by key, and every table has that index. Before its first ANALYZE a large zone's planner
#: would rather read whole tables for each chunk.
_SLOW_PLANS: Final = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin")
_CHUNK_SECONDS: Final = 120.0  # a chunk takes about one
_AS_TEXT = ("timestamp", "inet", "float4", "float8", "numeric")  # psycopg would make objects of them
_UUID = INSTANCES.index("uuid")

# txid_… rather than pg_…: PostgreSQL 12 has no other. The snapshot is taken before the position is read.
_SNAPSHOT = "SELECT txid_current_snapshot()::text, pg_current_wal_insert_lsn()::text"
_COLUMNS = """
SELECT c.relname::text, a.attname::text, a.atttypid::int8
  FROM pg_attribute a
  JOIN pg_class c ON c.oid = a.attrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = %s AND c.relname = ANY(%s) AND a.attnum > 0 AND NOT a.attisdropped
"""
# nova.trust drops the others anyway: they are most of the table
_USED_METADATA = sql.SQL(r" AND (key LIKE 'image\_%%' OR key = 'locked_reason')")

_Types = dict[tuple[str, str], int]


class PostgresRows:
    """Reads chunks over one session, opened at the first; belongs to one thread."""

    def __init__(self, zone: Zone) -> None:
        self._zone = zone
        self._conn: psycopg.Connection[Any] | None = None
        self._types: _Types = {}
        self._selects: dict[str, sql.Composed] = {}
        self._tables = watched_tables(zone.kind, zone.trust)
        self._share = {name: sharing(table, zone.trust) for name, table in self._tables.items()}

    def read_range(self, *, after: int, rows: int) -> Chunk:
        """Read at most `rows` servers or mirrored rows above `after`; see `RowSource.read_range`."""
        segment, row_id = segment_after(after, kind=self._zone.kind, trust=self._zone.trust)
        table = segment.table or INSTANCES
        where = sql.SQL(" WHERE id > %s ORDER BY id LIMIT %s")
        with self._snapshot(CELL_TABLES if segment.table is None else (table.name,)) as (conn, snapshot):
            read = self._select(conn, table, where, (row_id, rows + 1))
            upto = cut(read, rows, segment=segment, kind=self._zone.kind, trust=self._zone.trust)
            found = {table.name: read}
            if segment.table is None:
                found |= self._children(conn, read)
        return Chunk(
            table=None if segment.table is None else table.name,
            after=segment.first_key + row_id,
            upto=upto,
            only=None,
            snapshot=snapshot,
            rows=self._shared(found),
        )

    def read_servers(self, uuids: Sequence[str]) -> Chunk:
        """Read just these servers again; see `RowSource.read_servers`."""
        with self._snapshot(CELL_TABLES) as (conn, snapshot):
            servers = self._select(conn, INSTANCES, sql.SQL(" WHERE uuid = ANY(%s)"), (list(uuids),))
            children = self._children(conn, servers)
        return Chunk(
            after=0,
            upto=None,
            only=frozenset(uuids),
            snapshot=snapshot,
            rows=self._shared({INSTANCES.name: servers} | children),
        )

    def read_rows(self, table: str, ids: Sequence[int]) -> Chunk:
        """Read just these rows of a mirrored table again; see `RowSource.read_rows`."""
        with self._snapshot((table,)) as (conn, snapshot):
            read = self._select(conn, self._tables[table], sql.SQL(" WHERE id = ANY(%s)"), (list(ids),))
        return Chunk(
            table=table,
            after=0,
            upto=None,
            only=frozenset(ids),
            snapshot=snapshot,
            rows=self._shared({table: read}),
        )

    def close(self) -> None:
        """Close the session; idempotent."""
        if self._conn is not None:
            self._conn.close()
            self._conn = None

    @contextmanager
    def _snapshot(self, tables: Iterable[str]) -> Iterator[tuple[psycopg.Connection[Any], PostgresSnapshot]]:
        """Open a snapshot of some tables, give it with its session, end it; an error ends the session too."""
        try:
            if self._conn is None:
                self._conn = self._connect()
            conn = self._conn
            with bounded(conn, _CHUNK_SECONDS):
                with conn.pipeline():
                    conn.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                    conn.execute(_lock(tables))
                    taken = conn.execute(_SNAPSHOT)
                    columns = conn.execute(_COLUMNS, (SCHEMA, list(self._tables)))
                    row, types = taken.fetchone(), columns.fetchall()
                assert row is not None
                self._learn({(table, column): type_id for table, column, type_id in types})
                yield conn, parse_snapshot(*row)
                conn.execute("COMMIT")
        except psycopg.errors.UndefinedColumn as error:
            self.close()
            raise Retry(f"zone {self._zone.name}: a table changed while a chunk was read: {error}") from error
        except psycopg.Error as error:
            self.close()
            raise failure(self._zone, "reading a chunk", error) from error
        except BaseException:
            self.close()
            raise

    def _connect(self) -> psycopg.Connection[Any]:
        conn = connect(self._zone, purpose=f"treetop {self._zone.name} chunks")
        conn.prepare_threshold = None  # a plan for one uuid is a bad plan for thousands
        for name in _AS_TEXT:
            conn.adapters.register_loader(name, TextLoader)
        conn.execute("SELECT set_config('lock_timeout', %s, false)", (f"{_LOCK_SECONDS}s",))
        for plan in _SLOW_PLANS:
            conn.execute("SELECT set_config(%s, 'off', false)", (plan,))
        return conn

    def _learn(self, types: _Types) -> None:
        """Make the SELECT of every table anew if the columns changed."""
        if types == self._types:
            return
        self._selects = {name: _select_from(table, types) for name, table in self._tables.items()}
        self._types = types

    def _children(self, conn: psycopg.Connection[Any], servers: Sequence[Row]) -> dict[str, list[Row]]:
        """Read the rows of every other table that belong to these servers, in one round trip."""
        uuids = [server[_UUID] for server in servers]
        cursors = {}
        with conn.pipeline():
            for name, table in CELL_TABLES.items():
                if table is not INSTANCES and table.owner is not None:
                    where = sql.SQL(" WHERE {} = ANY(%s)").format(sql.Identifier(table.owner))
                    if table is INSTANCE_SYSTEM_METADATA:
                        where += _USED_METADATA
                    cursors[name] = conn.execute(self._selects[name] + where, (uuids,))
        return {name: cast(list[Row], cursor.fetchall()) for name, cursor in cursors.items()}

    def _select(
        self, conn: psycopg.Connection[Any], table: Table, where: sql.SQL, values: tuple[object, ...]
    ) -> list[Row]:
        return cast(list[Row], conn.execute(self._selects[table.name] + where, values).fetchall())

    def _shared(self, rows: Mapping[str, list[Row]]) -> dict[str, Sequence[Row]]:
        shared: dict[str, Sequence[Row]] = {}
        for name, read in rows.items():
            share = self._share[name]
            shared[name] = read if share is None else [row for row in map(share, read) if row is not None]
        return shared


def _lock(tables: Iterable[str]) -> sql.Composed:
    names = sql.SQL(", ").join(sql.Identifier(SCHEMA, name) for name in tables)
    return sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(names)


def _select_from(table: Table, types: _Types) -> sql.Composed:
    """The SELECT of a table's columns; a column this zone lacks is NULL. Raises `StopZone` if it must not."""
    columns: list[sql.Composable] = []
    for column in table.columns:
        type_id = types.get((table.name, column.name))
        if type_id is None and column.required:
            raise StopZone(
                f"table {table.name} has no column {column.name} (any more)",
                hint="see docs/howto/connect-a-zone.md, or upgrade Treetop for that release of Nova",
            )
        if type_id is None:
            columns.append(sql.SQL("NULL"))
            continue
        expression = value_expression(table, column, type_id)
        name = sql.Identifier(column.name)
        columns.append(sql.SQL("{} <> 0").format(name) if expression.endswith("!= 0") else name)
    return sql.SQL("SELECT {} FROM {}").format(
        sql.SQL(", ").join(columns), sql.Identifier(SCHEMA, table.name)
    )
