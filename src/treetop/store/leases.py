# SPDX-License-Identifier: Apache-2.0
"""Who may write a zone, how far it has been read, and the moves of its life, for its worker.

All take a connection in autocommit: each call is one statement and one commit. Rows and positions of a running
stream are not written here but in `apply.writer`, in the batch's own commit; both check the owner.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import psycopg
from psycopg.rows import class_row

from treetop.errors import LostLease, NotFound, Retry
from treetop.model.change import Position
from treetop.model.zone import ZoneId, ZoneState
from treetop.store.session import store_errors

LEASE_SECONDS = 10  # a worker that was killed is replaced after at most this long
REMOVAL_SECONDS = 60  # a zone whose removal was cut off is read again after at most this long


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPosition:
    """Where the zone stands at the top. identity, position: None before the first opening.

    loaded_upto: chunks are in up to this row key (`nova.watched`); None: none yet, or all (is_loaded).
    state: what the worker before left the zone in. now: the top's clock when this was read.
    """

    identity: str | None
    position: Position | None
    loaded_upto: int | None
    is_loaded: bool
    state: ZoneState
    now: datetime


def claim(conn: psycopg.Connection, zone_id: ZoneId, *, owner: str) -> StoredPosition:
    """Become the zone's one writer for `LEASE_SECONDS`; every commit and `renew` prolongs it.

    owner: `SUPERVISOR/WORKER`; a worker of the same supervisor takes over at once (its parent saw the other die).
    Raises `Retry` while another worker holds the lease, `NotFound` when the zone was removed.
    """
    with store_errors(), conn.cursor(row_factory=class_row(StoredPosition)) as cursor:
        stored = cursor.execute(
            "UPDATE zone_position AS p SET owner = %(owner)s, lease_until = now() + %(lease)s"
            " FROM zone_status AS s"
            " WHERE p.zone_id = %(zone)s AND s.zone_id = p.zone_id AND (owner IS NULL OR lease_until < now()"
            " OR split_part(owner, '/', 1) = split_part(%(owner)s, '/', 1))"
            " RETURNING identity, position, loaded_upto, is_loaded, state, now()",
            {"owner": owner, "lease": timedelta(seconds=LEASE_SECONDS), "zone": zone_id},
        ).fetchone()
        if stored is not None:
            return replace(stored, state=ZoneState(stored.state))
        with conn.cursor() as other:
            held = other.execute(
                "SELECT owner, lease_until FROM zone_position WHERE zone_id = %s", (zone_id,)
            ).fetchone()
    if held is None:
        raise NotFound("the zone was removed", hint="treetop zone list")
    raise Retry(f"another worker ({held[0]}) reads this zone until {held[1]:%H:%M:%S} at least")


def renew(conn: psycopg.Connection, zone_id: ZoneId, *, owner: str, seconds: float = LEASE_SECONDS) -> None:
    """Let the lease end in so many seconds from now. Raises `LostLease`."""
    with store_errors():
        cursor = conn.execute(
            "UPDATE zone_position SET lease_until = now() + %s WHERE zone_id = %s AND owner = %s",
            (timedelta(seconds=seconds), zone_id, owner),
        )
    require_ownership(cursor.rowcount)


def release(conn: psycopg.Connection, zone_id: ZoneId, *, owner: str) -> None:
    """Give the lease back so that another worker need not wait for its end."""
    with store_errors():
        conn.execute(
            "UPDATE zone_position SET owner = NULL, lease_until = '-infinity' WHERE zone_id = %s AND owner = %s",
            (zone_id, owner),
        )


def revoke(conn: psycopg.Connection, zone_id: ZoneId) -> None:
    """Take the zone from its worker, whose commits then fail, and let nobody claim it while it is removed."""
    with store_errors():
        conn.execute(
            "UPDATE zone_position SET owner = 'zone remove', lease_until = now() + %s WHERE zone_id = %s",
            (timedelta(seconds=REMOVAL_SECONDS), zone_id),
        )


def begin_load(
    conn: psycopg.Connection, zone_id: ZoneId, *, owner: str, identity: str, position: Position
) -> None:
    """Start reading at `position` of the history `identity`, everything to be loaded (again).

    Rows that are there stay listed until chunks have replaced them. Raises `LostLease`.
    """
    with store_errors():
        cursor = conn.execute(
            "UPDATE zone_position SET identity = %s, position = %s, loaded_upto = NULL, is_loaded = false,"
            " feed_from = NULL WHERE zone_id = %s AND owner = %s",
            (identity, position, zone_id, owner),
        )
    require_ownership(cursor.rowcount)


def require_ownership(rows: int) -> None:
    """Raise `LostLease` when an update that names the owner found no row."""
    if rows != 1:
        raise LostLease("another worker took this zone over, or it was removed")


def set_state(
    conn: psycopg.Connection,
    zone_id: ZoneId,
    state: ZoneState,
    *,
    owner: str,
    reason: str | None = None,
    hint: str | None = None,
    attempts: int = 0,
    retry_at: datetime | None = None,
) -> None:
    """Record a move of the zone's life. `since` moves only when the state or its reason does.

    Raises `LostLease`: the state of a zone is what its owner says, not what another worker makes of it.
    """
    with store_errors():
        cursor = conn.execute(
            "UPDATE zone_status SET since = CASE WHEN state = %(state)s AND reason IS NOT DISTINCT FROM %(reason)s"
            " THEN since ELSE now() END, state = %(state)s, reason = %(reason)s, hint = %(hint)s,"
            " attempts = %(attempts)s, retry_at = %(retry_at)s WHERE zone_id = %(zone)s"
            " AND EXISTS (SELECT FROM zone_position WHERE zone_id = %(zone)s AND owner = %(owner)s)",
            {
                "zone": zone_id,
                "owner": owner,
                "state": state,
                "reason": reason,
                "hint": hint,
                "attempts": attempts,
                "retry_at": retry_at,
            },
        )
    require_ownership(cursor.rowcount)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What `set_state` recorded last. retry_at: None while nothing is wrong."""

    state: ZoneState
    reason: str | None
    hint: str | None
    retry_at: datetime | None


def find_status(conn: psycopg.Connection, zone_id: ZoneId) -> Status | None:
    """Read a zone's status; None when the zone was removed."""
    with store_errors(), conn.cursor(row_factory=class_row(Status)) as cursor:
        found = cursor.execute(
            "SELECT state, reason, hint, retry_at FROM zone_status WHERE zone_id = %s", (zone_id,)
        ).fetchone()
    return replace(found, state=ZoneState(found.state)) if found is not None else None


def has_worker(conn: psycopg.Connection, zone_id: ZoneId) -> bool:
    """Say whether a worker holds the zone's lease."""
    with store_errors():
        row = conn.execute(
            "SELECT owner IS NOT NULL AND lease_until > now() FROM zone_position WHERE zone_id = %s",
            (zone_id,),
        ).fetchone()
    return row is not None and bool(row[0])


def forget_position(conn: psycopg.Connection, zone_id: ZoneId) -> None:
    """Have the zone read from its start again: its worker loses the lease, and the next one loads it anew.

    Rows that are there stay listed until chunks have replaced them.
    """
    with store_errors():
        conn.execute(
            "UPDATE zone_position SET position = NULL, is_loaded = false, loaded_upto = NULL, feed_from = NULL,"
            " owner = NULL, lease_until = '-infinity' WHERE zone_id = %s",
            (zone_id,),
        )
