# SPDX-License-Identifier: Apache-2.0
"""The feed of changed servers is pruned by age, and says from when on it is complete."""

from datetime import timedelta

import psycopg
import pytest

from treetop.model.source_url import parse_source_url
from treetop.model.zone import Trust, Zone, parse_zone_name
from treetop.store.feed import CLOCKS_APART, prune_feed
from treetop.store.migrate import sync_schema
from treetop.store.zones import add_zone


@pytest.fixture
def zone(top_dsn: str) -> Zone:
    sync_schema(top_dsn)
    with psycopg.connect(top_dsn) as conn:
        zone = add_zone(
            conn,
            name=parse_zone_name("west"),
            region="r",
            trust=Trust.FULL,
            url=parse_source_url("mysql://u@h/d"),
            password=None,
        )
        conn.execute("UPDATE zone_position SET feed_from = (now() - interval '9 days') AT TIME ZONE 'UTC'")
        for hours in (1, 30, 100):
            conn.execute(
                "INSERT INTO server_feed VALUES (%s, gen_random_uuid(), now(), now() - %s)",
                (zone.id, timedelta(hours=hours)),
            )
    return zone


def feed(dsn: str) -> tuple[int, timedelta]:
    """How many entries there are, and how far back they are complete."""
    with psycopg.connect(dsn) as conn:
        row = conn.execute(
            "SELECT (SELECT count(*) FROM server_feed), (now() AT TIME ZONE 'UTC') - feed_from FROM zone_position"
        ).fetchone()
    assert row is not None
    return row[0], row[1]


def test_old_entries_go_and_the_feed_no_longer_claims_their_time(top_dsn: str, zone: Zone) -> None:
    with psycopg.connect(top_dsn, autocommit=True) as conn:
        deleted = prune_feed(conn, zone.id, kept=timedelta(hours=48))

    entries, reach = feed(top_dsn)
    assert (deleted, entries) == (1, 2)
    assert timedelta(hours=47) < reach <= timedelta(hours=48) - CLOCKS_APART + timedelta(minutes=1)


def test_a_feed_without_old_entries_stays_as_it_is(top_dsn: str, zone: Zone) -> None:
    with psycopg.connect(top_dsn, autocommit=True) as conn:
        deleted = prune_feed(conn, zone.id, kept=timedelta(hours=200))

    entries, reach = feed(top_dsn)
    assert (deleted, entries) == (0, 3)
    assert reach > timedelta(days=8)
