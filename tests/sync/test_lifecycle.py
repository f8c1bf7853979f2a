# SPDX-License-Identifier: Apache-2.0
"""The moves of a zone's life, and what errors make of it."""

import pytest

from treetop.errors import (
    Refuse,
    Resnapshot,
    Retry,
    SchemaMismatch,
    StopZone,
    StoreUnavailable,
    TreetopError,
)
from treetop.model.zone import ZoneState
from treetop.sync.lifecycle import can_move, setback

NEW, LOADING, CATCHING_UP, LIVE, WAITING, STOPPED = ZoneState

ALLOWED = {
    (NEW, LOADING),
    (LOADING, CATCHING_UP),
    (CATCHING_UP, LIVE),
    (CATCHING_UP, LOADING),
    (LIVE, CATCHING_UP),
    (LIVE, LOADING),
    (WAITING, LOADING),
    (WAITING, CATCHING_UP),
    (STOPPED, LOADING),
    (STOPPED, CATCHING_UP),
    *((state, WAITING) for state in (NEW, LOADING, CATCHING_UP, LIVE, STOPPED)),
    *((state, STOPPED) for state in (NEW, LOADING, CATCHING_UP, LIVE, WAITING)),
}


@pytest.mark.parametrize("state", ZoneState)
@pytest.mark.parametrize("to", ZoneState)
def test_moves_are_the_ones_of_the_drawing(state: ZoneState, to: ZoneState) -> None:
    assert can_move(state, to) is (state is to or (state, to) in ALLOWED)


@pytest.mark.parametrize("error", [StopZone("x"), Refuse("x"), SchemaMismatch("x")])
def test_what_a_person_must_mend_stops_the_zone_for_as_long_as_was_set(error: TreetopError) -> None:
    after = setback(error, attempts=3, stopped_seconds=60.0)

    assert (after.state, after.retry_in_seconds) == (STOPPED, 60.0)


@pytest.mark.parametrize("error", [Retry("x"), StoreUnavailable("x"), TreetopError("x")])
def test_what_passes_by_itself_is_tried_again_ever_later_up_to_half_a_minute(error: TreetopError) -> None:
    delays = [setback(error, attempts=n, stopped_seconds=60.0).retry_in_seconds for n in range(40)]

    assert delays[:7] == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert set(delays[5:]) == {30.0}
    assert setback(error, attempts=0, stopped_seconds=60.0).state is WAITING


def test_a_lost_log_is_loaded_anew_at_once_but_not_in_a_tight_loop() -> None:
    first, second = (setback(Resnapshot("x"), attempts=n, stopped_seconds=60.0) for n in range(2))

    assert (first.state, first.retry_in_seconds) == (WAITING, 0.0)
    assert second.retry_in_seconds >= 1.0


def test_a_setback_says_why_and_what_to_type() -> None:
    after = setback(StopZone("the table is gone", hint="look"), attempts=1, stopped_seconds=60.0)

    assert (after.reason, after.hint, after.attempts) == ("the table is gone", "look", 2)
