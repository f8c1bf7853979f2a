# SPDX-License-Identifier: Apache-2.0
"""How a running demo's zones are shown: a table in place on a terminal, a plain line every 10 s elsewhere."""

import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from treetop.cli import demo_screen
from treetop.cli.demo_screen import Screen
from treetop.model.source_url import parse_source_url
from treetop.model.zone import Trust, Zone, ZoneId, ZoneState, parse_zone_name
from treetop.store.zones import ZoneReport


class Output(io.StringIO):
    def __init__(self, *, is_terminal):
        super().__init__()
        self._is_terminal = is_terminal

    def isatty(self):
        return self._is_terminal


class Clock:
    """Stands in for the module `time`."""

    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        return self.now

    def strftime(self, _form):
        return "12:00:00"


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(demo_screen, "time", clock)
    return clock


def a_report(name="west", **changes):
    url = parse_source_url("mysql://u@h/d")
    zone = Zone(
        id=ZoneId(1), name=parse_zone_name(name), region="r", trust=Trust.FULL, url=url, password=None
    )
    now = datetime.now(UTC)
    report = ZoneReport(
        zone=zone,
        state=ZoneState.LIVE,
        since=now,
        reason=None,
        hint=None,
        retry_at=None,
        position="p",
        as_of=now,
        lag_seconds=0.25,
        transactions=100,
        changes=0,
        loaded_upto=None,
        is_loaded=True,
        servers=1500,
    )
    return replace(report, **changes)


def test_elsewhere_a_plain_line_is_written_every_ten_seconds(clock):
    output = Output(is_terminal=False)
    screen = Screen(output, [a_report("east"), a_report("west")])
    for second in range(1, 26):
        clock.now = 100.0 + second
        screen.show([a_report("east", transactions=100 + second * 20), a_report("west", lag_seconds=1.5)])

    line = "12:00:00 2 zones live, 3,000 servers, 20.0 transactions/s, at most 1.50 s behind\n"
    assert output.getvalue() == line * 2


def test_a_terminal_gets_a_table_that_is_rewritten_in_place(clock, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    output = Output(is_terminal=True)
    screen = Screen(output, [a_report()])
    for second in (1, 2):
        clock.now = 100.0 + second
        screen.show([a_report(transactions=100 + 7 * second)])

    first, again, second = output.getvalue().partition("\x1b[2A")
    assert again
    assert first.count("\n") == second.count("\n") == 2
    assert " 7.0 " in first
    assert "114" in second
    assert "\x1b[3" not in output.getvalue()  # no colour


def test_a_terminal_that_cannot_go_back_gets_lines(clock, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    output = Output(is_terminal=True)
    screen = Screen(output, [a_report()])
    clock.now += 10
    screen.show([a_report(state=ZoneState.WAITING, lag_seconds=None)])

    assert "\x1b" not in output.getvalue()
    assert "1 zones waiting" in output.getvalue()
