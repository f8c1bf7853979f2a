# SPDX-License-Identifier: Apache-2.0
"""A word to workers goes from connections that may only read to whoever listens, once its transaction commits."""

import psycopg
import pytest

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
        hasten(connection, [3, 4])
    pool.close()

    assert heard(listener, wait_seconds=10) == {3, 4}


def test_silence_is_nothing(listener):
    assert heard(listener, wait_seconds=0.01) == frozenset()


def test_words_that_are_none_of_ours_are_passed_over(top_dsn, listener):
    with psycopg.connect(top_dsn, autocommit=True) as other:
        other.execute("NOTIFY treetop_hasten, 'x'")

    assert heard(listener, wait_seconds=10) == frozenset()
