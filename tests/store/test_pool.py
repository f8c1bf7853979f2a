# SPDX-License-Identifier: Apache-2.0
"""The API's connections: they only read, give text, stop what takes too long, and come back."""

import psycopg
import pytest

from treetop.errors import SchemaMismatch, StoreUnavailable
from treetop.store.pool import open_pool, reading


@pytest.fixture
def pool(top_dsn):
    pool = open_pool(top_dsn, size=1, statement_timeout_seconds=0.3)
    yield pool
    pool.close()


def test_columns_come_as_text(pool):
    with reading(pool) as connection:
        row = connection.execute(
            "SELECT '00abcdef-0000-0000-0000-000000000001'::uuid, timestamp '2026-01-02 03:04:05', "
            "'{\"a\": 1}'::jsonb, 7, true, NULL::jsonb"
        ).fetchone()

    assert row == (
        "00abcdef-0000-0000-0000-000000000001",
        "2026-01-02 03:04:05",
        '{"a": 1}',
        7,
        True,
        None,
    )


def test_nothing_can_be_written(pool):
    with pytest.raises(StoreUnavailable, match="read-only"), reading(pool) as connection:
        connection.execute("CREATE TABLE t (a integer)")


def test_a_query_that_takes_too_long_is_stopped(pool):
    with pytest.raises(StoreUnavailable, match="too long") as caught, reading(pool) as connection:
        connection.execute("SELECT pg_sleep(5)")

    assert "ask for less" in str(caught.value.hint)


def test_a_missing_table_names_the_command_that_makes_it(pool):
    with pytest.raises(SchemaMismatch) as caught, reading(pool) as connection:
        connection.execute("SELECT * FROM server")

    assert caught.value.hint == "treetop db sync"


def test_a_lost_connection_is_replaced(pool, top_dsn):
    with reading(pool) as connection:
        pid = connection.info.backend_pid
    with psycopg.connect(top_dsn, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))

    with reading(pool) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_no_server_is_unavailable_within_seconds():
    pool = open_pool("host=127.0.0.1 port=1 user=u password=s3cret", size=1, statement_timeout_seconds=1)
    try:
        with pytest.raises(StoreUnavailable) as caught, reading(pool):
            pass
    finally:
        pool.close()

    assert "s3cret" not in str(caught.value)
