# SPDX-License-Identifier: Apache-2.0
"""Connections to the top, and what is said of its errors: what to do, without a secret."""

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import errors

from treetop.errors import Refuse, Retry, SchemaMismatch, StopZone, StoreUnavailable, TreetopError
from treetop.store.session import open_session, store_errors

SECRET = "sw0rdfish"


def said(error):
    return f"{error} {error.hint} {error!r}"


def test_a_session_says_who_it_is_and_speaks_utc(top_dsn):
    with open_session(top_dsn, name="worker of west", settings="-c work_mem=1MB") as connection:
        shown = [
            connection.execute(f"SHOW {name}").fetchone()[0]
            for name in ("application_name", "TimeZone", "DateStyle", "work_mem")
        ]

    assert shown == ["treetop worker of west", "UTC", "ISO, MDY", "1MB"]


@pytest.mark.parametrize("name", ["x" * 100, "worker of zone-with-a-long-name-" + "y" * 63])
def test_a_long_name_is_cut_where_postgresql_would_warn(top_dsn, name):
    with open_session(top_dsn, name=name) as connection:
        assert len(connection.execute("SHOW application_name").fetchone()[0]) == 63


def test_a_top_that_is_not_there_is_to_be_tried_again():
    with pytest.raises(StoreUnavailable, match="does not answer") as failed:
        open_session(f"host=127.0.0.1 port=1 user=u password={SECRET}", name="test")

    assert "[store] connection" in failed.value.hint
    assert SECRET not in said(failed.value)


@pytest.mark.parametrize(
    "conninfo",
    [
        SECRET,
        f"host=h password=my {SECRET}",
        f"host=h password='{SECRET}",
        f"password={SECRET} bogus=1",
        f"postgresql://u:my@{SECRET}@h/d",
        f"postgresql://u:my/{SECRET}@h/d",
        f"postgresql://u:{SECRET}",
        f"postgresql://u:%zz{SECRET}@h/d",
        f"postgresql://u@h/d?{SECRET}=1",
        f"mysql://u:{SECRET}@h/d",
    ],
)
def test_a_connection_that_cannot_be_meant_is_refused_and_not_repeated(conninfo):
    with pytest.raises(Refuse) as refused:
        open_session(conninfo, name="test")

    assert "passfile=" in refused.value.hint
    assert SECRET not in said(refused.value)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


@given(
    st.text(st.sampled_from("@:/?#%&= '\\a0é"), max_size=6),
    st.text(st.sampled_from("@:/?#%&= '\\a0é"), max_size=6),
)
def test_a_password_that_was_not_quoted_is_never_repeated(before, after):
    with pytest.raises(TreetopError) as failed:
        open_session(f"postgresql://u:{before}{SECRET}{after}@127.0.0.1:1/d", name="test")

    assert SECRET not in said(failed.value)


@pytest.mark.parametrize(
    ("driver", "ours", "hint"),
    [
        (errors.DiskFull, StoreUnavailable, "free disk space"),
        (errors.OutOfMemory, StoreUnavailable, "free disk space"),
        (errors.ReadOnlySqlTransaction, StoreUnavailable, "at the primary"),
        (errors.AdminShutdown, StoreUnavailable, "[store] connection"),
        (psycopg.InterfaceError, StoreUnavailable, "[store] connection"),
        (errors.UndefinedTable, SchemaMismatch, "treetop db sync"),
        (errors.UndefinedColumn, SchemaMismatch, "treetop db sync"),
        (errors.InsufficientPrivilege, StopZone, "grant it"),
        (errors.DeadlockDetected, Retry, None),
        (errors.SerializationFailure, Retry, None),
        (errors.UniqueViolation, StopZone, "mend the row"),
        (errors.InvalidTextRepresentation, StopZone, "mend the row"),
    ],
)
def test_an_error_of_the_driver_becomes_what_to_do_about_it(driver, ours, hint):
    with pytest.raises(TreetopError) as raised, store_errors():
        raise driver("what happened\nCONTEXT: more")

    assert type(raised.value) is ours
    assert str(raised.value).endswith(": what happened") or ours is StoreUnavailable
    assert (raised.value.hint is None) if hint is None else (hint in raised.value.hint)


def test_an_error_of_our_own_passes():
    with pytest.raises(Refuse, match="no"), store_errors():
        raise Refuse("no")


def test_a_missing_table_is_a_missing_migration(top_dsn):
    with open_session(top_dsn, name="test") as connection, pytest.raises(SchemaMismatch), store_errors():
        connection.execute("SELECT * FROM zone")


def test_a_lost_connection_is_to_be_tried_again(top_dsn):
    with open_session(top_dsn, name="test") as connection, psycopg.connect(top_dsn, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))
        with pytest.raises(StoreUnavailable), store_errors():
            connection.execute("SELECT 1")
