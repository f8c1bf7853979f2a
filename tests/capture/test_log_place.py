# SPDX-License-Identifier: Apache-2.0
"""The place behind a MariaDB position: text, and that it is no part of the GTID set."""

import struct

import pytest

from treetop.capture.gtid import MariadbGtidSet
from treetop.capture.log_place import LogPlace
from treetop.errors import StopZone
from treetop.model.change import Position

TEXT = Position("0-1-105,3-1-7 at binlog.000003:12345:1:0f3a01bc")


def test_place_is_printed_as_it_was_read():
    place = LogPlace.of_position(TEXT)

    assert place == LogPlace("binlog.000003", 12345, "1", 0x0F3A01BC)
    assert place.behind(Position("0-1-105,3-1-7")) == TEXT


@pytest.mark.parametrize("text", ["", "0-1-105", "0-1-105,3-1-7"])
def test_position_without_a_place_has_none(text):
    assert LogPlace.of_position(text) is None


def test_place_is_no_part_of_the_set():
    assert MariadbGtidSet.parse(TEXT) == MariadbGtidSet.parse("0-1-105,3-1-7")
    assert MariadbGtidSet.parse(TEXT).text() == "0-1-105,3-1-7"


@pytest.mark.parametrize(
    "place", ["binlog.000003", "binlog.000003:x:1:0f3a01bc", "binlog.000003:5:1:0f3a", ""]
)
def test_damaged_place_is_not_guessed(place):
    with pytest.raises(StopZone, match="no place in a MariaDB log") as stop:
        LogPlace.of_position(f"0-1-105 at {place}")
    assert "treetop zone resync" in stop.value.hint


def event(*, seconds=1_700_000_000, size=31, end=12345 + 31, xid=9):
    return struct.pack("<IBIIIHQI", seconds, 16, 1, size, end, 0, xid, 0xABCD)


def test_place_of_an_event_is_its_first_byte():
    place = LogPlace.of_event(b"front" + event(), 5, file="binlog.000003", server="1")

    assert (place.file, place.offset, place.server) == ("binlog.000003", 12345, "1")
    assert place == LogPlace.of_event(event(), 0, file="binlog.000003", server="1")


@pytest.mark.parametrize("other", [{"seconds": 1_700_000_001}, {"xid": 10}])
def test_events_of_another_time_or_transaction_differ(other):
    ours, theirs = (LogPlace.of_event(e, 0, file="b.1", server="1") for e in (event(), event(**other)))

    assert ours.offset == theirs.offset
    assert ours.fingerprint != theirs.fingerprint


def test_offset_that_does_not_fit_has_no_place():
    assert LogPlace.of_event(event(end=20), 0, file="binlog.000003", server="1") is None
