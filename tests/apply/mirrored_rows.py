# SPDX-License-Identifier: Apache-2.0
"""Random rows of the tables that are mirrored, and chunks of them, for `zone_model`."""

from random import Random

from treetop.model.change import Chunk, Row, Snapshot
from treetop.model.zone import Trust, ZoneKind
from treetop.nova.table import Kind, Table
from treetop.nova.watched import Segment, segments, watched_tables

WATCHED = watched_tables(ZoneKind.CELL, Trust.FULL)
SEGMENTS = segments(ZoneKind.CELL, Trust.FULL)
MIRRORED = tuple(segment.table.name for segment in SEGMENTS if segment.table is not None)

_VALUES: dict[Kind, list[object]] = {
    Kind.INTEGER: [None, 0, 1, 2**40],
    Kind.BOOLEAN: [None, False, True],
    Kind.TEXT: [None, "", "né", "x" * 30],
    Kind.TIMESTAMP: [None, "2026-01-02 03:04:05", "2026-01-02 03:04:05.5"],
    Kind.REAL: [None, "1.5", "0.1", "16"],
}


def random_values(random: Random, table: Table) -> dict[str, object]:
    """A value for each column of a row but its id."""
    return {column.name: random.choice(_VALUES[column.kind]) for column in table.columns[1:]}


def segment_chunk(
    segment: Segment,
    rows: list[Row],
    snapshot: Snapshot,
    *,
    after: int = 0,
    upto: int | None = None,
    only: frozenset[str | int] | None = None,
) -> Chunk:
    """These rows of a mirrored table as a chunk. after, upto: ids; upto None: to the table's end."""
    assert segment.table is not None
    end = None if segment is SEGMENTS[-1] else segment.last_key
    return Chunk(
        table=segment.table.name,
        after=segment.first_key + after,
        upto=end if upto is None else segment.first_key + upto,
        only=only,
        snapshot=snapshot,
        rows={segment.table.name: rows},
    )
