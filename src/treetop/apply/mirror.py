# SPDX-License-Identifier: Apache-2.0
"""Many changes of mirrored tables -> the last state of each row, and the statements that leave it so. Pure.

A row has one state per step, so a step is at most an upsert, a delete and (where the log leaves values out) an
update for each set of columns, however many changes went in, and their order does not matter. An UPDATE with all of
its values is written over whatever is there, or made: while a zone is loaded its row may not have come yet, and
will be the same.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from psycopg import sql

from treetop.apply.recordset import Statement, document, recordset
from treetop.errors import Resnapshot
from treetop.model.change import UNCHANGED, Op, Row, RowChange
from treetop.model.zone import ZoneId
from treetop.nova.mirrored_tables import ID_PLACE, MIRRORED_TABLES, top_table
from treetop.nova.table import Kind, Table

#: Row id -> the row as it is last (UNCHANGED: as it was), None: it is gone.
States: TypeAlias = dict[int, Row | None]

_TYPES: Final = {
    Kind.INTEGER: "bigint",
    Kind.BOOLEAN: "boolean",
    Kind.TEXT: "text",
    Kind.TIMESTAMP: "timestamp",
    Kind.REAL: "double precision",
}


def note(states: States, change: RowChange) -> None:
    """Take one more change of the table into the states of its rows.

    Raises `Resnapshot` for a new key whose row the log does not give whole (no release of Nova writes that).
    """
    row = change.row
    row_id = _id(row)
    if change.op is Op.DELETE:
        states[row_id] = None
        return
    if change.old_row is not None and _id(change.old_row) != row_id:
        if UNCHANGED in row:
            raise Resnapshot(f"a row of {change.table} got a new id, and the log does not carry all of it")
        states[_id(change.old_row)] = None
    elif UNCHANGED in row:
        known = states.get(row_id, ())
        if known is None:
            return  # an update of a row that is gone
        if known:
            row = tuple(was if now is UNCHANGED else now for now, was in zip(row, known, strict=True))
    states[row_id] = row


def statements_of(table: str, states: States, zone_id: ZoneId) -> Iterator[Statement]:
    """Yield what makes these rows of a mirrored table so."""
    names = MIRRORED_TABLES[table].shared_columns
    gone: list[int] = []
    whole: list[dict[str, Any]] = []
    partial: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row_id, row in states.items():
        if row is None:
            gone.append(row_id)
        elif UNCHANGED in row:
            given = {name: value for name, value in zip(names, row, strict=True) if value is not UNCHANGED}
            partial.setdefault(tuple(given), []).append(given)
        else:
            whole.append(dict(zip(names, row, strict=True)))
    if gone:
        yield _delete(table), {"zone": zone_id, "ids": gone}
    if whole:
        yield upsert(table), {"zone": zone_id, "rows": document(whole)}
    for given_names, rows in partial.items():
        if len(given_names) > 1:  # more than the id
            yield _update(table, given_names), {"zone": zone_id, "rows": document(rows)}


def truncate(table: str, zone_id: ZoneId) -> Statement:
    """Return what removes all of a zone's rows."""
    text = sql.SQL("DELETE FROM {} WHERE zone_id = %(zone)s").format(sql.Identifier(top_table(table)))
    return text.as_bytes(), {"zone": zone_id}


@lru_cache(maxsize=len(MIRRORED_TABLES))
def columns_of(table: str) -> Mapping[str, str]:
    """Return the columns of a mirrored table at the top with their SQL types, without zone_id."""
    described: Table = MIRRORED_TABLES[table]
    types = {column.name: _TYPES[column.kind] for column in described.columns}
    return MappingProxyType({name: types.get(name, "text") for name in described.shared_columns})


@lru_cache(maxsize=len(MIRRORED_TABLES))
def upsert(table: str) -> bytes:
    """Write whole rows (`rows`), over what is there."""
    columns = columns_of(table)
    names = [sql.Identifier(name) for name in columns]
    return (
        sql.SQL(
            "INSERT INTO {table} (zone_id, {names}) SELECT %(zone)s::smallint, {values} FROM {rows}"
            " ON CONFLICT (zone_id, id) DO UPDATE SET {sets}"
        )
        .format(
            table=sql.Identifier(top_table(table)),
            names=sql.SQL(", ").join(names),
            values=sql.SQL(", ").join(sql.SQL("x.{}").format(name) for name in names),
            rows=recordset(columns),
            sets=_sets([name for name in columns if name != "id"], "excluded"),
        )
        .as_bytes()
    )


@lru_cache(maxsize=128)
def _update(table: str, names: tuple[str, ...]) -> bytes:
    columns = columns_of(table)
    return (
        sql.SQL("UPDATE {} AS t SET {} FROM {} WHERE t.zone_id = %(zone)s AND t.id = x.id")
        .format(
            sql.Identifier(top_table(table)),
            _sets([name for name in names if name != "id"], "x"),
            recordset({name: columns[name] for name in names}),
        )
        .as_bytes()
    )


@lru_cache(maxsize=len(MIRRORED_TABLES))
def _delete(table: str) -> bytes:
    text = sql.SQL("DELETE FROM {} WHERE zone_id = %(zone)s AND id = ANY(%(ids)s::bigint[])")
    return text.format(sql.Identifier(top_table(table))).as_bytes()


def _sets(names: list[str], source: str) -> sql.Composed:
    return sql.SQL(", ").join(
        sql.SQL("{0} = {1}.{0}").format(sql.Identifier(name), sql.SQL(source)) for name in names
    )


def _id(row: Row) -> int:
    return int(row[ID_PLACE])  # type: ignore[arg-type]  # a key is never NULL, and always in the log
