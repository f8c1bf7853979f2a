# SPDX-License-Identifier: Apache-2.0
"""Steps of a plan -> SQL statements with their one JSON parameter. Builds text, executes nothing.

Every statement takes the zone's partition, is independent of how many servers it changes, and carries all of them
in one JSON document (`json_to_recordset`): one round trip, no temporary tables, and the same form on PostgreSQL
14 to 18 and Citus. Servers whose patches name the same columns share a statement, whose text is cached and
prepared by the driver. Expected: index look-ups by primary key, as many as servers in the document.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import orjson
from psycopg import sql

from treetop.apply.facets import MANY, ONE, SERVER_COLUMNS
from treetop.apply.mirror import statements_of, truncate
from treetop.apply.plan import Amend, Patches, ServerPatch, Step, Truncate
from treetop.apply.recordset import Statement, document, recordset
from treetop.model.zone import ZoneId
from treetop.nova.mirrored_tables import MIRRORED_TABLES
from treetop.nova.tables import INSTANCES
from treetop.store.partition import partition


def statements(step: Step, zone_id: ZoneId) -> Iterator[Statement]:
    """Yield the statements of one step, in the order in which they must be executed."""
    if isinstance(step, Truncate):
        is_mirrored = step.table in MIRRORED_TABLES
        yield truncate(step.table, zone_id) if is_mirrored else (_truncate(step.table, zone_id), {})
    elif isinstance(step, Amend):
        yield (
            _amend(step.column, zone_id),
            {
                "uuid": step.uuid,
                "old": step.old_key,
                "new": step.key,
                "fields": orjson.dumps(step.fields).decode(),
            },
        )
    else:
        yield from _patches(step, zone_id)


def _patches(step: Patches, zone_id: ZoneId) -> Iterator[Statement]:
    for table, states in step.rows.items():
        yield from statements_of(table, states, zone_id)
    if step.gone:
        yield _delete("source_id", "bigint", zone_id), {"keys": step.gone}
    for table, row_ids in step.removed.items():
        yield _remove(table, zone_id), {"keys": [str(i) for i in row_ids] if table in MANY else row_ids}
    deleted: list[str] = []
    created: list[dict[str, Any]] = []
    updated: dict[tuple[frozenset[str], frozenset[str]], list[dict[str, Any]]] = {}
    for uuid, patch in step.servers.items():
        if patch.deleted:
            deleted.append(uuid)
        elif patch.created:
            created.append(whole_row(patch))
        elif patch.columns or patch.merged:
            signature = frozenset(patch.columns), frozenset(patch.merged)
            updated.setdefault(signature, []).append(_update_row(uuid, patch))
    if deleted:
        yield _delete("uuid", "uuid", zone_id), {"keys": deleted}
    if created:
        yield create(zone_id), {"rows": document(created)}
    for (columns, merged), rows in updated.items():
        yield _update(columns, merged, zone_id), {"rows": document(rows)}
    changed = [row for rows in (created, *updated.values()) for row in rows if row.get("updated_at")]
    if changed:
        feed = [{"uuid": row["uuid"], "updated_at": row["updated_at"]} for row in changed]
        yield _FEED, {"zone": zone_id, "rows": document(feed)}


def whole_row(patch: ServerPatch) -> dict[str, Any]:
    """Return a created server's row: column -> value, jsonb columns as objects (None instead of empty)."""
    row = dict(patch.columns)
    for column, entries in patch.merged.items():
        row[column] = {key: value for key, value in entries.items() if value is not None} or None
    return row


def _update_row(uuid: str, patch: ServerPatch) -> dict[str, Any]:
    row = {**patch.columns, "uuid": uuid}
    for column, entries in patch.merged.items():
        row[f"{column}_added"] = {key: value for key, value in entries.items() if value is not None}
        row[f"{column}_removed"] = [key for key, value in entries.items() if value is None]
    return row


@lru_cache(maxsize=64)
def create(zone_id: ZoneId) -> bytes:
    """Write whole rows, over what is there: a row that is created again has nothing left of the old one."""
    names = [sql.Identifier(name) for name in SERVER_COLUMNS]
    return (
        sql.SQL(
            "INSERT INTO {table} (zone_id, {names}) SELECT {zone}, {values} FROM {source}"
            " ON CONFLICT (uuid, zone_id) DO UPDATE SET {sets}"
        )
        .format(
            table=partition(zone_id),
            zone=sql.Literal(int(zone_id)),
            names=sql.SQL(", ").join(names),
            values=sql.SQL(", ").join(sql.SQL("x.{}").format(name) for name in names),
            source=recordset(dict(SERVER_COLUMNS)),
            sets=sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(name) for name in names[1:]),
        )
        .as_bytes()
    )


