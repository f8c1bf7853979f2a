# SPDX-License-Identifier: Apache-2.0
"""Migrations: once, in order, by one program at a time, never backwards."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from treetop.errors import LostLease, SchemaMismatch, StoreUnavailable
from treetop.model.zone import ZoneId
from treetop.store import leases
from treetop.store.migrate import check_schema, migrations, schema_version, sync_schema


def connect(dsn):
    return psycopg.connect(dsn, autocommit=True)


def test_a_fresh_database_gets_every_file_in_order(top_dsn):
    applied = sync_schema(top_dsn)

    assert applied == tuple(migration.name for migration in migrations())
    with connect(top_dsn) as connection:
        check_schema(connection)
        assert schema_version(connection) == len(migrations())
        names = connection.execute("SELECT name FROM schema_version ORDER BY version").fetchall()
        assert tuple(name for (name,) in names) == applied


def test_a_second_run_finds_nothing_to_do(top_dsn):
    sync_schema(top_dsn)

    assert sync_schema(top_dsn) == ()


def test_programs_at_the_same_time_apply_each_file_once(top_dsn):
    with ThreadPoolExecutor(8) as threads:
        applied = list(threads.map(lambda _: sync_schema(top_dsn), range(8)))

    assert sorted(name for names in applied for name in names) == [m.name for m in migrations()]


def test_a_newer_schema_is_refused_by_both(top_dsn):
    sync_schema(top_dsn)
    with connect(top_dsn) as connection:
        connection.execute("INSERT INTO schema_version (version, name) VALUES (9999, 'from the future')")

        for refused in (lambda: sync_schema(top_dsn), lambda: check_schema(connection)):
            with pytest.raises(SchemaMismatch, match="9999") as caught:
                refused()
            assert "upgrade treetop" in str(caught.value.hint)


def test_an_older_schema_is_told_with_the_command_that_mends_it(top_dsn):
    with connect(top_dsn) as connection, pytest.raises(SchemaMismatch) as caught:
        check_schema(connection)

    assert caught.value.hint == "run: treetop db sync"
    assert migrations()[0].name in str(caught.value)


def test_a_zone_of_the_former_version_is_loaded_anew_by_a_worker_of_this_one(top_dsn):
    with connect(top_dsn) as connection:
        connection.execute(migrations()[0].statements.encode())
        connection.execute(
            "CREATE TABLE schema_version (version integer PRIMARY KEY, name text, applied_at timestamptz);"
            "INSERT INTO schema_version (version, name) VALUES (1, '0001');"
            "INSERT INTO zone (id, name, region, trust, url) VALUES (1, 'west', 'r', 'full', 'mysql://u@h/d');"
            "INSERT INTO zone_position (zone_id, identity, position, is_loaded) VALUES (1, 'i', '0-1-7', true);"
            "INSERT INTO zone_status (zone_id, state) VALUES (1, 'live');"
        )
        leases.claim(connection, ZoneId(1), owner="old/1")

        sync_schema(top_dsn)

        with pytest.raises(LostLease):
            leases.renew(connection, ZoneId(1), owner="old/1")
        stored = leases.claim(connection, ZoneId(1), owner="new/1")
    assert (stored.position, stored.is_loaded) == (None, False)


def test_a_database_that_does_not_answer_is_unavailable_and_no_password_is_told():
    with pytest.raises(StoreUnavailable) as caught:
        sync_schema("host=127.0.0.1 port=1 user=u dbname=d password=s3cret")

    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in str(caught.value.hint)
