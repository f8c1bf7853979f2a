# SPDX-License-Identifier: Apache-2.0
"""The registry of zones: whole or not at all, whatever is in it and whoever else writes to it."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.store.builders import a_server
from treetop.errors import NotFound, Refuse
from treetop.model.source_url import parse_source_url
from treetop.model.zone import MAX_ZONE_ID, PasswordReference, Trust, ZoneState, parse_zone_name
from treetop.store.leases import set_state
from treetop.store.migrate import sync_schema
from treetop.store.verifications import request_verification
from treetop.store.zones import add_zone, find_zone, list_zones, remove_zone, report_zones, top_id


@pytest.fixture
def dsn(top_dsn):
    sync_schema(top_dsn)
    return top_dsn


@pytest.fixture
def conn(dsn):
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection


def add(conn, name="west", url=None, **options):
    return add_zone(
        conn,
        name=parse_zone_name(name),
        region=options.get("region", "lab"),
        trust=options.get("trust", Trust.SERVERS),
        url=parse_source_url(url or f"mysql://u@h/{name}"),
        password=options.get("password"),
    )


def partitions(conn):
    return [
        row[0] for row in conn.execute("SELECT relid::text FROM pg_partition_tree('server') WHERE level = 1")
    ]


def test_an_added_zone_is_found_as_it_was_given(conn):
    reference = PasswordReference(kind="env", name="WEST")
    zone = add(conn, url="mysql://u%40x@h/d?ssl_ca=/a", region="Lab 1", trust=Trust.FULL, password=reference)

    assert find_zone(conn, "west") == zone
    assert list_zones(conn) == [zone]
    assert (zone.region, zone.trust, zone.password) == ("Lab 1", Trust.FULL, reference)
    assert len(partitions(conn)) == 1


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    region=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=50),
    user=st.text(min_size=1, max_size=9),
)
def test_whatever_was_added_can_be_listed(conn, region, user):
    """One zone that cannot be read back would hide all the others."""
    try:
        url = parse_source_url(f"mysql://{user}@h/d")
    except Refuse:
        return
    zone = add_zone(conn, name=parse_zone_name("x"), region=region, trust=Trust.FULL, url=url, password=None)

    assert list_zones(conn) == [zone]
    assert remove_zone(conn, "x") == zone


def test_numbers_are_not_given_twice_by_programs_at_the_same_time(dsn):
    def add_one(number):
        with psycopg.connect(dsn, autocommit=True) as connection:
            return add(connection, f"zone{number}").id

    with ThreadPoolExecutor(8) as threads:
        ids = list(threads.map(add_one, range(16)))

    assert sorted(ids) == list(range(1, 17))


def test_of_two_programs_that_add_the_same_one_is_refused(dsn):
    def add_it(_):
        with psycopg.connect(dsn, autocommit=True) as connection:
            try:
                return str(add(connection, "same").name)
            except Refuse as error:
                return error.hint

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(add_it, range(4))) == ["same"] + ["treetop zone show same"] * 3


def test_a_refused_zone_leaves_nothing(conn):
    add(conn)
    for name, url in (("west", "mysql://u@other/d"), ("other", "mariadb://x@h/west")):
        with pytest.raises(Refuse):
            add(conn, name, url)

    assert [zone.name for zone in list_zones(conn)] == ["west"]
    assert len(partitions(conn)) == 1


def test_a_full_registry_says_so(conn):
    conn.execute(
        "INSERT INTO zone (id, name, region, trust, url) VALUES (%s, 'last', 'r', 'full', 'mysql://u@h/last')",
        (MAX_ZONE_ID,),
    )
    with pytest.raises(Refuse, match=f"holds {MAX_ZONE_ID} zones"):
        add(conn)


def test_a_removed_zone_takes_its_rows_and_nobody_elses(conn):
    west, east = add(conn, "west"), add(conn, "east")
    for zone in (west, east):
        a_server(conn, zone_id=zone.id)
        request_verification(conn, zone.id, repair=False)

    assert remove_zone(conn, "west") == west

    assert [zone.name for zone in list_zones(conn)] == ["east"]
    for table in ("server", "zone_position", "zone_status", "zone_verification"):
        assert conn.execute(f"SELECT DISTINCT zone_id FROM {table}").fetchall() == [(east.id,)], table
    assert len(partitions(conn)) == 1


@pytest.mark.parametrize("ask", [find_zone, remove_zone, report_zones])
def test_an_unknown_zone_is_not_found(conn, ask):
    add(conn)
    with pytest.raises(NotFound) as refused:
        ask(conn, "east")

    assert refused.value.hint == "treetop zone list"


def test_a_new_zone_is_reported_as_never_read(conn):
    add(conn)
    (report,) = report_zones(conn)

    assert report.state is ZoneState.NEW
    assert (report.position, report.as_of, report.lag_seconds, report.is_loaded) == (None, None, None, False)
    assert (report.servers, report.transactions) == (0, 0)
    assert (report.reason, report.hint) == ("no worker reads this zone", "treetop sync")


def test_a_report_counts_servers_that_are_not_deleted_and_tells_the_age(conn):
    zone = add(conn)
    a_server(conn, 1, zone_id=zone.id)
    a_server(conn, 2, zone_id=zone.id, deleted=True)
    conn.execute(
        "UPDATE zone_position SET as_of = now() - interval '1 minute', transactions = 7, owner = 'me'"
    )
    set_state(conn, zone.id, ZoneState.STOPPED, owner="me", reason="broken", hint="mend it")
    (report,) = report_zones(conn, "west")

    assert (report.servers, report.transactions, report.state) == (1, 7, ZoneState.STOPPED)
    assert (report.reason, report.hint) == ("broken", "mend it")
    assert report.lag_seconds == pytest.approx(60, abs=5)


def test_a_zone_from_the_future_is_not_behind(conn):
    """The top's clock may be set back."""
    add(conn)
    conn.execute("UPDATE zone_position SET as_of = now() + interval '1 minute'")

    assert report_zones(conn)[0].lag_seconds == 0.0


def test_a_top_keeps_its_name(conn, dsn):
    name = top_id(conn)
    sync_schema(dsn)

    assert top_id(conn) == name
    assert len(name) == 8
    assert set(name) <= set("0123456789abcdef")
