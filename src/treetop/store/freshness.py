# SPDX-License-Identifier: Apache-2.0
"""How current each zone is, read from the rows that its worker writes: `zone_position` and `zone_status`.

Read it before the rows of an answer: the rows can then only be newer than what is said about them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg

from treetop.model.zone import Freshness, Trust, ZoneId, ZoneKind, ZoneName, ZoneState

# One row per zone (tens), primary keys only.
_READ = """
    SELECT zone.id,
           zone.name,
           zone.region,
           zone.kind,
           zone.trust,
           coalesce(zone_standing.state, 'new'),
           zone_standing.since,
           zone_standing.reason,
           zone_standing.hint,
           zone_position.as_of,
           extract(epoch FROM now() - zone_position.as_of)::float8,
           coalesce(zone_position.transactions, 0),
           extract(epoch FROM zone_position.feed_from)::float8
    FROM zone
    LEFT JOIN zone_position ON zone_position.zone_id = zone.id
    LEFT JOIN zone_standing ON zone_standing.zone_id = zone.id
    ORDER BY zone.name
"""

# Counts live rows per zone: one index-only scan per partition, about 1 s for a million servers.
_COUNT = "SELECT zone_id, count(*) FROM server WHERE NOT deleted GROUP BY zone_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneView:
    """What is known of a zone without asking it.

    since: when it came to its state; None: it was never opened. reason, hint: set while it waits or is
    stopped. feed_from: `server_feed` is complete for updates of that zone at or after this (POSIX seconds of
    the zone's clock); None: it is not complete.
    """

    zone_id: ZoneId
    region: str
    kind: ZoneKind
    trust: Trust
    freshness: Freshness
    since: datetime | None
    reason: str | None
    hint: str | None
    transactions: int
    feed_from: float | None


def read_zones(connection: psycopg.Connection) -> tuple[ZoneView, ...]:
    """Every registered zone, by name."""
    return tuple(
        ZoneView(
            zone_id=ZoneId(zone_id),
            region=region,
            kind=ZoneKind(kind),
            trust=Trust(trust),
            freshness=Freshness(
                zone=ZoneName(name),
                state=ZoneState(state),
                as_of=as_of,
                lag_seconds=None if lag is None else max(0.0, lag),  # another session's clock tick
            ),
            since=since,
            reason=reason,
            hint=hint,
            transactions=transactions,
            feed_from=feed_from,
        )
        for (
            zone_id, name, region, kind, trust, state, since, reason, hint, as_of, lag, transactions, feed_from,
        ) in connection.execute(_READ)
    )  # fmt: skip


def read_clock(connection: psycopg.Connection) -> datetime:
    """The top's clock, which `Freshness.as_of` is told by."""
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    now: datetime = row[0]
    return now


def count_servers(connection: psycopg.Connection) -> dict[ZoneId, int]:
    """Live servers per zone; zones without any are not in it."""
    return {ZoneId(zone_id): count for zone_id, count in connection.execute(_COUNT)}


def feed_reaches(zones: Sequence[ZoneView], at: datetime) -> bool:
    """Say whether `server_feed` names all servers of these zones updated at or after `at` (aware)."""
    return bool(zones) and all(
        zone.feed_from is not None and zone.feed_from <= at.timestamp() for zone in zones
    )
