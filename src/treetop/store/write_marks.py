# SPDX-License-Identifier: Apache-2.0
"""Writes that were passed through to Nova, until the top shows them: the one thing that the API writes.

In the top, so that every API process knows of them. A mark names a caller by a hash, a zone, and an instant (the
top's clock) just after Nova had answered: a zone whose `as_of` is at or after it shows what was written. With the
mark goes a word to the zone's worker to move that instant on soon (`hasten`).
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import psycopg

from treetop.model.zone import ZoneId
from treetop.store.hastening import hasten

#: What `as_of` may be wrong by: clocks are compared over a network, and a busy worker looks at its own late.
SETTLE_SECONDS: Final = 0.05
_KEPT: Final = timedelta(hours=1)  # far longer than any read waits; the table stays small

# In the order of the key, so that two writes of one caller never wait for each other in a circle.
_MARK: Final = """
    INSERT INTO write_mark (zone_id, caller, written_at)
    SELECT id, %(caller)s, clock_timestamp() + %(settle)s::interval
    FROM zone
    WHERE id = ANY(%(zones)s::smallint[])
    ORDER BY id
    ON CONFLICT (caller, zone_id) DO UPDATE SET written_at = greatest(write_mark.written_at, excluded.written_at)
"""
_PRUNE: Final = """
    DELETE FROM write_mark
    WHERE (caller, zone_id) IN (
        SELECT caller, zone_id FROM write_mark WHERE written_at < now() - %(kept)s::interval
        LIMIT 1000 FOR UPDATE SKIP LOCKED
    )
"""
# Zones that are not being read are not waited for: they may stay behind for hours.
_UNSEEN: Final = """
    SELECT write_mark.zone_id
    FROM write_mark
    JOIN zone_position USING (zone_id)
    JOIN zone_standing USING (zone_id)
    WHERE write_mark.caller = %(caller)s
      AND write_mark.written_at > now() - %(within)s::interval
      AND zone_standing.state IN ('live', 'catching up')
      AND (zone_position.as_of IS NULL OR zone_position.as_of < write_mark.written_at)
"""


def mark_write(connection: psycopg.Connection, caller: bytes, zone_ids: Sequence[ZoneId]) -> None:
    """Remember that this caller wrote to these zones just now. One commit; takes a connection in autocommit."""
    with connection.transaction():
        settle = timedelta(seconds=SETTLE_SECONDS)
        connection.execute(_MARK, {"caller": caller, "zones": list(zone_ids), "settle": settle})
        connection.execute(_PRUNE, {"kept": _KEPT})
        hasten(connection, zone_ids, seconds_ahead=SETTLE_SECONDS)


def unseen_writes(connection: psycopg.Connection, caller: bytes, *, within: timedelta) -> tuple[ZoneId, ...]:
    """The zones that this caller wrote to lately and that the top does not show as of then yet."""
    rows = connection.execute(_UNSEEN, {"caller": caller, "within": within})
    return tuple(ZoneId(zone_id) for (zone_id,) in rows)
