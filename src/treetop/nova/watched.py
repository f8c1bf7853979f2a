# SPDX-License-Identifier: Apache-2.0
"""Which tables are read of a zone, by its kind and trust, and the order in which all of their rows are read. Pure.

A zone's rows form segments, one after the other: of a cell first its servers (with their rows in every table of
`nova.tables`), then each mirrored table; of an API database its mirrored tables. A *row key* is a place in that
order: the segment's number above `ID_BITS` bits of id. So how far a load is, and where a chunk begins and ends,
stays one integer that only grows, and for a cell's servers it is their `instances.id` itself. A segment's number
does not depend on trust: the numbers of tables that are not read are left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from treetop.errors import StopZone
from treetop.model.change import Row
from treetop.model.zone import Trust, ZoneKind
from treetop.nova.mirrored_tables import ID_PLACE, MIRRORED_API_TABLES, MIRRORED_CELL_TABLES
from treetop.nova.table import Table
from treetop.nova.tables import CELL_TABLES, INSTANCES

ID_BITS: Final = 44
_MOST_ID: Final = (1 << ID_BITS) - 1

_SERVERS: Final = 0  # the number of the servers' segment
_MIRRORED: Final = {ZoneKind.CELL: MIRRORED_CELL_TABLES, ZoneKind.API: MIRRORED_API_TABLES}

#: What a zone's database has to be, for messages.
DATABASE_NAMES: Final = MappingProxyType({ZoneKind.CELL: "Nova cell", ZoneKind.API: "Nova API database"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A part of a zone's rows. table: the mirrored table, None: the servers."""

    number: int
    table: Table | None

    @property
    def table_name(self) -> str:
        """Nova's table whose ids are in the keys."""
        return INSTANCES.name if self.table is None else self.table.name

    @property
    def first_key(self) -> int:
        """The key below all of its rows."""
        return self.number << ID_BITS

    @property
    def last_key(self) -> int:
        """The key above which the next segment begins."""
        return self.first_key | _MOST_ID


def id_of(key: int) -> int:
    """Return the id in a row key: of the last row at or before it in the key's segment."""
    return key & _MOST_ID


@lru_cache(maxsize=8)
def segments(kind: ZoneKind, trust: Trust) -> tuple[Segment, ...]:
    """Return the segments that are read of a zone, in order."""
    mirrored = tuple(
        Segment(number=number, table=table)
        for number, table in enumerate(_MIRRORED[kind].values(), start=_SERVERS + 1)
        if table.trust is Trust.SERVERS or trust is Trust.FULL
    )
    return mirrored if kind is ZoneKind.API else (Segment(number=_SERVERS, table=None), *mirrored)


@lru_cache(maxsize=8)
def watched_tables(kind: ZoneKind, trust: Trust) -> Mapping[str, Table]:
    """Return every table that is read of a zone, by name."""
    mirrored = {each.table.name: each.table for each in segments(kind, trust) if each.table is not None}
    return MappingProxyType(mirrored if kind is ZoneKind.API else CELL_TABLES | mirrored)


def segment_after(key: int, *, kind: ZoneKind, trust: Trust) -> tuple[Segment, int]:
    """Return the segment of the first row that may come after `key`, and that row's id or less, without the row.

    A key behind the last segment gives the end of the last one.
    """
    parts = segments(kind, trust)
    found = next((each for each in parts if key < each.last_key), parts[-1])
    return found, min(max(0, key - found.first_key), _MOST_ID)


def cut(rows: list[Row], most: int, *, segment: Segment, kind: ZoneKind, trust: Trust) -> int | None:
    """Drop what a chunk of the segment got beyond `most` rows, and return the key up to which it then speaks.

    rows: by id. None: to the end of all. Raises `StopZone` for an id that has no place in the order of keys.
    """
    last = rows[-1][ID_PLACE] if rows else 0
    assert isinstance(last, int)
    if last > _MOST_ID:
        raise StopZone(
            f"{segment.table_name} has a row with id {last}, and Treetop reads ids up to {_MOST_ID}",
            hint="no release of Nova gives such an id: find out where the row came from",
        )
    if len(rows) <= most:
        return None if segment is segments(kind, trust)[-1] else segment.last_key
    del rows[most:]
    last = rows[-1][ID_PLACE]
    assert isinstance(last, int)
    return segment.first_key + last


def describe_key(key: int, *, kind: ZoneKind, trust: Trust) -> str:
    """Name a row key for a person: `instances.id 500`."""
    parts = segments(kind, trust)
    found = next((each for each in parts if key <= each.last_key), parts[-1])
    table = found.table_name
    return f"the end of {table}" if key >= found.last_key else f"{table}.id {id_of(key)}"
