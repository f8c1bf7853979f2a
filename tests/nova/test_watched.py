# SPDX-License-Identifier: Apache-2.0
"""What is read of a zone, and the one order of all of its rows."""

from itertools import pairwise

import pytest

from treetop.errors import StopZone
from treetop.model.change import Row
from treetop.model.zone import Trust, ZoneKind
from treetop.nova.mirrored_tables import ID_PLACE, MIRRORED_API_TABLES, MIRRORED_CELL_TABLES, MIRRORED_TABLES
from treetop.nova.tables import CELL_TABLES, INSTANCES
from treetop.nova.watched import cut, describe_key, id_of, segment_after, segments, watched_tables

CELL, API = ZoneKind.CELL, ZoneKind.API
zones = pytest.mark.parametrize(("kind", "trust"), [(kind, trust) for kind in ZoneKind for trust in Trust])


def test_a_cell_has_its_servers_and_what_is_mirrored() -> None:
    assert set(watched_tables(CELL, Trust.FULL)) == {*CELL_TABLES, *MIRRORED_CELL_TABLES}
    assert set(watched_tables(API, Trust.FULL)) == set(MIRRORED_API_TABLES)


def test_tables_about_hosts_are_not_even_read_of_a_zone_that_shares_servers_only() -> None:
    cell = watched_tables(CELL, Trust.FULL).keys() - watched_tables(CELL, Trust.SERVERS).keys()
    api = watched_tables(API, Trust.FULL).keys() - watched_tables(API, Trust.SERVERS).keys()

    assert cell == {"services", "compute_nodes"}
    assert api == {"aggregate_hosts", "host_mappings"}


def test_no_name_is_of_two_kinds_of_tables() -> None:
    assert len(MIRRORED_TABLES) == len(MIRRORED_API_TABLES) + len(MIRRORED_CELL_TABLES)
    assert not MIRRORED_TABLES.keys() & CELL_TABLES.keys()


def test_rows_begin_with_their_id() -> None:
    for table in (INSTANCES, *MIRRORED_TABLES.values()):
        assert table.shared_columns[ID_PLACE] == table.column_names[ID_PLACE] == "id"


def test_the_key_of_a_cells_server_is_its_id() -> None:
    segment, row_id = segment_after(500, kind=CELL, trust=Trust.FULL)

    assert (segment.table, segment.first_key, row_id) == (None, 0, 500)


@zones
def test_segments_follow_each_other_to_the_last(kind: ZoneKind, trust: Trust) -> None:
    parts = segments(kind, trust)

    assert segment_after(0, kind=kind, trust=trust) == (parts[0], 0)
    for segment, following in pairwise(parts):
        assert segment.last_key < following.first_key
        assert segment_after(segment.last_key - 1, kind=kind, trust=trust)[0] is segment
        assert segment_after(segment.last_key, kind=kind, trust=trust) == (following, 0)
        assert segment_after(following.first_key + 7, kind=kind, trust=trust) == (following, 7)
    assert segment_after(parts[-1].last_key, kind=kind, trust=trust)[0] is parts[-1]


@zones
def test_a_key_names_its_id(kind: ZoneKind, trust: Trust) -> None:
    for segment in segments(kind, trust):
        assert id_of(segment.first_key + 12) == 12


def test_a_place_means_the_same_whatever_a_zone_shares() -> None:
    full = {each.table: each.number for each in segments(CELL, Trust.FULL)}
    assert all(full[each.table] == each.number for each in segments(CELL, Trust.SERVERS))


@zones
def test_a_chunk_ends_at_its_last_row_or_with_its_segment(kind: ZoneKind, trust: Trust) -> None:
    for segment in segments(kind, trust):
        end = None if segment is segments(kind, trust)[-1] else segment.last_key
        rows: list[Row] = [(1,), (5,), (9,)]

        assert cut(list(rows), 3, segment=segment, kind=kind, trust=trust) == end
        assert cut([], 3, segment=segment, kind=kind, trust=trust) == end
        assert cut(rows, 2, segment=segment, kind=kind, trust=trust) == segment.first_key + 5
        assert rows == [(1,), (5,)]


def test_an_id_that_would_be_a_key_of_the_next_segment_stops_the_zone() -> None:
    first = segments(CELL, Trust.FULL)[0]
    beyond = first.last_key + 1

    for most in (1, 2):
        with pytest.raises(StopZone, match=f"instances has a row with id {beyond}"):
            cut([(1,), (beyond,)], most, segment=first, kind=CELL, trust=Trust.FULL)
    assert cut([(1,), (beyond - 1,)], 2, segment=first, kind=CELL, trust=Trust.FULL) == first.last_key


def test_a_key_is_named_for_people() -> None:
    migrations = next(
        each for each in segments(CELL, Trust.FULL) if each.table and each.table.name == "migrations"
    )

    assert describe_key(500, kind=CELL, trust=Trust.FULL) == "instances.id 500"
    assert describe_key(migrations.first_key + 3, kind=CELL, trust=Trust.FULL) == "migrations.id 3"
    assert describe_key(migrations.last_key, kind=CELL, trust=Trust.FULL) == "the end of migrations"
