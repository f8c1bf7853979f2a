# SPDX-License-Identifier: Apache-2.0
"""How fresh a request wants its answer: `Cache-Control: max-age=N` or `Treetop-Max-Lag: N`, and which zones
break it. Pure.

A zone is fresh enough if it is at most N seconds behind when it is looked at, or shows an instant after the
request was made: nothing that the zone itself could have said would be older than that. So `max-age=0` has a
meaning: everything that was committed before I asked. What is looked at are the positions, before the rows are
read; the rows can then only be newer than what was promised. Facts: RFC 9111, 5.2.1.1 (requests; unknown
directives are ignored, a number may be quoted).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from treetop.api.fault import Fault, bad_request, unavailable
from treetop.model.zone import ZoneState
from treetop.store.freshness import ZoneView

CACHE_CONTROL: Final = "Cache-Control"
MAX_LAG: Final = "Treetop-Max-Lag"
_RETRY_SECONDS: Final = 1  # a zone that is read catches up, or confirms that it is idle, about once a second
_BROKEN_RETRY_SECONDS: Final = 10  # a zone that is not read needs a worker, or a person
_NAMED: Final = 10

_WHOLE: Final = re.compile(r"[0-9]{1,10}")
_DECIMAL: Final = re.compile(r"[0-9]{1,10}(\.[0-9]{1,9})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """At most so many seconds behind, or as of a later instant than `asked_at` (the top's clock)."""

    seconds: float
    asked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """A demand that every zone it is about met at `checked_at` (the top's clock)."""

    demand: Demand
    checked_at: datetime


def demanded_seconds(cache_control: str | None, max_lag: str | None) -> float | None:
    """What the two headers ask for, the smaller of both; None: nothing.

    Raises a 400 `Fault` for a number that is none.
    """
    asked = [_max_age(value) for value in _max_ages(cache_control or "")]
    if max_lag is not None:
        if _DECIMAL.fullmatch(max_lag.strip()) is None:
            raise bad_request(
                f"{MAX_LAG} must be a number of seconds such as 5 or 0.5, not '{max_lag[:80]}'."
            )
        asked.append(float(max_lag))
    return min(asked, default=None)


def zones_behind(zones: Sequence[ZoneView], demand: Demand) -> tuple[ZoneView, ...]:
    """Those of the zones that are not as fresh as demanded."""
    return tuple(zone for zone in zones if not _is_fresh(zone, demand))


def may_catch_up(zones: Sequence[ZoneView]) -> bool:
    """Say whether waiting a moment can help: all of these zones are being read."""
    return all(zone.freshness.state in (ZoneState.LIVE, ZoneState.CATCHING_UP) for zone in zones)


def as_checked(zones: Sequence[ZoneView], checked_at: datetime) -> tuple[ZoneView, ...]:
    """The zones with their lag as of the check instead of when they were read for the answer, a moment later."""
    return tuple(
        zone
        if zone.freshness.as_of is None
        else replace(
            zone,
            freshness=replace(
                zone.freshness,
                lag_seconds=max(0.0, (checked_at - zone.freshness.as_of).total_seconds()),
            ),
        )
        for zone in zones
    )


def too_old(behind: Sequence[ZoneView], demand: Demand) -> Fault:
    """The 503 that names the zones that are behind, and when to ask again."""
    # First those that nobody reads: the others might have met the demand by waiting.
    zones = sorted(behind, key=lambda zone: may_catch_up([zone]))
    named = [_described(zone) for zone in zones[:_NAMED]]
    if len(zones) > _NAMED:
        named.append(f"{len(zones) - _NAMED} more")
    return unavailable(
        f"Not every zone is as fresh as the request demands (at most {demand.seconds:g} s behind): "
        f"{', '.join(named)}. Ask again later, or accept older answers.",
        retry_after_seconds=_RETRY_SECONDS if may_catch_up(behind) else _BROKEN_RETRY_SECONDS,
    )


def _max_ages(cache_control: str) -> list[str]:
    directives = [directive.partition("=") for directive in cache_control.split(",")]
    return [value.strip() for name, _, value in directives if name.strip().lower() == "max-age"]


def _max_age(value: str) -> float:
    digits = value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
    if _WHOLE.fullmatch(digits) is None:
        raise bad_request(
            f"{CACHE_CONTROL}: max-age must be a whole number of seconds, not '{value[:80]}'. "
            f"{MAX_LAG} takes fractions."
        )
    return float(digits)


def _is_fresh(zone: ZoneView, demand: Demand) -> bool:
    as_of, lag_seconds = zone.freshness.as_of, zone.freshness.lag_seconds
    if as_of is None or lag_seconds is None:
        return False
    return lag_seconds <= demand.seconds or as_of >= demand.asked_at


def _described(zone: ZoneView) -> str:
    lag, state = zone.freshness.lag_seconds, zone.freshness.state
    if lag is None:
        return f"{zone.freshness.zone} was never loaded ({state})"
    return f"{zone.freshness.zone} is {lag:.1f} s behind ({state})"
