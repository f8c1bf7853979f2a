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


def test_starting_again_does_not_double_the_lines(root):
    assert lines(debug=False) == lines(debug=False)
    assert len(root.handlers) == 1
