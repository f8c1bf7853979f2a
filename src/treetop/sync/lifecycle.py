# SPDX-License-Identifier: Apache-2.0
"""The life of a zone as a state machine: which move is allowed, and what an error makes of a zone. Pure.

new ─▶ loading ─▶ catching up ◀─▶ live
 │        ▲            │           │
 └────────┴── waiting ◀┴───────────┤   (will retry by itself)
          └── stopped ◀────────────┘   (needs a person; looked at again after a while)

A zone becomes live from `catching up` only, and never by opening it: it has been heard of then.
"""

from dataclasses import dataclass

from treetop.errors import Refuse, Resnapshot, StopZone, TreetopError
from treetop.model.zone import ZoneState

RETRY_FIRST_SECONDS = 1.0
RETRY_MOST_SECONDS = 30.0

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


def setback(error: TreetopError, *, attempts: int, stopped_seconds: float) -> Setback:
    """Decide from the error's class and how many attempts in a row failed before.

    stopped_seconds: how long a zone that needs a person rests: who mended it need not restart anything.
    """
    stopped = isinstance(error, StopZone | Refuse)  # a refusal is of what a person wrote: a URL, the schema
    delay = min(RETRY_MOST_SECONDS, RETRY_FIRST_SECONDS * 2 ** min(attempts, 10))
    if isinstance(error, Resnapshot) and attempts == 0:
        delay = 0.0  # nothing to wait for: the zone answers, only its old log is gone
    return Setback(
        state=ZoneState.STOPPED if stopped else ZoneState.WAITING,
        reason=str(error),
        hint=error.hint,
        attempts=attempts + 1,
        retry_in_seconds=stopped_seconds if stopped else delay,
    )
