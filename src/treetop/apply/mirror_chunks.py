# SPDX-License-Identifier: Apache-2.0
"""A chunk of a mirrored table against the top's rows: written, compared, mended. See `apply.chunks`."""

from collections.abc import Collection
from typing import Any

from psycopg import sql

from treetop.apply.difference import Difference
from treetop.apply.mirror import columns_of, upsert
from treetop.apply.plan import Patches
from treetop.apply.recordset import document, recordset
from treetop.apply.writer import ZoneWriter
from treetop.model.change import Chunk, Row, Unit
from treetop.nova.mirrored_tables import ID_PLACE, top_table
from treetop.nova.watched import id_of
from treetop.store.session import store_errors


def load(writer: ZoneWriter, chunk: Chunk, table: str, skipped: Collection[Unit]) -> int:
    """Write the chunk over whatever the top has in its range. Returns the number of rows written."""
    rows = _documents(chunk, table, skipped)
    delete = sql.SQL("DELETE FROM {} WHERE {}").format(sql.Identifier(top_table(table)), _within(chunk))
    keep = {*(row["id"] for row in rows), *skipped}
    with store_errors(), writer.connection.pipeline():
        writer.connection.execute(delete.as_bytes(), _range(writer, chunk, keep=keep))
        if rows:
            writer.connection.execute(upsert(table), {"zone": writer.zone_id, "rows": document(rows)})
    return len(rows)


def compare(
    writer: ZoneWriter, chunk: Chunk, table: str, skipped: Collection[Unit]
) -> tuple[int, list[Difference]]:
    """Compare the chunk with the top's rows in its range. Returns (rows compared, differences)."""
    rows = _documents(chunk, table, skipped)
    parameters = {**_range(writer, chunk, keep=skipped), "rows": document(rows)}
    with store_errors():
        found = writer.connection.execute(_compare(chunk, table), parameters).fetchall()
    differences = []
    for row_id, kind, top, zone in found:
        columns = {}
        if kind == "different":
            columns = {name: (top[name], zone[name]) for name in top if top[name] != zone[name]}
        differences.append(Difference(table=table, key=row_id, kind=kind, columns=columns))
    return len(rows), differences


def repair(writer: ZoneWriter, chunk: Chunk, table: str, differences: Collection[Difference]) -> None:
    """Write the zone's side of the differences over the top's."""
    rows = {row[ID_PLACE]: row for row in chunk.rows.get(table, ())}
    states: dict[int, Row | None] = {
        int(each.key): None if each.kind == "extra" else rows[each.key] for each in differences
    }
    writer.write([Patches(rows={table: states})])


def _documents(chunk: Chunk, table: str, skipped: Collection[Unit]) -> list[dict[str, Any]]:
    names = columns_of(table)
    return [
        dict(zip(names, row, strict=True))
        for row in chunk.rows.get(table, ())
        if row[ID_PLACE] not in skipped
    ]


def _range(writer: ZoneWriter, chunk: Chunk, *, keep: Collection[Unit]) -> dict[str, Any]:
    return {
        "zone": writer.zone_id,
        "after": id_of(chunk.after),
        "upto": None if chunk.upto is None else id_of(chunk.upto),
        "only": None if chunk.only is None else list(chunk.only),
        "keep": list(keep),
    }


def _within(chunk: Chunk) -> sql.SQL:
    """The top's rows that the chunk speaks of; `keep` names rows that are left alone."""
    if chunk.only is not None:
        return sql.SQL(
            "zone_id = %(zone)s AND id = ANY(%(only)s::bigint[]) AND id <> ALL(%(keep)s::bigint[])"
        )
    if chunk.upto is None:
        return sql.SQL("zone_id = %(zone)s AND id > %(after)s AND id <> ALL(%(keep)s::bigint[])")
    return sql.SQL(
        "zone_id = %(zone)s AND id > %(after)s AND id <= %(upto)s AND id <> ALL(%(keep)s::bigint[])"
    )


def _compare(chunk: Chunk, table: str) -> bytes:
    names = sql.SQL(", ").join(sql.Identifier(name) for name in columns_of(table))
    return (
        sql.SQL(
            "WITH zone AS (SELECT {names} FROM {rows}), top AS (SELECT {names} FROM {table} WHERE {within})"
            " SELECT coalesce(zone.id, top.id), CASE WHEN top.id IS NULL THEN 'missing'"
            " WHEN zone.id IS NULL THEN 'extra' ELSE 'different' END, to_jsonb(top), to_jsonb(zone)"
            " FROM zone FULL JOIN top ON zone.id = top.id WHERE top IS DISTINCT FROM zone"
        )
        .format(
            names=names,
            rows=recordset(columns_of(table)),
            table=sql.Identifier(top_table(table)),
            within=_within(chunk),
        )
        .as_bytes()
    )
