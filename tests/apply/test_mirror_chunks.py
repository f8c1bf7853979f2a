# SPDX-License-Identifier: Apache-2.0
"""A chunk of a mirrored table against the top: it speaks of its range, in its table and zone, and of nothing else."""

import psycopg
import pytest

from tests.apply.claimed_top import OWNER, everything_at_top, progress_at
from tests.apply.mirrored_rows import SEGMENTS, segment_chunk
from tests.apply.zone_model import Everything
from treetop.apply.chunks import compare_chunk, load_chunk, repair_chunk
from treetop.apply.difference import Difference
from treetop.apply.writer import ZoneWriter
from treetop.model.change import Chunk, Row
from treetop.model.zone import Zone

SEGMENT = next(each for each in SEGMENTS if each.table is not None and each.table.name == "services")


def a_row(row_id: int, host: str = "h") -> Row:
    assert SEGMENT.table is not None
    values = {"id": row_id, "host": host}
    return tuple(values.get(name) for name in SEGMENT.table.shared_columns)


def a_chunk(*ids: int, after: int = 0, upto: int | None = None, only: frozenset[int] | None = None) -> Chunk:
    rows = [a_row(row_id) for row_id in ids]
    return segment_chunk(SEGMENT, rows, Everything(), after=after, upto=upto, only=only)


def hosts_at_top(dsn: str) -> dict[object, object]:
    return {row["id"]: row["host"] for row in everything_at_top(dsn)["nova_services"]}


@pytest.fixture
def dsn(top_dsn: str, zone: Zone) -> str:
    """A top that has services 1 to 6 of the zone."""
    with psycopg.connect(top_dsn) as conn:
        for number in range(1, 7):
            conn.execute(
                "INSERT INTO nova_services (zone_id, id, host) VALUES (%s, %s, 'old')", (zone.id, number)
            )
    return top_dsn


def load(dsn: str, zone: Zone, chunk: Chunk, skipped: set[int] | None = None) -> int:
    with ZoneWriter(dsn, zone.id, OWNER) as writer:
        count = load_chunk(writer, chunk, skipped or set())
        writer.commit(progress_at(1))
    return count


def test_a_load_replaces_its_range_and_no_more(dsn: str, zone: Zone) -> None:
    assert load(dsn, zone, a_chunk(3, 5, after=2, upto=5)) == 2

    assert hosts_at_top(dsn) == {1: "old", 2: "old", 3: "h", 5: "h", 6: "old"}


def test_the_last_range_reaches_to_the_end(dsn: str, zone: Zone) -> None:
    load(dsn, zone, a_chunk(5, 9, after=4))

    assert hosts_at_top(dsn) == {1: "old", 2: "old", 3: "old", 4: "old", 5: "h", 9: "h"}


def test_skipped_rows_are_left_alone(dsn: str, zone: Zone) -> None:
    assert load(dsn, zone, a_chunk(1, 2), {2, 3}) == 1

    assert hosts_at_top(dsn) == {1: "h", 2: "old", 3: "old"}


def test_single_rows_are_replaced_or_gone(dsn: str, zone: Zone) -> None:
    load(dsn, zone, a_chunk(2, only=frozenset({2, 4})))

    assert hosts_at_top(dsn) == {1: "old", 2: "h", 3: "old", 5: "old", 6: "old"}


def test_every_kind_of_difference_is_found_and_mended(dsn: str, zone: Zone) -> None:
    load(dsn, zone, a_chunk(1, 2))
    with psycopg.connect(dsn) as conn:
        conn.execute("UPDATE nova_services SET host = 'wrong' WHERE id = 1")
    chunk = a_chunk(1, 2, 3, after=0, upto=3)

    with ZoneWriter(dsn, zone.id, OWNER) as writer:
        compared, differences = compare_chunk(writer, chunk, ())
        repair_chunk(writer, chunk, differences)
        _, after = compare_chunk(writer, chunk, ())

    assert compared == 3
    assert sorted(differences, key=lambda each: each.key) == [
        Difference(table="services", key=1, kind="different", columns={"host": ("wrong", "h")}),
        Difference(table="services", key=3, kind="missing", columns={}),
    ]
    assert after == []


def test_a_row_that_the_zone_does_not_have_is_extra(dsn: str, zone: Zone) -> None:
    chunk = a_chunk(after=5)

    with ZoneWriter(dsn, zone.id, OWNER) as writer:
        _, differences = compare_chunk(writer, chunk, ())
        repair_chunk(writer, chunk, differences)
        writer.commit(progress_at(1))

    assert [(each.kind, each.key) for each in differences] == [("extra", 6)]
    assert sorted(hosts_at_top(dsn)) == [1, 2, 3, 4, 5]