@lru_cache(maxsize=512)
def _update(columns: frozenset[str], merged: frozenset[str], zone_id: ZoneId) -> bytes:
    plain = sorted(columns - {"uuid"})
    jsonb = sorted(merged)
    types = {"uuid": "uuid", **{name: SERVER_COLUMNS[name] for name in plain}}
    types |= {f"{name}_added": "jsonb" for name in jsonb} | {f"{name}_removed": "text[]" for name in jsonb}
    sets = [sql.SQL("{0} = x.{0}").format(sql.Identifier(name)) for name in plain]
    sets += [
        sql.SQL("{0} = nullif((coalesce(s.{0}, '{{}}') - x.{1}) || x.{2}, '{{}}')").format(
            sql.Identifier(name), sql.Identifier(f"{name}_removed"), sql.Identifier(f"{name}_added")
        )
        for name in jsonb
    ]
    return (
        sql.SQL("UPDATE {} AS s SET {} FROM {} WHERE s.uuid = x.uuid")
        .format(partition(zone_id), sql.SQL(", ").join(sets), recordset(types))
        .as_bytes()
    )


@lru_cache(maxsize=128)
def _delete(column: str, kind: str, zone_id: ZoneId) -> bytes:
    return (
        sql.SQL("DELETE FROM {} WHERE {} = ANY(%(keys)s::{}[])")
        .format(partition(zone_id), sql.Identifier(column), sql.SQL(kind))
        .as_bytes()
    )


@lru_cache(maxsize=512)
def _remove(table: str, zone_id: ZoneId) -> bytes:
    """Remove facet rows known only by their id. Scans the zone's partition: see docs/adr/0004."""
    if table in MANY:
        # NOT … NOT IN: a hash of the keys, whatever joins the session allows; `?|` compares each with each
        return (
            sql.SQL(
                "UPDATE {0} SET {1} = nullif({1} - %(keys)s::text[], '{{}}') WHERE EXISTS"
                " (SELECT FROM jsonb_object_keys({1}) AS k"
                " WHERE NOT k NOT IN (SELECT unnest(%(keys)s::text[])))"
            )
            .format(partition(zone_id), sql.Identifier(MANY[table].column))
            .as_bytes()
        )
    columns = ONE[table].columns
    return (
        sql.SQL("UPDATE {} SET {} WHERE {} = ANY(%(keys)s::bigint[])")
        .format(partition(zone_id), _nulls(columns), sql.Identifier(columns[0]))
        .as_bytes()
    )


def _truncate(table: str, zone_id: ZoneId) -> bytes:
    if table == INSTANCES.name:
        return sql.SQL("DELETE FROM {}").format(partition(zone_id)).as_bytes()
    columns = (MANY[table].column,) if table in MANY else ONE[table].columns
    return (
        sql.SQL("UPDATE {} SET {} WHERE {} IS NOT NULL")
        .format(partition(zone_id), _nulls(columns), sql.Identifier(columns[0]))
        .as_bytes()
    )


def _nulls(columns: tuple[str, ...]) -> sql.Composed:
    return sql.SQL(", ").join(sql.SQL("{} = NULL").format(sql.Identifier(name)) for name in columns)


@lru_cache(maxsize=512)
def _amend(column: str, zone_id: ZoneId) -> bytes:
    return (
        sql.SQL(
            "UPDATE {0} SET {1} = ({1} - %(old)s::text) || jsonb_build_object(%(new)s::text,"
            " coalesce({1} -> %(old)s::text, {1} -> %(new)s::text, '{{}}') || %(fields)s::jsonb)"
            " WHERE uuid = %(uuid)s AND {1} IS NOT NULL"
        )
        .format(partition(zone_id), sql.Identifier(column))
        .as_bytes()
    )


_FEED = sql.SQL(
    "INSERT INTO server_feed (zone_id, uuid, updated_at)"
    " SELECT %(zone)s, x.uuid, x.updated_at FROM json_to_recordset(%(rows)s::json)"
    " AS x (uuid uuid, updated_at timestamp)"
).as_bytes()
