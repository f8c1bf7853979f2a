# SPDX-License-Identifier: Apache-2.0
"""TABLE_MAP and row events of a binlog: bytes in, `RowChange`s of the watched tables out. Pure.

A TABLE_MAP without column names (`binlog_row_metadata` NO_LOG or MINIMAL) is completed from a `Describe`
function: what `information_schema` says of the table now. A description that does not fit the log raises
`StopZone`, as do partial row images and rows of a table whose TABLE_MAP was not seen. Rows of other tables
cost one dictionary look-up. What NO_LOG cannot show: a column renamed or two of one type exchanged while
the reader was behind; hence the advice to use FULL.

Facts: MySQL source documentation "Table_map_event", "Rows_event"; MariaDB `sql/log_event.h` for compressed
events (tried on MariaDB 10.11).
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from treetop.capture import binlog_columns as wire
from treetop.capture.binlog_table import WatchedTable
from treetop.capture.binlog_tablemap import FULL_HINT, Describe, TableMap, complete, length
from treetop.errors import Resnapshot, StopZone
from treetop.model.change import Op, RowChange
from treetop.model.zone import Trust
from treetop.nova.table import Table

DUMMY_TABLE_ID = (
    0xFFFFFF  # MySQL ends a statement whose rows were all filtered with an empty event of this table
)
MOST_TABLE_MAPS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RowEventForm:
    """How one type of row event is laid out."""

    op: Op
    has_extra: bool  # version 2: extra data behind the flags
    is_compressed: bool = False


ROW_EVENTS: Mapping[int, RowEventForm] = {
    first + place: RowEventForm(op=op, has_extra=has_extra, is_compressed=is_compressed)
    for first, has_extra, is_compressed in (
        (23, False, False),
        (30, True, False),
        (166, False, True),
        (169, True, True),
    )
    for place, op in enumerate((Op.INSERT, Op.UPDATE, Op.DELETE))
}


class RowsDecoder:
    """Knows the tables of the stream by their ids; one per connection."""

    def __init__(
        self,
        *,
        database: str,
        tables: Mapping[str, Table],
        trust: Trust,
        charsets: Mapping[int, str],
        describe: Describe,
        is_mariadb: bool,
    ) -> None:
        self._database = database.encode()
        self._tables = tables
        self._trust = trust
        self._charsets = charsets
        self._describe = describe
        self._is_mariadb = is_mariadb
        self._compiled: dict[bytes, WatchedTable | None] = {}  # by what a TABLE_MAP says after the table id
        self._by_id: dict[bytes, WatchedTable | None] = {}
        self._present: dict[str, frozenset[str]] = {}

    def forget_ids(self) -> None:
        """A new log file begins: its server may use the table ids anew."""
        self._by_id.clear()

    def forget_layouts(self) -> None:
        """DDL changed a watched table: descriptions may be wrong now."""
        self._compiled.clear()

    def table_map(self, data: bytes, start: int, end: int) -> None:
        """Take in a TABLE_MAP event's body."""
        body = data[start + 6 : end]
        try:
            compiled = self._compiled[body]
        except KeyError:
            if len(self._compiled) >= MOST_TABLE_MAPS:
                self._compiled.clear()
            compiled = self._compiled[body] = self._compile(body)
        self._by_id[data[start : start + 6]] = compiled

    def is_watched(self, data: bytes, start: int) -> bool:
        """Say whether the row event whose body begins at `start` is of a watched table; or `StopZone`."""
        return self._find(data[start : start + 6]) is not None

    def changes(self, form: RowEventForm, data: bytes, start: int, end: int) -> list[RowChange]:
        """Read a row event's body; an event of a table that is not watched gives nothing."""
        table = self._find(data[start : start + 6])
        if table is None:
            return []
        at = start + 8
        if form.has_extra:
            at += data[at] | data[at + 1] << 8
        count, at = length(data, at)
        bitmaps = table.full_bitmap * (2 if form.op is Op.UPDATE else 1)
        if data[at : at + len(bitmaps)] != bitmaps:
            raise StopZone(
                f"a row event of {table.table.name} has {count} columns and lacks some of them",
                hint="SET GLOBAL binlog_row_image=FULL, also where sessions set it; then treetop zone resync NAME",
            )
        at += len(bitmaps)
        if form.is_compressed:
            data = uncompress(data, at, end)
            at, end = 0, len(data)
        return table.changes(form.op, data, at, end)

    def _find(self, table_id: bytes) -> WatchedTable | None:
        try:
            return self._by_id[table_id]
        except KeyError:
            number = int.from_bytes(table_id, "little")
            if number == DUMMY_TABLE_ID:
                return None
            raise StopZone(
                f"row event for table id {number}, which no TABLE_MAP event named",
                hint="the log may be damaged: check it with mariadb-binlog --verify-binlog-checksum",
            ) from None

    def _compile(self, body: bytes) -> WatchedTable | None:
        try:
            parsed = TableMap.parse(body)
        except (IndexError, UnicodeDecodeError) as error:
            raise StopZone("a TABLE_MAP event is cut short", hint="the log may be damaged") from error
        table = self._tables.get(parsed.table) if parsed.schema == self._database else None
        if table is None:
            return None
        columns = parsed.columns(self._charsets, is_mariadb=self._is_mariadb)
        if not columns or not columns[0].name:
            columns = complete(table, columns, self._describe(table.name))
        elif any(column.labels is None and column.type in (wire.ENUM, wire.SET) for column in columns):
            raise StopZone(f"the TABLE_MAP of {table.name} names no enum values", hint=FULL_HINT)
        compiled = WatchedTable(table, columns, self._trust)
        before = self._present.setdefault(table.name, compiled.present)
        if before != compiled.present:
            changed = ", ".join(sorted(before ^ compiled.present))
            raise Resnapshot(
                f"column {changed} of {table.name} came or went: rows changed without row events"
            )
        return compiled


def uncompress(data: bytes, start: int, end: int) -> bytes:
    """Unpack MariaDB's compressed part of an event; raise `StopZone` where it cannot be."""
    head = data[start]
    length_bytes = head & 7
    if head & 0xF0 != 0x80:  # bit 7: compressed; bits 4 to 6: algorithm, 0 is zlib
        raise StopZone(f"unknown compression {head:#x} of an event", hint="SET GLOBAL log_bin_compress=OFF")
    try:
        unpacked = zlib.decompress(data[start + 1 + length_bytes : end])
    except zlib.error as error:
        raise StopZone(
            f"a compressed event cannot be unpacked: {error}", hint="SET GLOBAL log_bin_compress=OFF"
        ) from error
    if len(unpacked) != int.from_bytes(data[start + 1 : start + 1 + length_bytes], "big"):
        raise StopZone(
            "a compressed event unpacks to another length than it says", hint="the log may be damaged"
        )
    return unpacked
