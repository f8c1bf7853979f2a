# SPDX-License-Identifier: Apache-2.0
"""The only file that commits zone data: rows and position become visible together or not at all.

`write` sends statements, `commit` ends the transaction with the position and the fence: a worker that no longer
owns the zone changes nothing (`LostLease`). A transaction of the zone may be written in many pieces before its one
commit. The session runs with `synchronous_commit = off`: a crash of the top loses rows and position together, and
they are read again; what the zone may forget is therefore told by `durable`, not by `commit`.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

import psycopg

from treetop.apply.plan import Step
from treetop.apply.statements import statements
from treetop.capture.lsn import parse_lsn
from treetop.model.change import Position
from treetop.model.zone import ZoneId
from treetop.store.feed import CLOCKS_APART
from treetop.store.leases import LEASE_SECONDS, require_ownership
from treetop.store.session import open_session, store_errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a commit takes the zone.

    as_of: the instant (top's clock) that the rows then show, None: no later than before.
    committed_at: zone's clock, None: no new transaction.
    """

    position: Position
    as_of: datetime | None
    committed_at: datetime | None
    transactions: int
    changes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadProgress:
    """How far chunks are in: up to the row key `upto` (`nova.watched`), or everything (`is_loaded`)."""

    upto: int | None
    is_loaded: bool


#: A batch names its servers by key. Before a new partition's first ANALYZE the planner would rather hash the
#: whole of it for every statement: 47 ms instead of 5 ms for 665 servers among 20,000.
_SESSION = "-c synchronous_commit=off -c enable_hashjoin=off -c enable_mergejoin=off"


class ZoneWriter:
    """Writes one zone, over one connection of its own."""

    def __init__(self, conninfo: str, zone_id: ZoneId, owner: str) -> None:
        self.zone_id = zone_id
        self._owner = owner
        self._conn = open_session(conninfo, name=f"zone {zone_id}", settings=_SESSION)
        # commits not yet known to be on disk: (end of the commit in the top's WAL, position)
        self._unflushed: deque[tuple[str, Position]] = deque(maxlen=1024)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def connection(self) -> psycopg.Connection:
        """The connection whose open transaction `commit` ends, for `apply.chunks`."""
        return self._conn

    def write(self, steps: Iterable[Step]) -> None:
        """Execute the steps inside the open transaction, in one round trip."""
        with store_errors(), self._conn.pipeline():
            for step in steps:
                for query, parameters in statements(step, self.zone_id):
                    self._conn.execute(query, parameters)

    def commit(self, progress: Progress, load: LoadProgress | None = None) -> None:
        """Make everything written visible, together with the position.

        Raises `LostLease` (rolled back) when another worker owns the zone, `StoreUnavailable` (nothing written).
        """
        with store_errors():
            cursor = self._conn.execute(_ADVANCE, self._parameters(progress))
            if cursor.rowcount != 1:
                self._conn.rollback()
                require_ownership(cursor.rowcount)
            if load is not None:
                self._conn.execute(
                    _LOAD,
                    {
                        "zone": self.zone_id,
                        "upto": load.upto,
                        "loaded": load.is_loaded,
                        "apart": CLOCKS_APART,
                    },
                )
            self._conn.commit()
        self._unflushed.append(("", progress.position))

    def durable(self) -> Position | None:
        """Return the newest position that survives a crash of the top; None: none new since the last call.

        Costs a round trip: meant to be called about once a second, between transactions.
        """
        if not self._unflushed:
            return None
        with store_errors():
            row = self._conn.execute(
                "SELECT pg_current_wal_insert_lsn()::text, pg_current_wal_flush_lsn()::text"
            ).fetchone()
            self._conn.rollback()
        assert row is not None
        inserted, flushed = row
        for place, (end, position) in enumerate(self._unflushed):
            if not end:  # committed since the last call: its end is at or before what is inserted now
                self._unflushed[place] = (inserted, position)
        safe: Position | None = None
        while self._unflushed and parse_lsn(self._unflushed[0][0]) <= parse_lsn(flushed):
            safe = self._unflushed.popleft()[1]
        return safe

    def close(self) -> None:
        """Close the connection; what was not committed is rolled back."""
        self._conn.close()

    def _parameters(self, progress: Progress) -> dict[str, object]:
        return {
            "zone": self.zone_id,
            "owner": self._owner,
            "position": progress.position,
            "as_of": progress.as_of,
            "committed_at": progress.committed_at,
            "transactions": progress.transactions,
            "changes": progress.changes,
            "lease": timedelta(seconds=LEASE_SECONDS),
        }


_ADVANCE = """
    UPDATE zone_position
       SET position = %(position)s, as_of = greatest(as_of, %(as_of)s::timestamptz),
           committed_at = coalesce(%(committed_at)s::timestamptz, committed_at),
           transactions = transactions + %(transactions)s::bigint, changes = changes + %(changes)s::bigint,
           lease_until = now() + %(lease)s::interval
     WHERE zone_id = %(zone)s AND owner = %(owner)s
"""

_LOAD = """
    UPDATE zone_position
       SET loaded_upto = %(upto)s::bigint, is_loaded = %(loaded)s,
           feed_from = CASE WHEN %(loaded)s THEN (now() + %(apart)s::interval) AT TIME ZONE 'UTC' ELSE feed_from END
     WHERE zone_id = %(zone)s
"""
