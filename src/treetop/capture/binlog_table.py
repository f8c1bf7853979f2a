# SPDX-License-Identifier: Apache-2.0
"""Reads the rows of one watched table out of row events, as fast as Python can. Pure.

In: the table's columns as the log has them, and the bytes of a row event. Out: `RowChange`s that went
through `nova.trust`. For every NULL bitmap that comes often a function is generated that unpacks runs of
fixed columns at once and only steps over what is not wanted; others, and text that is not valid UTF-8, take
a plain loop. Raises `StopZone` for a missing required column or a type that cannot be read (when made), and
for a row that does not fit its event (when reading).

Measured (bench/binlog.py): the generated functions take about a quarter of the plain loop's time.
"""

import struct
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from treetop.capture.binlog_columns import Reader, Width, WireColumn, reader, width
from treetop.capture.binlog_rowcode import RowFunction, generate
from treetop.capture.mysql_text import utf8_text
from treetop.errors import StopZone
from treetop.model.change import UNCHANGED, Op, Row, RowChange, Value
from treetop.model.zone import Trust
from treetop.nova.table import Table
from treetop.nova.trust import sharing

OFTEN = 3  # a bitmap seen this many times gets its own function: making one costs as much as 50 plain rows
MOST_FUNCTIONS = 1000  # per table; rows with further bitmaps take the plain loop
MOST_REMEMBERED = 10_000  # converted timestamps per column


class WatchedTable:
    """The compiled form of one TABLE_MAP: gives the changes of its row events."""

    def __init__(self, table: Table, columns: Sequence[WireColumn], trust: Trust) -> None:
        self.table = table
        self._columns = columns
        self._widths = [_known_width(column, table) for column in columns]
        self._bitmap_bytes = (len(columns) + 7) // 8
        self.full_bitmap = ((1 << len(columns)) - 1).to_bytes(self._bitmap_bytes, "little")
        places = {column.name: place for place, column in enumerate(columns)}
        _check_required(table, places)
        row = [places.get(column.name) for column in table.columns]
        readers = {
            place: _remembering(reader(columns[place], column.kind, table=table.name))
            for place, column in zip(row, table.columns, strict=True)
            if place is not None
        }
        identity = [places[name] for name in table.identity]
        self._rows = _Images(self._widths, readers, row)
        self._identities = _Images(self._widths, readers, identity)
        self._identity_of = _getter([table.index(name) for name in table.identity])
        self._share = sharing(table, trust)
        #: The wanted columns that the zone's table has: if they change, rows changed without row events.
        self.present = frozenset(column.name for column in table.columns if column.name in places)

    def changes(self, op: Op, data: bytes, start: int, end: int) -> list[RowChange]:
        """Read the rows between `start` (just after the present-columns bitmaps) and `end`, in order."""
        try:
            if op is Op.UPDATE:
                return self._updates(data, start, end)
            return self._whole_rows(op, data, start, end)
        except (struct.error, IndexError) as error:
            raise self._misfit(end) from error

    def _whole_rows(self, op: Op, data: bytes, at: int, end: int) -> list[RowChange]:
        name, share, read, bitmap_bytes = self.table.name, self._share, self._rows.read, self._bitmap_bytes
        found = []
        while at < end:
            after = at + bitmap_bytes
            row: Row | None
            row, at = read(data[at:after], data, after)
            if share is not None:
                row = share(row)
                if row is None:
                    continue
            found.append(RowChange(op, name, row))
        if at != end:
            raise self._misfit(end)
        return found

    def _updates(self, data: bytes, at: int, end: int) -> list[RowChange]:
        name, share, bitmap_bytes = self.table.name, self._share, self._bitmap_bytes
        read, read_identity, identity_of = self._rows.read, self._identities.read, self._identity_of
        found = []
        while at < end:
            start = at
            after = at + bitmap_bytes
            identity, at = read_identity(data[at:after], data, after)
            after = at + bitmap_bytes
            row, at = read(data[at:after], data, after)
            shared = row if share is None else share(row)
            if shared is None:
                found += self._unshared_update(data, start)
            elif identity == identity_of(row):
                found.append(RowChange(Op.UPDATE, name, shared))
            else:
                found.append(RowChange(Op.UPDATE, name, shared, self._old_row(identity)))
        if at != end:
            raise self._misfit(end)
        return found

    def _unshared_update(self, data: bytes, at: int) -> list[RowChange]:
        """A row that is not shared now: the top must drop it if its old form was shared."""
        after = at + self._bitmap_bytes
        old, _ = self._rows.read(data[at:after], data, after)
        shared = self._share(old) if self._share is not None else old
        return [] if shared is None else [RowChange(Op.DELETE, self.table.name, shared)]

    def _old_row(self, identity: Row) -> Row:
        known = dict(zip(self.table.identity, identity, strict=True))
        return tuple(known.get(name, UNCHANGED) for name in self.table.shared_columns)

    def _misfit(self, end: int) -> StopZone:
        return StopZone(
            f"a row of {self.table.name} does not end where its event ends (byte {end}): "
            "the table's columns are not what they are taken for",
            hint="SET GLOBAL binlog_row_metadata=FULL, then treetop zone resync NAME",
        )


