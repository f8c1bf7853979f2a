# SPDX-License-Identifier: Apache-2.0
"""A chunk of a zone's rows against the top's: written (first load), or compared and, if asked, mended.

One mechanism for load, re-load, verification and repair. A chunk goes through the same `facets` as the log, so both
give the same rows; one of a mirrored table is for `apply.mirror_chunks`. The caller (`sync.chunk_run`) calls these
when the zone's stream stands where the chunk's snapshot is covered, and names the units (`skipped`: servers, or
mirrored rows) that a transaction outside the snapshot has touched: they are neither written, removed nor compared,
but read again. Nothing is committed here.
"""

from collections.abc import Collection
from typing import Any

from psycopg import sql

from treetop.apply import mirror_chunks
from treetop.apply.difference import SERVER, Difference
from treetop.apply.facets import MANY, ONE, SERVER_COLUMNS, server_columns
from treetop.apply.plan import Patches, ServerPatch
from treetop.apply.recordset import document, recordset
from treetop.apply.statements import create
from treetop.apply.writer import ZoneWriter
from treetop.model.change import Chunk, Unit
from treetop.model.zone import ZoneId
from treetop.nova.tables import INSTANCES, KEY_PLACES, OWNER_PLACES
from treetop.nova.watched import id_of
from treetop.store.partition import partition
from treetop.store.session import store_errors

_UUID = INSTANCES.index("uuid")


def chunk_rows(chunk: Chunk) -> dict[str, dict[str, Any]]:
    """Return the chunk's servers as rows of the aggregate table, by uuid.

    Rows without their `instances` row are left out. Gives what `Plan` gives for the same rows as inserts, in a
    third of the time: nothing has to be coalesced.
    """
    servers: dict[str, dict[str, Any]] = {
        str(row[_UUID]): dict(server_columns(row)) for row in chunk.rows.get(INSTANCES.name, ())
    }
    for name, one in ONE.items():
        owner = OWNER_PLACES[name]
        for row in chunk.rows.get(name, ()):
            server = servers.get(row[owner])  # type: ignore[arg-type]  # a uuid, or no key of servers
            if server is not None:
                server.update(one.values(row))
    for name, many in MANY.items():
        owner, key, column = OWNER_PLACES[name], KEY_PLACES[name], many.column
        for row in chunk.rows.get(name, ()):
            server = servers.get(row[owner])  # type: ignore[arg-type]
            value = many.value(row) if server is not None else None
            if server is not None and value is not None:
                server.setdefault(column, {})[str(row[key])] = value
    return servers


def load_chunk(writer: ZoneWriter, chunk: Chunk, skipped: Collection[Unit]) -> int:
    """Write the chunk over whatever the top has in its range. Returns the number of units written."""
    if chunk.table is not None:
        return mirror_chunks.load(writer, chunk, chunk.table, skipped)
    servers = chunk_rows(chunk)
    rows = [row for uuid, row in servers.items() if uuid not in skipped]
    parameters = _range(chunk, keep={*servers, *skipped})
    with store_errors(), writer.connection.pipeline():
        writer.connection.execute(_delete_others(writer.zone_id, chunk), parameters)
        if rows:
            writer.connection.execute(create(writer.zone_id), {"rows": document(rows)})
    return len(rows)


def compare_chunk(
    writer: ZoneWriter, chunk: Chunk, skipped: Collection[Unit]
) -> tuple[int, list[Difference]]:
    """Compare the chunk with the top's rows in its range. Returns (units compared, differences)."""
    if chunk.table is not None:
        return mirror_chunks.compare(writer, chunk, chunk.table, skipped)
    rows = [row for uuid, row in chunk_rows(chunk).items() if uuid not in skipped]
    parameters = {**_range(chunk, keep=skipped), "rows": document(rows)}
    with store_errors():
        found = writer.connection.execute(_compare(writer.zone_id, chunk), parameters).fetchall()
    differences = []
    for uuid, kind, top, zone in found:
        columns = {}
        if kind == "different":
            columns = {name: (top[name], zone[name]) for name in top if top[name] != zone[name]}
        differences.append(Difference(table=SERVER, key=uuid, kind=kind, columns=columns))
    return len(rows), differences


def repair_chunk(writer: ZoneWriter, chunk: Chunk, differences: Collection[Difference]) -> None:
    """Write the zone's side of the differences over the top's."""
    if chunk.table is not None:
        mirror_chunks.repair(writer, chunk, chunk.table, differences)
        return
    servers = chunk_rows(chunk)
    gone = {str(each.key): ServerPatch(deleted=True) for each in differences if each.kind == "extra"}
    wrong = {
        str(each.key): ServerPatch(created=True, columns=servers[str(each.key)])
        for each in differences
        if each.kind != "extra"
    }
    writer.write([Patches(servers=gone), Patches(servers=wrong)])


def _range(chunk: Chunk, *, keep: Collection[Unit]) -> dict[str, Any]:
    return {
        "after": id_of(chunk.after),
        "upto": None if chunk.upto is None else id_of(chunk.upto),
        "uuids": None if chunk.only is None else list(chunk.only),
        "keep": list(keep),
    }


def _within(chunk: Chunk) -> sql.SQL:
    """The top's rows that the chunk speaks of; `keep` names servers that are left alone."""
    if chunk.only is not None:
        return sql.SQL("uuid = ANY(%(uuids)s::uuid[]) AND uuid <> ALL(%(keep)s::uuid[])")
    if chunk.upto is None:
        return sql.SQL("source_id > %(after)s AND uuid <> ALL(%(keep)s::uuid[])")
    return sql.SQL("source_id > %(after)s AND source_id <= %(upto)s AND uuid <> ALL(%(keep)s::uuid[])")


def _delete_others(zone_id: ZoneId, chunk: Chunk) -> bytes:
    return sql.SQL("DELETE FROM {} WHERE {}").format(partition(zone_id), _within(chunk)).as_bytes()


def _compare(zone_id: ZoneId, chunk: Chunk) -> bytes:
    names = sql.SQL(", ").join(sql.Identifier(name) for name in SERVER_COLUMNS)
    return (
        sql.SQL(
            "WITH zone AS (SELECT {names} FROM {rows}), top AS (SELECT {names} FROM {table} WHERE {within})"
            " SELECT coalesce(zone.uuid, top.uuid)::text, CASE WHEN top.uuid IS NULL THEN 'missing'"
            " WHEN zone.uuid IS NULL THEN 'extra' ELSE 'different' END, to_jsonb(top), to_jsonb(zone)"
            " FROM zone FULL JOIN top ON zone.uuid = top.uuid WHERE top IS DISTINCT FROM zone"
        )
        .format(
            names=names,
            rows=recordset(dict(SERVER_COLUMNS)),
            table=partition(zone_id),
            within=_within(chunk),
        )
        .as_bytes()
    )
