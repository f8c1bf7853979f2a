# SPDX-License-Identifier: Apache-2.0
"""Requests to compare a zone: asked, worked on in order, read back."""

import psycopg
import pytest

from treetop.model.zone import ZoneId
from treetop.store.migrate import sync_schema
from treetop.store.verifications import (
    find_verification,
    next_verification,
    report_verification,
    request_verification,
    withdraw_verification,
)

ZONE = ZoneId(1)
EXAMPLE = {"uuid": "u", "kind": "different", "columns": {"name": ["a'\u2028", None]}}


@pytest.fixture
def conn(top_dsn):
    sync_schema(top_dsn)
    with psycopg.connect(top_dsn, autocommit=True) as connection:
        yield connection


def finish(conn, request, **changes):
    values = {"rows": 10, "differences": 0, "examples": [], "is_finished": True} | changes
    report_verification(conn, ZONE, request, **values)


def test_a_request_waits_unfinished(conn):
    request = request_verification(conn, ZONE, repair=True)
    found = find_verification(conn, ZONE, request)

    assert (found.id, found.repair, found.is_finished, found.rows) == (request, True, False, 0)
    assert next_verification(conn, ZONE) == found


def test_requests_are_worked_on_in_the_order_they_were_made(conn):
    first, second = (request_verification(conn, ZONE, repair=False) for _ in range(2))
    assert next_verification(conn, ZONE).id == first

    finish(conn, first)
    assert next_verification(conn, ZONE).id == second

    finish(conn, second)
    assert next_verification(conn, ZONE) is None


def test_a_zones_requests_are_its_own(conn):
    request = request_verification(conn, ZONE, repair=False)

    assert next_verification(conn, ZoneId(2)) is None
    assert find_verification(conn, ZoneId(2), request) is None


def test_what_was_found_is_read_back(conn):
    request = request_verification(conn, ZONE, repair=False)
    finish(conn, request, rows=5, differences=1, examples=[EXAMPLE], is_finished=False)
    assert not find_verification(conn, ZONE, request).is_finished

    finish(conn, request, rows=9, differences=2, examples=[EXAMPLE])
    found = find_verification(conn, ZONE, request)

    assert (found.rows, found.differences, found.examples) == (9, 2, [EXAMPLE])
    assert found.is_finished


def test_a_request_that_is_withdrawn_is_wanted_no_more(conn):
    request = request_verification(conn, ZONE, repair=True)
    finished = request_verification(conn, ZONE, repair=False)
    finish(conn, finished)

    withdraw_verification(conn, ZONE, request)
    withdraw_verification(conn, ZONE, finished)

    assert not report_verification(conn, ZONE, request, rows=1, differences=0, examples=[], is_finished=False)
    assert next_verification(conn, ZONE) is None
    assert find_verification(conn, ZONE, finished).is_finished


def test_requests_of_yesterday_are_forgotten(conn):
    old = request_verification(conn, ZONE, repair=False)
    conn.execute("UPDATE zone_verification SET asked_at = now() - interval '25 hours'")
    new = request_verification(conn, ZONE, repair=False)

    assert find_verification(conn, ZONE, old) is None
    assert find_verification(conn, ZONE, new) is not None
