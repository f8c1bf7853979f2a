# SPDX-License-Identifier: Apache-2.0
"""Log lines of the daemons."""

import io
import logging

import pytest

from treetop.telemetry import start_logging


@pytest.fixture
def root():
    root = logging.getLogger()
    before = list(root.handlers), root.level
    yield root
    root.handlers[:], root.level = before


def lines(**options):
    stream = io.StringIO()
    start_logging(stream=stream, **options)
    log = logging.getLogger("treetop.some")
    log.debug("done")
    log.info("changed to %s", "live")
    log.warning("lost", extra={"hint": "type this"})
    return [line.split(" ", 2)[2] for line in stream.getvalue().splitlines()]


def test_a_line_names_its_zone_and_a_warning_its_hint(root):
    assert lines(debug=False, zone="west") == [
        "INFO [west] treetop.some: changed to live",
        "WARNING [west] treetop.some: lost (try: type this)",
    ]


def test_what_is_done_is_logged_only_when_asked_for(root):
    assert lines(debug=True) == [
        "DEBUG treetop.some: done",
        "INFO treetop.some: changed to live",
        "WARNING treetop.some: lost (try: type this)",
    ]


def test_an_event_is_one_line_with_its_fields_whatever_they_hold(root):
    stream = io.StringIO()
    start_logging(debug=False, stream=stream)
    log = logging.getLogger("treetop.some")

    log.warning("lost", extra={"request_id": "req-1", "path": "/a\n2026 INFO forged", "hint": "wait"})
    log.warning("no such path: %s", "/b\r\x1b[2J")

    assert [line.split(" ", 2)[2] for line in stream.getvalue().splitlines()] == [
        r"WARNING treetop.some: lost request_id=req-1 path='/a\n2026 INFO forged' (try: wait)",
        r"WARNING treetop.some: no such path: /b\x0d\x1b[2J",
    ]


def test_the_fields_stand_before_a_traceback(root):
    stream = io.StringIO()
    start_logging(debug=False, stream=stream)

    logging.getLogger("treetop.some").error("failed", exc_info=ValueError("x"), extra={"request_id": "req-1"})

    first, *_, last = stream.getvalue().splitlines()
    assert first.endswith("ERROR treetop.some: failed request_id=req-1")
    assert last == "ValueError: x"


def test_starting_again_does_not_double_the_lines(root):
    assert lines(debug=False) == lines(debug=False)
    assert len(root.handlers) == 1
