# SPDX-License-Identifier: Apache-2.0
"""One column of a binlog row: how many bytes it takes, and how those become a canonical value. Pure.

In: a `WireColumn` (what a TABLE_MAP event says of a column). Out: its `Width` (needed for every column, to
step over it) and, for a wanted column, a `Reader` that `binlog_rowcode` pastes into generated code. A type
that cannot become the wanted kind raises `StopZone`. Text: U+0000 and bytes that are not valid in the
column's charset become U+FFFD; zero dates and dates with a zero month or day become None. `mysql_values`
does the same for SELECT.

Facts: MySQL source documentation "Table_map_event", "Date and Time Data Type Representation"; MariaDB
`sql/field.h` for types 140, 141; all but MySQL's JSON, VECTOR and old DECIMAL tried on MariaDB 10.11.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from treetop.capture.binlog_values import (
    datetime2_text,
    decimal_parts,
    decimal_text,
    enum_label,
    old_datetime_text,
    old_time_text,
    packed_date_text,
    set_labels,
    time2_text,
    timestamp2_text,
)
from treetop.capture.mysql_text import (
    double_text,
    float_text,
    latin1_text,
    timestamp_text,
    utf8_text,
    year_number,
)
from treetop.errors import StopZone
from treetop.model.change import Value
from treetop.nova.table import Kind

TINY, SHORT, LONG, FLOAT, DOUBLE, TIMESTAMP, LONGLONG, INT24 = 1, 2, 3, 4, 5, 7, 8, 9
DATE, TIME, DATETIME, YEAR, NEWDATE, VARCHAR, BIT = 10, 11, 12, 13, 14, 15, 16
TIMESTAMP2, DATETIME2, TIME2 = 17, 18, 19
BLOB_COMPRESSED, VARCHAR_COMPRESSED = 140, 141
VECTOR, JSON, NEWDECIMAL, ENUM, SET = 242, 245, 246, 247, 248
BLOB, VAR_STRING, STRING, GEOMETRY = 252, 253, 254, 255

UTF8_CHARSETS: Final = frozenset({"utf8", "utf8mb3", "utf8mb4", "ascii", "binary"})  # binary: VARBINARY, BLOB
LATIN1: Final = "latin1"

_FIXED = {TINY: 1, SHORT: 2, LONG: 4, FLOAT: 4, DOUBLE: 8, TIMESTAMP: 4, LONGLONG: 8, INT24: 3}
_FIXED |= {DATE: 3, TIME: 3, DATETIME: 8, YEAR: 1, NEWDATE: 3}
_TEMPORAL = {TIMESTAMP2: 4, DATETIME2: 5, TIME2: 3}  # and the fraction's bytes
_REALS = frozenset({FLOAT, DOUBLE, NEWDECIMAL})
_INTEGER_CODES = {TINY: "b", SHORT: "h", LONG: "i", LONGLONG: "q"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WireColumn:
    """A column as the log describes it.

    meta: the type's own metadata (varchar: bytes; temporal: fraction digits; bit: bits; enum, set, blob:
    bytes of the index or length; decimal: digits << 8 | decimals). unsigned, charset, labels: None where
    neither log nor description said it.
    """

    name: str
    type: int
    meta: int
    unsigned: bool | None = None
    charset: str | None = None
    labels: tuple[bytes, ...] | None = None  # of an ENUM or SET, in `charset`


@dataclass(frozen=True, slots=True, kw_only=True)
class Width:
    """The bytes of a value that is not NULL: `size` fixed ones, or a length of `prefix` bytes and so many."""

    size: int = 0
    prefix: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """How a value's bytes become canonical.

    code: the `struct` code (little endian) that takes the value of a fixed width; "": text behind a length.
    convert: from what the code gave (or the text's bytes) to the value; None: it is the value already (for
    text: it is UTF-8).
    is_memorable: few distinct inputs are expected, so results may be remembered.
    """

    code: str
    convert: Callable[..., Value] | None = None
    is_memorable: bool = False


def width(column: WireColumn) -> Width | None:
    """Return the column's width; None for a type not known here (then no row of the table can be read)."""
    kind, meta = column.type, column.meta
    if kind in (VARCHAR, VAR_STRING, STRING, VARCHAR_COMPRESSED):
        return Width(prefix=1 if meta < 256 else 2)
    if kind in (BLOB, BLOB_COMPRESSED, GEOMETRY, JSON, VECTOR):
        return Width(prefix=meta)
    size = _FIXED.get(kind)
    if kind in _TEMPORAL:
        size = _TEMPORAL[kind] + (meta + 1) // 2
    elif kind == BIT:
        size = (meta + 7) // 8
    elif kind in (ENUM, SET):
        size = meta
    elif kind == NEWDECIMAL:
        size = sum(decimal_parts(meta))
    return None if size is None else Width(size=size)


def metadata(types: bytes, block: bytes) -> tuple[tuple[int, int], ...]:
    """Split TABLE_MAP's metadata block: (real type, meta) per column; STRING may turn out ENUM or SET.

    Raises IndexError when the block is too short.
    """
    found = []
    at = 0
    for kind in types:
        meta = 0
        if kind in (VARCHAR, VARCHAR_COMPRESSED):
            meta = block[at] | block[at + 1] << 8
            at += 2
        elif kind in (STRING, VAR_STRING):
            first, second = block[at], block[at + 1]
            at += 2
            if first in (ENUM, SET):
                kind, meta = first, second  # noqa: PLW2901  # the real type hides in the metadata
            else:  # two bits of the length are stored inverted in the type byte
                meta = (((first << 4) & 0x300) ^ 0x300) + second
        elif kind == NEWDECIMAL:
            meta = block[at] << 8 | block[at + 1]
            at += 2
        elif kind == BIT:
            meta = block[at + 1] * 8 + block[at]
            at += 2
        elif kind in (ENUM, SET):
            meta = block[at + 1]
            at += 2
        elif kind in _ONE_BYTE_OF_METADATA:
            meta = block[at]
            at += 1
        found.append((kind, meta))
    return tuple(found)


