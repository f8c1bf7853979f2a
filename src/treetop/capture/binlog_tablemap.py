# SPDX-License-Identifier: Apache-2.0
"""What a TABLE_MAP event says of a table: bytes in, schema, name and `WireColumn`s out. Pure.

With `binlog_row_metadata=FULL` names, signs, charsets and enum values are in the event; else `complete` puts
those of a description to it, and raises `StopZone` where the two do not fit.

Facts: MySQL source documentation "Table_map_event"; the order of columns in its lists on MariaDB 10.11.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from treetop.capture import binlog_columns as wire
from treetop.capture.binlog_columns import WireColumn
from treetop.errors import StopZone
from treetop.nova.table import Table

FULL_HINT = "SET GLOBAL binlog_row_metadata=FULL"


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedColumn:
    """A column as `information_schema` has it. types: the binlog types that its SQL type can have."""

    name: str
    types: frozenset[int]
    unsigned: bool
    charset: str | None
    labels: tuple[str, ...] | None
    octets: int | None  # the longest value of a VARCHAR or CHAR, in bytes


#: Table name -> its columns in order; empty: there is no such table. May read from the zone.
Describe = Callable[[str], tuple[DescribedColumn, ...]]


_NUMERIC = frozenset(
    {
        wire.TINY,
        wire.SHORT,
        wire.INT24,
        wire.LONG,
        wire.LONGLONG,
        wire.FLOAT,
        wire.DOUBLE,
        wire.NEWDECIMAL,
        wire.YEAR,
    }
)
_CHARACTER = frozenset(
    {wire.VARCHAR, wire.VAR_STRING, wire.STRING, wire.BLOB, wire.VARCHAR_COMPRESSED, wire.BLOB_COMPRESSED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableMap:
    """A TABLE_MAP event after its table id."""

    schema: bytes
    table: str
    types: tuple[tuple[int, int], ...]
    optional: Mapping[int, bytes]

    @classmethod
    def parse(cls, body: bytes) -> "TableMap":
        """Read the event; raise IndexError or UnicodeDecodeError where it is cut short."""
        at = 3 + body[2]
        schema = body[3:at]
        name_end = at + 2 + body[at + 1]
        table = body[at + 2 : name_end].decode()
        count, at = length(body, name_end + 1)
        types = body[at : at + count]
        size, at = length(body, at + count)
        meta = wire.metadata(types, body[at : at + size])
        at += size + (count + 7) // 8
        optional = {}
        while at < len(body):
            kind = body[at]
            size, at = length(body, at + 1)
            optional[kind] = body[at : at + size]
            at += size
        return cls(schema=schema, table=table, types=meta, optional=optional)

    def columns(self, charsets: Mapping[int, str], *, is_mariadb: bool) -> tuple[WireColumn, ...]:
        """Give every column with what the optional metadata says; without names they are "".

        MariaDB lists a charset for geometry columns too (measured), MySQL does not (its documentation).
        """
        count = len(self.types)
        names = [name.decode() for name in _strings(self.optional.get(4, b""))] or [""] * count
        of_type = [kind for kind, _ in self.types]
        numeric = [place for place, kind in enumerate(of_type) if kind in _NUMERIC]
        unsigned: dict[int, bool] = {}
        if signs := self.optional.get(1):
            unsigned = {place: bool(signs[n >> 3] >> (7 - (n & 7)) & 1) for n, place in enumerate(numeric)}
        with_charset = _CHARACTER | {wire.GEOMETRY} if is_mariadb else _CHARACTER
        collations = self._collations(2, 3, [p for p, kind in enumerate(of_type) if kind in with_charset])
        label_places = [p for p, kind in enumerate(of_type) if kind in (wire.ENUM, wire.SET)]
        collations |= self._collations(10, 11, label_places)
        labels = dict(
            zip(
                [p for p in label_places if of_type[p] == wire.ENUM],
                _lists(self.optional.get(6, b"")),
                strict=False,
            )
        )
        labels |= dict(
            zip(
                [p for p in label_places if of_type[p] == wire.SET],
                _lists(self.optional.get(5, b"")),
                strict=False,
            )
        )
        return tuple(
            WireColumn(
                name=names[place],
                type=kind,
                meta=meta,
                unsigned=unsigned.get(place),
                charset=charsets.get(collations[place], f"of collation {collations[place]}")
                if place in collations
                else None,
                labels=tuple(labels[place]) if place in labels else None,
            )
            for place, (kind, meta) in enumerate(self.types)
        )

    def _collations(self, default: int, listed: int, places: list[int]) -> dict[int, int]:
        if packed := self.optional.get(default):
            usual, *rest = _lengths(packed)
            others = dict(zip(rest[::2], rest[1::2], strict=True))
            return {place: others.get(n, usual) for n, place in enumerate(places)}
        return dict(zip(places, _lengths(self.optional.get(listed, b"")), strict=False))


def complete(
    table: Table, columns: tuple[WireColumn, ...], described: tuple[DescribedColumn, ...]
) -> tuple[WireColumn, ...]:
    """Put a description's names and charsets to the log's columns, after comparing what can be compared."""
    if len(columns) != len(described):
        raise StopZone(
            f"the log has {len(columns)} columns for {table.name} and the database {len(described)}: "
            "the table was altered, and this log does not name columns",
            hint=f"{FULL_HINT}, then treetop zone resync NAME",
        )
    wanted = set(table.column_names)
    for column, seen in zip(columns, described, strict=True):
        is_other_length = (
            seen.octets is not None and column.type == wire.VARCHAR and column.meta != seen.octets
        )
        if column.type not in seen.types or (is_other_length and seen.name in wanted):
            raise StopZone(
                f"{table.name}.{seen.name} has another type in the log ({column.type}, {column.meta}) "
                "than in the database: the table was altered, and this log does not name columns",
                hint=f"{FULL_HINT}, then treetop zone resync NAME",
            )
    return tuple(
        replace(
            column,
            name=seen.name,
            unsigned=seen.unsigned,
            charset="utf8mb4" if seen.labels else seen.charset or "binary",
            labels=tuple(label.encode() for label in seen.labels) if seen.labels else None,
        )
        for column, seen in zip(columns, described, strict=True)
    )


def length(data: bytes, at: int) -> tuple[int, int]:
    """Read a length-encoded integer; return it and where it ends."""
    first = data[at]
    if first < 251:
        return first, at + 1
    size = {252: 2, 253: 3, 254: 8}.get(first)
    if size is None:
        raise IndexError(at)
    return int.from_bytes(data[at + 1 : at + 1 + size], "little"), at + 1 + size


def _lengths(packed: bytes) -> Iterator[int]:
    at = 0
    while at < len(packed):
        number, at = length(packed, at)
        yield number


def _strings(packed: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(packed):
        size, at = length(packed, at)
        yield packed[at : at + size]
        at += size


def _lists(packed: bytes) -> Iterator[list[bytes]]:
    at = 0
    while at < len(packed):
        count, at = length(packed, at)
        labels = []
        for _ in range(count):
            size, at = length(packed, at)
            labels.append(packed[at : at + size])
            at += size
        yield labels
