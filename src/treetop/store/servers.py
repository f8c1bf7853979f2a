# SPDX-License-Identifier: Apache-2.0
"""Servers out of the aggregate table: one page of a list, or one by its uuid.

A page is one keyset query; its cost does not depend on how deep the page is. Only the asked columns are read.
Rows are tuples in the order of the asked columns; see `store.pool` for the forms of the values. Raises
`NotFound` for a marker that is no server, `Refuse` for a pattern that PostgreSQL cannot read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import psycopg
from psycopg import sql

from treetop.errors import NotFound
from treetop.store.clause import Clause, Conditions, readable_patterns
from treetop.store.server_filters import LIVE, VISIBLE, is_uuid, of_project
from treetop.store.server_order import NEWEST_FIRST, SortKey, complete, segments

# Order and beginning fit index server_created (all projects) or server_project: a page of each partition's
# index, merged.
_SELECT: Final = sql.SQL("""
SELECT server.uuid, server.zone_id, {columns}
FROM server
WHERE {conditions}
  AND {beginning}
ORDER BY {order}
LIMIT {limit}
""")

ServerRow = tuple[Any, ...]  # Any: what PostgreSQL holds in the asked columns


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerQuery:
    """A page that is asked for.

    columns: of `server`, in the order wanted. order: without the closing uuid, which is added.
    marker: the uuid of the last server of the page before, any project's, deleted or not; None: the first
    page.
    """

    columns: tuple[str, ...]
    clauses: tuple[Clause, ...]
    order: tuple[SortKey, ...] = NEWEST_FIRST
    limit: int
    marker: str | None = None


def narrowed(query: ServerQuery, clauses: tuple[Clause, ...], *, rows: int | None = None) -> ServerQuery:
    """The query with further conditions, for at most `rows` (None: as many as before)."""
    return replace(query, clauses=(*query.clauses, *clauses), limit=query.limit if rows is None else rows)


def list_servers(connection: psycopg.Connection, query: ServerQuery) -> list[ServerRow]:
    """At most `query.limit` rows, in order, each uuid once (of two zones that both show it, the first in
    order).

    Fewer rows than `limit` mean that nothing follows.
    """
    order = complete(query.order)
    marker = None if query.marker is None else _marker_values(connection, query.marker, order, zone_id=None)
    rows: dict[str, ServerRow] = {}
    while len(rows) < query.limit:
        wanted = query.limit - len(rows)
        found = _read_page(connection, query, order, marker, wanted)
        for row in found:
            rows.setdefault(row[0], row[2:])
        if len(found) < wanted or len(rows) == query.limit:
            break
        marker = _marker_values(connection, found[-1][0], order, zone_id=found[-1][1])
    return list(rows.values())


def read_server(
    connection: psycopg.Connection,
    uuid: str,
    columns: Sequence[str],
    *,
    project_id: str | None,
    with_deleted: bool = False,
) -> ServerRow | None:
    """The server with this uuid, of `project_id` (None: of any); None if there is none. with_deleted: a deleted one
    if no zone has a live one. A hidden one, as in Nova, if no zone has one that is not.
    """
    if not is_uuid(uuid):
        return None
    conditions = Conditions()
    conditions.add((Clause(template="uuid = {0}::uuid", values=(uuid,)),))
    if not with_deleted:
        conditions.add((LIVE,))
    if project_id is not None:
        conditions.add((of_project(project_id),))
    statement = sql.SQL(
        "SELECT {} FROM server WHERE {} ORDER BY deleted, hidden IS TRUE, zone_id LIMIT 1"
    ).format(_columns(columns), conditions.joined())
    return connection.execute(statement, conditions.parameters).fetchone()


def _marker_values(
    connection: psycopg.Connection, uuid: str, order: Sequence[SortKey], *, zone_id: int | None
) -> tuple[object, ...]:
    """What the order compares, of this server (zone_id None: wherever it is); raises `NotFound`."""
    row = None
    if is_uuid(uuid):
        statement = sql.SQL(
            "SELECT {} FROM server "
            "WHERE uuid = %(uuid)s::uuid AND (%(zone)s::smallint IS NULL OR zone_id = %(zone)s::smallint) "
            "ORDER BY hidden IS TRUE, deleted, zone_id LIMIT 1"
        ).format(sql.SQL(", ").join(key.expression for key in order))
        row = connection.execute(statement, {"uuid": uuid, "zone": zone_id}).fetchone()
    if row is None:
        raise NotFound(f"marker [{uuid}] not found")
    return row


def _read_page(
    connection: psycopg.Connection,
    query: ServerQuery,
    order: Sequence[SortKey],
    marker: tuple[object, ...] | None,
    limit: int,
) -> list[ServerRow]:
    """Rows, each with its uuid and zone in front. A second statement runs only if the first one gives too
    few.
    """
    found: list[ServerRow] = []
    beginnings = (sql.SQL("true"),) if marker is None else segments(order, marker)
    conditions = Conditions()
    conditions.add((VISIBLE, *query.clauses))
    conditions.parameters.update({f"m{place}": value for place, value in enumerate(marker or ())})
    for beginning in beginnings:
        if len(found) == limit:
            break
        statement = _SELECT.format(
            columns=_columns(query.columns),
            conditions=conditions.joined(),
            beginning=beginning,
            order=sql.SQL(", ").join(key.order for key in order),
            # Written out: with a parameter PostgreSQL would plan for a tenth of the table.
            limit=sql.Literal(limit - len(found)),
        )
        found.extend(_fetch(connection, statement, conditions.parameters, query.clauses))
    return found


def _fetch(
    connection: psycopg.Connection,
    statement: sql.Composed,
    parameters: Mapping[str, Any],
    clauses: Sequence[Clause],
) -> list[ServerRow]:
    """Run one statement; `parameters` are whatever the clauses hold."""
    with readable_patterns(clauses):
        return connection.execute(statement, parameters).fetchall()


def _columns(names: Sequence[str]) -> sql.Composable:
    return sql.SQL(", ").join(sql.Identifier("server", name) for name in names)
