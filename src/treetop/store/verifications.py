# SPDX-License-Identifier: Apache-2.0
"""Requests to compare a zone with the top: asked for by a command, done by the zone's worker, read back.

All take a connection in autocommit; each call is one statement.
"""

import uuid
from dataclasses import dataclass
from typing import Any

import orjson
import psycopg
from psycopg.rows import class_row

from treetop.model.zone import ZoneId
from treetop.store.session import store_errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """A request and how far it is.

    examples: the first differences, as JSON objects {"table", "key", "kind", "columns"}.
    is_finished: nothing will change any more.
    """

    id: uuid.UUID
    repair: bool
    is_finished: bool
    rows: int
    differences: int
    examples: list[dict[str, Any]]


_COLUMNS = "id, repair, finished_at IS NOT NULL AS is_finished, rows, differences, examples"


def request_verification(conn: psycopg.Connection, zone_id: ZoneId, *, repair: bool) -> uuid.UUID:
    """Ask the zone's worker for a comparison; return its id. Forgets this zone's finished ones of yesterday."""
    verification_id = uuid.uuid4()
    with store_errors():
        conn.execute(
            "DELETE FROM zone_verification WHERE zone_id = %s AND asked_at < now() - interval '1 day'",
            (zone_id,),
        )
        conn.execute(
            "INSERT INTO zone_verification (zone_id, id, repair) VALUES (%s, %s, %s)",
            (zone_id, verification_id, repair),
        )
    return verification_id


def withdraw_verification(conn: psycopg.Connection, zone_id: ZoneId, verification_id: uuid.UUID) -> None:
    """Take back a request that is not finished; nothing is compared or written for it from then on."""
    with store_errors():
        conn.execute(
            "DELETE FROM zone_verification WHERE zone_id = %s AND id = %s AND finished_at IS NULL",
            (zone_id, verification_id),
        )


def find_verification(
    conn: psycopg.Connection, zone_id: ZoneId, verification_id: uuid.UUID
) -> Verification | None:
    """Read one request; None when the zone was removed meanwhile."""
    with store_errors(), conn.cursor(row_factory=class_row(Verification)) as cursor:
        return cursor.execute(
            f"SELECT {_COLUMNS} FROM zone_verification WHERE zone_id = %s AND id = %s",  # noqa: S608  # a constant
            (zone_id, verification_id),
        ).fetchone()


def next_verification(conn: psycopg.Connection, zone_id: ZoneId) -> Verification | None:
    """The oldest request that is not finished, or None."""
    with store_errors(), conn.cursor(row_factory=class_row(Verification)) as cursor:
        return cursor.execute(
            f"SELECT {_COLUMNS} FROM zone_verification WHERE zone_id = %s AND finished_at IS NULL"  # noqa: S608
            " ORDER BY asked_at LIMIT 1",
            (zone_id,),
        ).fetchone()


def report_verification(
    conn: psycopg.Connection,
    zone_id: ZoneId,
    verification_id: uuid.UUID,
    *,
    rows: int,
    differences: int,
    examples: list[dict[str, Any]],
    is_finished: bool,
) -> bool:
    """Record how far the comparison is. Returns whether it is still wanted: False when it was withdrawn."""
    with store_errors():
        cursor = conn.execute(
            "UPDATE zone_verification SET rows = %s, differences = %s, examples = %s::jsonb,"
            " finished_at = CASE WHEN %s THEN now() END WHERE zone_id = %s AND id = %s",
            (rows, differences, orjson.dumps(examples).decode(), is_finished, zone_id, verification_id),
        )
    return cursor.rowcount == 1