class _Images:
    """Reads row images of one table: the values of the columns at `order` (None: a column it lacks)."""

    def __init__(
        self, widths: Sequence[Width], readers: dict[int, Reader], order: Sequence[int | None]
    ) -> None:
        self._widths = widths
        self._readers = {place: readers[place] for place in order if place is not None}
        self._order = order
        self._functions: dict[bytes, RowFunction] = {}
        self._seen: dict[bytes, int] = {}

    def read(self, nulls: bytes, data: bytes, at: int) -> tuple[Row, int]:
        """Read the image whose values begin at `at`; return its values and where it ends."""
        function = self._functions.get(nulls)
        if function is None:
            function = self._function_if_often(nulls)
            if function is None:
                return self._read_plainly(nulls, data, at)
        try:
            return function(data, at)
        except UnicodeDecodeError:
            return self._read_plainly(nulls, data, at)

    def _function_if_often(self, nulls: bytes) -> RowFunction | None:
        if len(self._functions) >= MOST_FUNCTIONS:
            return None
        if len(self._seen) > 10 * MOST_FUNCTIONS:
            self._seen.clear()
        count = self._seen[nulls] = self._seen.get(nulls, 0) + 1
        if count < OFTEN:
            return None
        function = self._functions[nulls] = generate(
            self._widths, self._readers, self._order, int.from_bytes(nulls, "little")
        )
        return function

    def _read_plainly(self, nulls: bytes, data: bytes, at: int) -> tuple[Row, int]:
        null_bits = int.from_bytes(nulls, "little")
        values: dict[int | None, Value] = {}
        for place, shape in enumerate(self._widths):
            if null_bits >> place & 1:
                continue
            start = at + shape.prefix
            at = start + (int.from_bytes(data[at:start], "little") if shape.prefix else shape.size)
            if at > len(data):
                raise IndexError(at)
            found = self._readers.get(place)
            if found is not None:
                values[place] = _value(found, data[start:at])
        return tuple(values.get(place) for place in self._order), at


def _value(found: Reader, raw: bytes) -> Value:
    if not found.code:
        return utf8_text(raw) if found.convert is None else found.convert(raw)
    (value,) = struct.unpack("<" + found.code, raw)
    return value if found.convert is None else found.convert(value)


def _getter(places: Sequence[int]) -> Callable[[Row], Row]:
    """Return what takes these places of a row, as a row."""
    if len(places) == 1:
        (place,) = places
        return lambda row: (row[place],)
    return itemgetter(*places)


def _known_width(column: WireColumn, table: Table) -> Width:
    known = width(column)
    if known is None:
        raise StopZone(
            f"{table.name}.{column.name} has binlog type {column.type}, which Treetop does not know",
            hint=f"compare with Nova's schema: SHOW CREATE TABLE {table.name}",
        )
    return known


def _check_required(table: Table, places: dict[str, int]) -> None:
    missing = [column.name for column in table.columns if column.required and column.name not in places]
    if missing:
        raise StopZone(
            f"table {table.name} has no column {', '.join(missing)}",
            hint=f"Treetop needs it: compare with Nova's schema by SHOW CREATE TABLE {table.name}",
        )


def _remembering(found: Reader) -> Reader:
    """Remember what a costly conversion gave, for the next row with the same bytes."""
    if not found.is_memorable or found.convert is None:
        return found
    memory: dict[Any, Value] = {}  # Any: whatever `code` unpacks to
    inner = found.convert

    def convert(raw: Any) -> Value:
        if raw in memory:
            return memory[raw]
        if len(memory) >= MOST_REMEMBERED:
            memory.clear()
        value = memory[raw] = inner(raw)
        return value

    return Reader(code=found.code, convert=convert)
