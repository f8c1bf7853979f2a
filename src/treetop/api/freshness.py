# SPDX-License-Identifier: Apache-2.0
"""How old an answer is, in its headers: `Treetop-As-Of`, `Treetop-Max-Lag`, `Treetop-Zones-Stale`. Pure.

Nova's documents must not get extra keys (clients check them strictly), headers may. A zone is stale if it is
not live, or live but further behind than the operator accepts; its last known servers are still in the
answer.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from treetop.model.zone import ZoneState
from treetop.store.freshness import ZoneView

AS_OF: Final = "Treetop-As-Of"
MAX_LAG: Final = "Treetop-Max-Lag"
STALE: Final = "Treetop-Zones-Stale"
_NAMED: Final = 50  # keeps the headers below 8 kB, which proxies commonly accept


def is_stale(zone: ZoneView, stale_after_seconds: float) -> bool:
    """Say whether the answer's part of this zone must not be taken for its present state."""
    lag = zone.freshness.lag_seconds
    return zone.freshness.state is not ZoneState.LIVE or lag is None or lag > stale_after_seconds


def answer_headers(zones: Sequence[ZoneView], stale_after_seconds: float) -> dict[str, str]:
    """The headers for an answer that draws on `zones`; none without zones.

    As-of is the oldest one, and left out while a zone has never been loaded. Stale zones are listed as
    `cell1;state=waiting;since=2026-11-22T07:46:31Z;lag=74.2`, at most 50 of them, then `and-more=N`.
    """
    instants = [zone.freshness.as_of for zone in zones if zone.freshness.as_of is not None]
    lags = [zone.freshness.lag_seconds for zone in zones if zone.freshness.lag_seconds is not None]
    headers: dict[str, str] = {}
    if zones and len(instants) == len(zones):
        headers[AS_OF] = iso(min(instants))
    if lags:
        headers[MAX_LAG] = f"{max(lags):.3f}"
    stale = [zone for zone in zones if is_stale(zone, stale_after_seconds)]
    if stale:
        more = [f"and-more={len(stale) - _NAMED}"] if len(stale) > _NAMED else []
        headers[STALE] = ", ".join([*map(_described, stale[:_NAMED]), *more])
    return headers


def iso(at: datetime) -> str:
    """An instant in UTC, to the millisecond: `2026-11-22T07:46:31.250Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _described(zone: ZoneView) -> str:
    parts = [zone.freshness.zone, f"state={zone.freshness.state.replace(' ', '-')}"]
    since = zone.freshness.as_of if zone.freshness.state is ZoneState.LIVE else zone.since
    if since is not None:
        parts.append(f"since={iso(since)}")
    if zone.freshness.lag_seconds is not None:
        parts.append(f"lag={zone.freshness.lag_seconds:.1f}")
    return ";".join(parts)
