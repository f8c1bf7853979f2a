# SPDX-License-Identifier: Apache-2.0
"""The replication slot of a PostgreSQL zone: named, made, judged against a stored position, dropped.

In: a session. A slot makes the zone's server keep its log until we confirm it, and is never made silently at
"now" for a zone that was loaded: that would be a gap. Facts: PostgreSQL docs, pg_replication_slots,
pg_create_logical_replication_slot.
"""

import time
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import psycopg
from psycopg import errors

from treetop.capture.lsn import parse_lsn, print_lsn
from treetop.errors import Resnapshot, Retry, StopZone
from treetop.model.change import Position
from treetop.model.zone import Zone, ZoneName

PLUGIN: Final = "pgoutput"
_LONGEST_NAME = 63  # NAMEDATALEN - 1
_RELEASE_SECONDS = 3.0  # a walsender notices within milliseconds that its client is gone

# wal_status is there since 13, conflicting since 16, invalidation_reason since 17: through JSON it fits all
_FIND = "SELECT to_jsonb(s) FROM pg_replication_slots s WHERE s.slot_name = %s"
# A new slot waits until every transaction that was open when it was asked for has ended.
_OLDEST = """
SELECT pid, usename::text, application_name, date_trunc('second', clock_timestamp() - xact_start)::text
  FROM pg_stat_activity
 WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()
 ORDER BY xact_start
 LIMIT 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotState:
    """A slot as the server shows it. is_lost: the log it needs is gone. active_pid: who reads it."""

    database: str
    plugin: str
    confirmed_lsn: int
    is_lost: bool
    active_pid: int | None


def slot_name(zone: ZoneName, suffix: str = "") -> str:
    """Return the slot's name; a suffix lets two tops read one zone. At most 63 of a-z, 0-9 and _."""
    name = "_".join(part for part in ("treetop", zone.replace("-", "_"), suffix) if part)
    if len(name) <= _LONGEST_NAME:
        return name
    digest = sha256(name.encode()).hexdigest()[:8]
    return f"{name[: _LONGEST_NAME - 9]}_{digest}"


def find_slot(conn: psycopg.Connection[Any], name: str) -> SlotState | None:
    """Read a slot's state; None: it does not exist."""
    row = conn.execute(_FIND, (name,)).fetchone()
    if row is None:
        return None
    slot = row[0]
    return SlotState(
        database=slot["database"],
        plugin=slot["plugin"],
        confirmed_lsn=parse_lsn(slot["confirmed_flush_lsn"] or "0/0"),
        is_lost=slot.get("wal_status") == "lost"
        or bool(slot.get("conflicting"))
        or slot.get("invalidation_reason") is not None
        or slot["confirmed_flush_lsn"] is None,
        active_pid=slot["active_pid"],
    )


def require_resumable(conn: psycopg.Connection[Any], zone: Zone, name: str, position: Position) -> None:
    """Raise unless the slot still gives everything after `position`.

    `Resnapshot`: slot missing, invalidated, or confirmed beyond the position. `Retry`: somebody reads it.
    """
    slot = _await_release(conn, name)
    if slot is None:
        raise Resnapshot(
            f"zone {zone.name}: replication slot {name} does not exist (dropped, or lost by a failover)"
        )
    if slot.is_lost:
        raise Resnapshot(
            f"zone {zone.name}: replication slot {name} is invalidated: the server no longer has the log"
            f" after {print_lsn(slot.confirmed_lsn)}",
            hint="max_slot_wal_keep_size on the zone's server limits how far Treetop may fall behind",
        )
    _require_ours(conn, zone, name, slot)
    if slot.confirmed_lsn > parse_lsn(position):
        raise Resnapshot(
            f"zone {zone.name}: replication slot {name} was confirmed up to {print_lsn(slot.confirmed_lsn)},"
            f" beyond the stored position {position}: another top reads it, or ours was restored",
            hint="two tops on one zone need different slots: add ?slot_suffix=NAME to the zone's URL",
        )
    if slot.active_pid is not None:
        raise _is_read(zone, name, slot.active_pid)


def create_slot(conn: psycopg.Connection[Any], zone: Zone, name: str, *, seconds: int) -> Position:
    """Make a new slot, in place of an old one of ours, and return where its stream starts.

    Waits for the transactions that are open now, at most `seconds`; then raises `Retry` naming the oldest.
    """
    drop_slot(conn, zone, name)
    try:
        conn.execute("SELECT set_config('statement_timeout', %s, false)", (f"{seconds}s",))
        row = conn.execute(
            "SELECT lsn::text FROM pg_create_logical_replication_slot(%s, %s)", (name, PLUGIN)
        ).fetchone()
    except errors.QueryCanceled as error:
        raise Retry(
            f"zone {zone.name}: slot {name} could not be made within {seconds} s{_oldest(conn)}",
            hint="a slot starts when every transaction that is open now has ended: end the old one",
        ) from error
    except errors.ConfigurationLimitExceeded as error:
        raise StopZone(
            f"zone {zone.name}: slot {name} cannot be made: {error}".strip(),
            hint="ALTER SYSTEM SET max_replication_slots = … on the zone's server, then restart it",
        ) from error
    finally:
        if not conn.closed:
            conn.execute("SET statement_timeout = 0")
    assert row is not None
    return Position(row[0])


def drop_slot(conn: psycopg.Connection[Any], zone: Zone, name: str) -> None:
    """Drop our slot if it exists; raise `Retry` while somebody reads it, `StopZone` if it is not ours."""
    slot = _await_release(conn, name)
    if slot is None:
        return
    _require_ours(conn, zone, name, slot)
    if slot.active_pid is not None:
        raise _is_read(zone, name, slot.active_pid)
    try:
        conn.execute("SELECT pg_drop_replication_slot(%s)", (name,))
    except errors.UndefinedObject:
        return
    except errors.ObjectInUse as error:
        raise Retry(f"zone {zone.name}: replication slot {name} cannot be dropped: {error}") from error


def _await_release(conn: psycopg.Connection[Any], name: str) -> SlotState | None:
    """Read the slot's state, giving a reader that just left a moment to let go of it."""
    deadline = time.monotonic() + _RELEASE_SECONDS
    while True:
        slot = find_slot(conn, name)
        if slot is None or slot.active_pid is None or time.monotonic() > deadline:
            return slot
        time.sleep(0.05)


def _require_ours(conn: psycopg.Connection[Any], zone: Zone, name: str, slot: SlotState) -> None:
    if slot.plugin != PLUGIN or slot.database != conn.info.dbname:
        raise StopZone(
            f"zone {zone.name}: replication slot {name} belongs to database {slot.database!r}, plugin"
            f" {slot.plugin!r}",
            hint="slot names are one per server: add ?slot_suffix=NAME to the zone's URL",
        )


def _is_read(zone: Zone, name: str, pid: int) -> Retry:
    return Retry(
        f"zone {zone.name}: replication slot {name} is read by process {pid} of the zone's server",
        hint=f"another worker, or one that just died; to end it: SELECT pg_terminate_backend({pid});",
    )


def _oldest(conn: psycopg.Connection[Any]) -> str:
    row = conn.execute(_OLDEST).fetchone()
    if row is None:
        return ""
    pid, user, application, age = row
    return f": process {pid} (role {user}, {application or 'unnamed'}) holds a transaction open for {age}"
