# SPDX-License-Identifier: Apache-2.0
"""A word to workers goes from connections that may only read to whoever listens, once its transaction commits."""

from datetime import timedelta

import psycopg
import pytest

from treetop.store.freshness import read_clock
from treetop.store.hastening import hasten, heard, listen
from treetop.store.pool import open_pool, reading


@pytest.fixture
def listener(top_dsn):
    with psycopg.connect(top_dsn, autocommit=True) as connection:
        listen(connection)
        yield connection


def test_readers_may_say_it(top_dsn, listener):
    pool = open_pool(top_dsn, size=1, statement_timeout_seconds=5)
    with reading(pool) as connection:
        before = read_clock(connection)
        hasten(connection, [3, 4], seconds_ahead=5)
        after = read_clock(connection)
    pool.close()

    words = heard(listener, wait_seconds=10)

    assert [word.zone_id for word in words] == [3, 4]
    ahead, rounding = timedelta(seconds=5), timedelta(microseconds=2)
    assert all(before - rounding <= word.until - ahead <= after + rounding for word in words)


def test_silence_is_nothing(listener):
    assert heard(listener, wait_seconds=0.01) == []


@pytest.mark.parametrize("payload", ["", "x", "1", "1 x", "99999999 1"])
def test_words_that_are_none_of_ours_are_passed_over(top_dsn, listener, payload):
    with psycopg.connect(top_dsn, autocommit=True) as other:
        other.execute("SELECT pg_notify('treetop_hasten', %s)", (payload,))

    assert heard(listener, wait_seconds=10) == []
