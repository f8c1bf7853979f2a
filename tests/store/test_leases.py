# SPDX-License-Identifier: Apache-2.0
"""Who may write a zone: one worker at a time, whatever the others think."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from treetop.errors import LostLease, NotFound, Retry
from treetop.model.change import Position
from treetop.model.source_url import parse_source_url
from treetop.model.zone import Trust, ZoneId, ZoneState, parse_zone_name
from treetop.store.leases import (
    LEASE_SECONDS,
    begin_load,
    claim,
    has_worker,
    release,
    renew,
    set_state,
)
from treetop.store.migrate import sync_schema
from treetop.store.zones import add_zone, remove_zone, report_zones

MINE, SISTER, OTHER = "one/1", "one/2", "two/1"


@pytest.fixture
def conn(top_dsn):
    sync_schema(top_dsn)
    with psycopg.connect(top_dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture
def zone(conn):
    url = parse_source_url("mysql://u@h/d")
    return add_zone(
        conn, name=parse_zone_name("west"), region="r", trust=Trust.FULL, url=url, password=None
    ).id


def lapse(conn):
    conn.execute("UPDATE zone_position SET lease_until = now() - interval '1 second'")


def test_a_new_zone_has_no_worker_and_no_position(conn, zone):
    assert not has_worker(conn, zone)

    stored = claim(conn, zone, owner=MINE)

    assert has_worker(conn, zone)
    assert (stored.identity, stored.position, stored.loaded_upto, stored.is_loaded) == (
        None,
        None,
        None,
        False,
    )
    assert abs(stored.now - datetime.now(UTC)) < timedelta(seconds=30)


def test_a_held_zone_is_refused_with_its_holder(conn, zone):
    claim(conn, zone, owner=MINE)

    with pytest.raises(Retry, match=r"another worker \(one/1\) reads this zone until"):
        claim(conn, zone, owner=OTHER)
    renew(conn, zone, owner=MINE)


def test_a_worker_of_the_same_supervisor_takes_over_at_once(conn, zone):
    claim(conn, zone, owner=MINE)
    claim(conn, zone, owner=SISTER)

    with pytest.raises(LostLease):
        renew(conn, zone, owner=MINE)


def test_a_lapsed_lease_is_anybodys(conn, zone):
    claim(conn, zone, owner=MINE)
    lapse(conn)

    assert not has_worker(conn, zone)
    claim(conn, zone, owner=OTHER)
    for late in (
        renew,
        lambda *_a, **_k: begin_load(conn, zone, owner=MINE, identity="i", position=Position("p")),
    ):
        with pytest.raises(LostLease):
            late(conn, zone, owner=MINE)


def test_a_lapsed_lease_that_nobody_took_can_be_renewed(conn, zone):
    claim(conn, zone, owner=MINE)
    lapse(conn)
    renew(conn, zone, owner=MINE)

    assert has_worker(conn, zone)
    with pytest.raises(Retry):
        claim(conn, zone, owner=OTHER)


def test_a_lease_lasts_for_some_seconds_from_its_last_renewal(conn, zone):
    claim(conn, zone, owner=MINE)
    (left,) = conn.execute("SELECT lease_until - now() FROM zone_position").fetchone()

    assert timedelta(seconds=LEASE_SECONDS - 3) < left <= timedelta(seconds=LEASE_SECONDS)


def test_only_the_owner_gives_a_lease_back(conn, zone):
    claim(conn, zone, owner=MINE)
    release(conn, zone, owner=OTHER)
    assert has_worker(conn, zone)

    release(conn, zone, owner=MINE)

    assert not has_worker(conn, zone)
    claim(conn, zone, owner=OTHER)


def test_a_load_begins_at_its_position_and_keeps_what_was_counted(conn, zone):
    claim(conn, zone, owner=MINE)
    conn.execute("UPDATE zone_position SET is_loaded = true, loaded_upto = 7, transactions = 5")
    begin_load(conn, zone, owner=MINE, identity="history", position=Position("0-1-9"))
    stored = claim(conn, zone, owner=MINE)

    assert (stored.identity, stored.position) == ("history", "0-1-9")
    assert (stored.loaded_upto, stored.is_loaded) == (None, False)
    assert report_zones(conn)[0].transactions == 5


def test_only_the_owner_says_a_zones_state(conn, zone):
    claim(conn, zone, owner=MINE)
    set_state(conn, zone, ZoneState.LIVE, owner=MINE)

    with pytest.raises(LostLease):
        set_state(conn, zone, ZoneState.STOPPED, owner=OTHER)
    assert report_zones(conn)[0].state is ZoneState.LIVE


def test_since_moves_with_the_state_or_its_reason_only(conn, zone):
    claim(conn, zone, owner=MINE)
    seen = []
    for reason, attempts in (("down", 1), ("down", 2), ("slow", 3)):
        set_state(conn, zone, ZoneState.WAITING, owner=MINE, reason=reason, attempts=attempts)
        seen.append(report_zones(conn)[0].since)

    assert seen[0] == seen[1] < seen[2]


def test_a_removed_zone_is_nobodys(conn, zone):
    claim(conn, zone, owner=MINE)
    remove_zone(conn, "west")

    with pytest.raises(NotFound):
        claim(conn, zone, owner=MINE)
    with pytest.raises(LostLease):
        renew(conn, zone, owner=MINE)
    release(conn, zone, owner=MINE)
    assert not has_worker(conn, ZoneId(zone))