_ONE_BYTE_OF_METADATA = frozenset(
    {FLOAT, DOUBLE, BLOB, BLOB_COMPRESSED, GEOMETRY, JSON, VECTOR, TIMESTAMP2, DATETIME2, TIME2}
)


def reader(column: WireColumn, kind: Kind, *, table: str) -> Reader:
    """Return how to read a wanted column as `kind`; raise `StopZone` where that cannot be."""
    found: Reader | None
    if kind is Kind.TIMESTAMP:
        found = _timestamp_reader(column)
    elif kind is Kind.TEXT:
        found = _text_reader(column, table) or _as_text(_number_reader(column)) or _timestamp_reader(column)
    elif kind is Kind.REAL:
        found = _printed_reader(column.type, column.meta) if column.type in _REALS else None
    else:
        found = _number_reader(column)
        if found is not None and kind is Kind.BOOLEAN:
            found = _as_boolean(found)
    if found is None:
        raise StopZone(
            f"{table}.{column.name} has binlog type {column.type}, not a {kind} Treetop can read",
            hint=f"compare with Nova's schema: SHOW CREATE TABLE {table}",
        )
    return found


def _timestamp_reader(column: WireColumn) -> Reader | None:
    kind, digits = column.type, column.meta
    if kind == DATETIME2:
        size = 5 + (digits + 1) // 2
        return Reader(code=f"{size}s", convert=lambda raw: datetime2_text(raw, digits), is_memorable=True)
    if kind == TIMESTAMP2:
        size = 4 + (digits + 1) // 2
        return Reader(code=f"{size}s", convert=lambda raw: timestamp2_text(raw, digits), is_memorable=True)
    if kind == TIMESTAMP:
        return Reader(code="I", convert=lambda seconds: timestamp_text(seconds, 0), is_memorable=True)
    if kind == DATETIME:
        return Reader(code="Q", convert=old_datetime_text, is_memorable=True)
    return None


def _number_reader(column: WireColumn) -> Reader | None:
    kind = column.type
    if kind in _INTEGER_CODES:
        code = _INTEGER_CODES[kind]
        return Reader(code=code.upper() if column.unsigned else code)
    if kind == INT24:
        is_signed = not column.unsigned
        return Reader(code="3s", convert=lambda raw: int.from_bytes(raw, "little", signed=is_signed))
    if kind == YEAR:
        return Reader(code="B", convert=year_number)
    if kind == BIT:
        return Reader(code=f"{(column.meta + 7) // 8}s", convert=lambda raw: int.from_bytes(raw, "big"))
    return None


def _as_text(number: Reader | None) -> Reader | None:
    if number is None:
        return None
    inner = number.convert
    return Reader(code=number.code, convert=str if inner is None else lambda raw: str(inner(raw)))


def _as_boolean(number: Reader) -> Reader:
    inner = number.convert
    return Reader(code=number.code, convert=bool if inner is None else lambda raw: bool(inner(raw)))


def _text_reader(column: WireColumn, table: str) -> Reader | None:
    kind, meta = column.type, column.meta
    if kind in (VARCHAR, VAR_STRING, STRING, BLOB):
        return _characters_reader(column, table)
    if kind in (ENUM, SET):
        if column.labels is None:
            raise StopZone(
                f"the log does not give the values of {table}.{column.name}",
                hint="SET GLOBAL binlog_row_metadata=FULL",
            )
        decode = _charset_decoder(column, table)
        labels = tuple(map(decode, column.labels))
        text = enum_label if kind == ENUM else set_labels
        return Reader(code=f"{meta}s", convert=lambda raw: text(raw, labels), is_memorable=True)
    return _printed_reader(kind, meta)


def _printed_reader(kind: int, meta: int) -> Reader | None:
    """Types that are not text but print as text."""
    if kind == NEWDECIMAL:
        return Reader(code=f"{sum(decimal_parts(meta))}s", convert=lambda raw: decimal_text(raw, meta))
    if kind in (FLOAT, DOUBLE):
        return Reader(
            code="f" if kind == FLOAT else "d", convert=float_text if kind == FLOAT else double_text
        )
    if kind in (DATE, NEWDATE):
        return Reader(code="3s", convert=packed_date_text, is_memorable=True)
    if kind == TIME2:
        return Reader(code=f"{3 + (meta + 1) // 2}s", convert=lambda raw: time2_text(raw, meta))
    if kind == TIME:
        return Reader(code="3s", convert=old_time_text)
    return None


def _characters_reader(column: WireColumn, table: str) -> Reader | None:
    if column.charset == "binary" and column.type == STRING:
        return None  # BINARY(n), and MariaDB's UUID and INET6: not text, and padding is lost in the log
    decode = _charset_decoder(column, table)
    return Reader(code="", convert=None if decode is utf8_text else decode)


def _charset_decoder(column: WireColumn, table: str) -> Callable[[bytes], str]:
    if column.charset in UTF8_CHARSETS:
        return utf8_text
    if column.charset == LATIN1:
        return latin1_text
    raise StopZone(
        f"{table}.{column.name} is stored in charset {column.charset}, which Treetop cannot decode",
        hint=f"ALTER TABLE {table} CONVERT TO CHARACTER SET utf8mb4",
    )
