# SPDX-License-Identifier: Apache-2.0
"""The life of a zone as a state machine: which move is allowed, and what an error makes of a zone. Pure.

new ─▶ loading ─▶ catching up ◀─▶ live
 │        ▲            │           │
 └────────┴── waiting ◀┴───────────┤   (will retry by itself)
          └── stopped ◀────────────┘   (needs a person; looked at again once a minute)
"""

from dataclasses import dataclass

from treetop.errors import StopZone, TreetopError
from treetop.model.zone import ZoneState

RETRY_FIRST_SECONDS = 1.0
RETRY_MOST_SECONDS = 30.0
STOPPED_AGAIN_SECONDS = 60.0  # a person who mended the zone need not restart anything

_NEXT = {
    ZoneState.NEW: {ZoneState.LOADING, ZoneState.WAITING, ZoneState.STOPPED},
    ZoneState.LOADING: {ZoneState.CATCHING_UP, ZoneState.WAITING, ZoneState.STOPPED},
    ZoneState.CATCHING_UP: {ZoneState.LIVE, ZoneState.LOADING, ZoneState.WAITING, ZoneState.STOPPED},
    ZoneState.LIVE: {ZoneState.CATCHING_UP, ZoneState.LOADING, ZoneState.WAITING, ZoneState.STOPPED},
    ZoneState.WAITING: {ZoneState.LOADING, ZoneState.CATCHING_UP, ZoneState.STOPPED},
    ZoneState.STOPPED: {ZoneState.LOADING, ZoneState.CATCHING_UP, ZoneState.WAITING},
}


def can_move(state: ZoneState, to: ZoneState) -> bool:
    """Say whether a zone in `state` may move to `to`; staying is always allowed."""
    return to is state or to in _NEXT[state]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setback:
    """What an error makes of a zone: its state, why, what to type, and when it is tried again."""

    state: ZoneState
    reason: str
    hint: str | None
    attempts: int
    retry_in_seconds: float


def setback(error: TreetopError, *, attempts: int) -> Setback:
    """Decide from the error's class and how many attempts in a row failed before."""
    stopped = isinstance(error, StopZone)
    delay = min(RETRY_MOST_SECONDS, RETRY_FIRST_SECONDS * 2 ** min(attempts, 10))
    return Setback(
        state=ZoneState.STOPPED if stopped else ZoneState.WAITING,
        reason=str(error),
        hint=error.hint,
        attempts=attempts + 1,
        retry_in_seconds=STOPPED_AGAIN_SECONDS if stopped else delay,
    )
