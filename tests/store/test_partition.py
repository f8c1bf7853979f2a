# SPDX-License-Identifier: Apache-2.0
"""Whether a load would come to rows that are there already: then it compares instead of writing."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from treetop.model.source_url import parse_source_url
from treetop.model.zone import Trust, Zone, ZoneKind, parse_zone_name
from treetop.nova.watched import segments
from treetop.store.migrate import sync_schema
from treetop.store.partition import has_rows_after, partition
from treetop.store.zones import add_zone


@pytest.fixture
def top(top_dsn: str) -> Iterator["psycopg.Connection"]:
    sync_schema(top_dsn)
    with psycopg.connect(top_dsn, autocommit=True) as connection:
        yield connection


def a_zone(top: "psycopg.Connection", kind: ZoneKind, trust: Trust = Trust.FULL) -> Zone:
    return add_zone(
        top,
        name=parse_zone_name(kind),
        region="r",
        trust=trust,
        url=parse_source_url(f"mysql://u@h/{kind}"),
        password=None,
        kind=kind,
    )


def segment_key(zone: Zone, table: str, row_id: int) -> int:
    (segment,) = (each for each in segments(zone.kind, zone.trust) if each.table and each.table.name == table)
    return segment.first_key + row_id


def test_a_cells_servers_count_until_they_are_all_in(top: "psycopg.Connection") -> None:
    zone = a_zone(top, ZoneKind.CELL)
    top.execute("INSERT INTO nova_services (zone_id, id) VALUES (%s, 1)", (zone.id,))  # as the stream does
    assert not has_rows_after(top, zone, 0)

    top.execute(
        sql.SQL(
            "INSERT INTO {} (zone_id, uuid, source_id, deleted) VALUES (%s, gen_random_uuid(), 5, false)"
        ).format(partition(zone.id)),
        (zone.id,),
    )

    assert has_rows_after(top, zone, 4)
    assert not has_rows_after(top, zone, 5)


@pytest.mark.parametrize("kind", [ZoneKind.CELL, ZoneKind.API])
def test_rows_of_the_present_and_of_later_segments_count(top: "psycopg.Connection", kind: ZoneKind) -> None:
    zone = a_zone(top, kind)
    early, late = ("services", "migrations") if kind is ZoneKind.CELL else ("flavors", "quotas")
    top.execute(f"INSERT INTO nova_{early} (zone_id, id) VALUES (%s, 7), (99, 1000)", (zone.id,))

    assert has_rows_after(top, zone, segment_key(zone, early, 6))
    assert not has_rows_after(top, zone, segment_key(zone, early, 7))

    top.execute(f"INSERT INTO nova_{late} (zone_id, id) VALUES (%s, 3)", (zone.id,))

    assert has_rows_after(top, zone, segment_key(zone, early, 7))
    assert not has_rows_after(top, zone, segment_key(zone, late, 3))


def test_an_empty_api_database_has_nothing(top: "psycopg.Connection") -> None:
    assert not has_rows_after(top, a_zone(top, ZoneKind.API), 0)
