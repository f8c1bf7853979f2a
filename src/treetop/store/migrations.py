# SPDX-License-Identifier: Apache-2.0
"""Servers that move or are resized: Nova's migrations, of one server or of all zones.

Where servers went is empty for zones that keep their hosts to themselves. Raises `NotFound` for a marker that is no
migration.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from treetop.errors import NotFound
from treetop.store.clause import Clause, Conditions

LIVE_MIGRATION: Final = "live-migration"
#: What a migration is doing while it is not over.
IN_PROGRESS: Final = ("queued", "preparing", "running", "post-migrating")

_COLUMNS: Final = sql.SQL("""
    zone_id, id, uuid, created_at, updated_at, instance_uuid AS server_id, status,
    coalesce(migration_type, CASE WHEN old_instance_type_id IS DISTINCT FROM new_instance_type_id
                                  THEN 'resize' ELSE 'migration' END) AS migration_type,
    source_compute, source_node, dest_compute, dest_node, dest_host, old_instance_type_id, new_instance_type_id,
    memory_total, memory_processed, memory_remaining, disk_total, disk_processed, disk_remaining, user_id, project_id
""")
# All of them, cell by cell: what lists were before they had pages.
_WHOLE: Final = sql.SQL("""
SELECT {columns}
FROM nova_migrations
LEFT JOIN cell_place USING (zone_id)
WHERE {conditions}
ORDER BY place, id
""")
# One page by index nova_migrations_newest, or nova_migrations_project, or nova_migrations_instance. While a server is
# between two zones both may have its migration: the one that was changed last is shown.
_PAGE: Final = sql.SQL("""
SELECT {columns}
FROM nova_migrations AS migration
WHERE {conditions}
  AND NOT EXISTS (
      SELECT FROM nova_migrations AS other
      WHERE other.uuid = migration.uuid
        AND other.zone_id <> migration.zone_id
        AND other.deleted = 0
        AND other.hidden IS NOT TRUE
        AND (coalesce(other.updated_at, other.created_at), other.zone_id)
            > (coalesce(migration.updated_at, migration.created_at), migration.zone_id))
ORDER BY created_at DESC NULLS LAST, id DESC, uuid, zone_id
LIMIT {limit}
""")
_OF_SERVER: Final = sql.SQL("""
SELECT {columns}
FROM nova_migrations
WHERE zone_id = %s
  AND instance_uuid = %s
  AND deleted = 0
ORDER BY id
""").format(columns=_COLUMNS)
_MARKER: Final = """
    SELECT created_at, id, uuid, zone_id
    FROM nova_migrations
    WHERE uuid = %s
      AND deleted = 0
    ORDER BY zone_id
    LIMIT 1
"""
_AFTER: Final[LiteralString] = """
(created_at <= {0} AND (created_at < {0} OR id < {1} OR (id = {1} AND (uuid, zone_id) > ({2}, {3}))))
"""
_SHOWN: Final = Clause(template="deleted = 0 AND hidden IS NOT TRUE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One of them. Times as `store.pool` gives them; sizes in bytes."""

    zone_id: int
    id: int
    uuid: str | None
    created_at: str | None
    updated_at: str | None
    server_id: str | None
    status: str | None
    migration_type: str
    source_compute: str | None
    source_node: str | None
    dest_compute: str | None
    dest_node: str | None
    dest_host: str | None
    old_instance_type_id: int | None
    new_instance_type_id: int | None
    memory_total: int | None
    memory_processed: int | None
    memory_remaining: int | None
    disk_total: int | None
    disk_processed: int | None
    disk_remaining: int | None
    user_id: str | None
    project_id: str | None

    @property
    def is_live_in_progress(self) -> bool:
        """A running server is being moved."""
        return self.migration_type == LIVE_MIGRATION and self.status in IN_PROGRESS


def column_is(column: str, value: str) -> Clause:
    """A column has this value, as Nova writes it."""
    return Clause(template="{column} = {0}", column=column, values=(value,))


def on_host(host: str) -> Clause:
    """From or to a host."""
    return Clause(template="(source_compute = {0} OR dest_compute = {0})", values=(host,))


def updated_between(since: datetime | None, before: datetime | None) -> tuple[Clause, ...]:
    """Updated at or after `since` and at or before `before` (aware; None: at any time)."""
    clauses = []
    if since is not None:
        clauses.append(Clause(template="updated_at >= {0}::timestamptz", values=(since,)))
    if before is not None:
        clauses.append(Clause(template="updated_at <= {0}::timestamptz", values=(before,)))
    return tuple(clauses)


def list_migrations(
    connection: psycopg.Connection, clauses: Sequence[Clause], *, limit: int, marker: str | None
) -> Sequence[Migration]:
    """A page, the newest first. marker: uuid of the last one of the page before."""
    conditions = Conditions()
    conditions.add((_SHOWN, *clauses))
    if marker is not None:
        last = connection.execute(_MARKER, (marker,)).fetchone()
        if last is None:
            raise NotFound(f"Marker {marker} could not be found.")
        conditions.add((Clause(template=_AFTER, values=last),))
    return _read(
        connection,
        conditions,
        _PAGE.format(columns=_COLUMNS, conditions=conditions.joined(), limit=sql.Literal(limit)),
    )


def all_migrations(connection: psycopg.Connection, clauses: Sequence[Clause]) -> Sequence[Migration]:
    """All of them, cell by cell, the oldest first."""
    conditions = Conditions()
    conditions.add((_SHOWN, *clauses))
    return _read(connection, conditions, _WHOLE.format(columns=_COLUMNS, conditions=conditions.joined()))


def migrations_of(connection: psycopg.Connection, *, zone_id: int, server_id: str) -> Sequence[Migration]:
    """Those of a server of a zone, the oldest first."""
    with connection.cursor(row_factory=class_row(Migration)) as cursor:
        return cursor.execute(_OF_SERVER, (zone_id, server_id)).fetchall()


def _read(
    connection: psycopg.Connection, conditions: Conditions, statement: sql.Composed
) -> Sequence[Migration]:
    with connection.cursor(row_factory=class_row(Migration)) as cursor:
        return cursor.execute(statement, conditions.parameters).fetchall()
