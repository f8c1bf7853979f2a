# SPDX-License-Identifier: Apache-2.0
"""One column of a binlog row: how many bytes it takes, and how those become a canonical value. Pure.

In: a `WireColumn` (what a TABLE_MAP event says of a column). Out: its `Width` (needed for every column, to step
over it) and, for a wanted column, a `Reader` that `binlog_rows` pastes into generated code. A type that cannot
become the wanted kind raises `StopZone`. Text: U+0000 and bytes that are not valid in the column's charset become
U+FFFD; zero dates and dates with a zero month or day become None. `mysql_values` does the same for SELECT.

Facts: MySQL source documentation "Table_map_event", "Date and Time Data Type Representation"; MariaDB
`sql/field.h` for types 140, 141; all but MySQL's JSON, VECTOR and old DECIMAL tried on MariaDB 10.11.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from treetop.capture.mysql_text import (
    date_text,
    double_text,
    float_text,
    latin1_text,
    timestamp_text,
    year_number,
)
from treetop.errors import StopZone
from treetop.model.change import Value
from treetop.nova.tables import Kind

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
_INTEGER_CODES = {TINY: "b", SHORT: "h", LONG: "i", LONGLONG: "q"}
_DECIMAL_BYTES = (0, 1, 1, 2, 2, 3, 3, 4, 4, 4)  # for 0 to 9 decimal digits


@dataclass(frozen=True, slots=True, kw_only=True)
class WireColumn:
    """A column as the log describes it.

    meta: the type's own metadata (varchar: bytes; temporal: fraction digits; bit: bits; enum, set, blob: bytes of
    the index or length; decimal: digits << 8 | decimals).
    unsigned, charset, labels: None where neither log nor description said it.
    """

    name: str
    type: int
    meta: int
    unsigned: bool | None = None
    charset: str | None = None
    labels: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Width:
    """The bytes of a value that is not NULL: `size` fixed ones, or a length of `prefix` bytes and that many."""

    size: int = 0
    prefix: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """How a value's bytes become canonical.

    code: the `struct` code (little endian) that takes the value of a fixed width; "" for text behind a length.
    convert: from what the code gave (or the text's bytes) to the value; None: it is the value already
    (for text: UTF-8).
    is_memorable: few distinct inputs are expected, so results may be remembered.
    """

    code: str
    convert: Callable[..., Value] | None = None
    is_memorable: bool = False


def width(column: WireColumn) -> Width | None:
    """Return the column's width; None for a type that nobody here knows (then no row of the table can be read)."""
    kind, meta = column.type, column.meta
    if kind in _FIXED:
        return Width(size=_FIXED[kind])
    if kind in (VARCHAR, VAR_STRING, STRING, VARCHAR_COMPRESSED):
        return Width(prefix=1 if meta < 256 else 2)
    if kind in (BLOB, BLOB_COMPRESSED, GEOMETRY, JSON, VECTOR):
        return Width(prefix=meta)
    if kind in (TIMESTAMP2, DATETIME2, TIME2):
        return Width(size={TIMESTAMP2: 4, DATETIME2: 5, TIME2: 3}[kind] + (meta + 1) // 2)
    if kind == BIT:
        return Width(size=(meta + 7) // 8)
    if kind in (ENUM, SET):
        return Width(size=meta)
    if kind == NEWDECIMAL:
        return Width(size=sum(_decimal_parts(meta)))
    return None


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
    """Return how to read a wanted column as `kind`; raise `StopZone` naming table and column where that cannot be."""
    found: Reader | None
    if kind is Kind.TIMESTAMP:
        found = _timestamp_reader(column)
    elif kind is Kind.TEXT:
        found = _text_reader(column, table) or _as_text(_number_reader(column)) or _timestamp_reader(column)
    else:
        found = _number_reader(column)
        if found is not None and kind is Kind.BOOLEAN:
            found = _as_boolean(found)
    if found is None:
        raise StopZone(
            f"{table}.{column.name} has binlog type {column.type}, which does not hold a {kind} Treetop can read",
            hint=f"compare with Nova's schema: SHOW CREATE TABLE {table}",
        )
    return found


def _timestamp_reader(column: WireColumn) -> Reader | None:
    kind, digits = column.type, column.meta
    if kind == DATETIME2:
        size = 5 + (digits + 1) // 2
        return Reader(code=f"{size}s", convert=lambda raw: _datetime2(raw, digits), is_memorable=True)
    if kind == TIMESTAMP2:
        size = 4 + (digits + 1) // 2
        return Reader(code=f"{size}s", convert=lambda raw: _timestamp2(raw, digits), is_memorable=True)
    if kind == TIMESTAMP:
        return Reader(code="I", convert=lambda seconds: timestamp_text(seconds, 0), is_memorable=True)
    if kind == DATETIME:
        return Reader(code="Q", convert=_old_datetime, is_memorable=True)
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
        labels = column.labels
        if labels is None:
            raise StopZone(
                f"the log does not give the values of {table}.{column.name}",
                hint="SET GLOBAL binlog_row_metadata=FULL",
            )
        convert = (lambda raw: _enum(raw, labels)) if kind == ENUM else (lambda raw: _set(raw, labels))
        return Reader(code=f"{meta}s", convert=convert, is_memorable=True)
    if kind == NEWDECIMAL:
        size = sum(_decimal_parts(meta))
        return Reader(code=f"{size}s", convert=lambda raw: _decimal(raw, meta))
    if kind in (FLOAT, DOUBLE):
        return Reader(
            code="f" if kind == FLOAT else "d", convert=float_text if kind == FLOAT else double_text
        )
    if kind in (DATE, NEWDATE):
        return Reader(code="3s", convert=_date, is_memorable=True)
    if kind == TIME2:
        return Reader(code=f"{3 + (meta + 1) // 2}s", convert=lambda raw: _time2(raw, meta))
    if kind == TIME:
        return Reader(code="3s", convert=_old_time)
    return None


def _characters_reader(column: WireColumn, table: str) -> Reader | None:
    if column.charset == "binary" and column.type == STRING:
        return None  # BINARY(n), and MariaDB's UUID and INET6: not text, and padding is lost in the log
    if column.charset in UTF8_CHARSETS:
        return Reader(code="")
    if column.charset == LATIN1:
        return Reader(code="", convert=latin1_text)
    raise StopZone(
        f"{table}.{column.name} is stored in charset {column.charset}, which Treetop cannot decode",
        hint=f"ALTER TABLE {table} CONVERT TO CHARACTER SET utf8mb4, or report the charset",
    )


def _fraction(raw: bytes, digits: int) -> int:
    """Microseconds from a fraction stored in (digits + 1) // 2 bytes, in units of its last even digit."""
    stored = int.from_bytes(raw, "big")
    return stored * int(10 ** (6 - 2 * ((digits + 1) // 2)))


def _datetime2(raw: bytes, digits: int) -> str | None:
    packed = int.from_bytes(raw[:5], "big") - 0x8000000000
    months, day = packed >> 22, packed >> 17 & 31
    month = months % 13
    if not month or not day:
        return None
    text = (
        f"{months // 13:04d}-{month:02d}-{day:02d} "
        f"{packed >> 12 & 31:02d}:{packed >> 6 & 63:02d}:{packed & 63:02d}"
    )
    microseconds = _fraction(raw[5:], digits) if digits else 0
    return f"{text}.{microseconds:06d}".rstrip("0") if microseconds else text


def _timestamp2(raw: bytes, digits: int) -> str | None:
    return timestamp_text(int.from_bytes(raw[:4], "big"), _fraction(raw[4:], digits) if digits else 0)


def _old_datetime(stored: int) -> str | None:
    digits = f"{stored:014d}"
    if digits[4:6] == "00" or digits[6:8] == "00":
        return None
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:8]} {digits[8:10]}:{digits[10:12]}:{digits[12:14]}"


def _date(raw: bytes) -> str | None:
    packed = int.from_bytes(raw, "little")
    return date_text(packed >> 9, packed >> 5 & 15, packed & 31)


def _time2(raw: bytes, digits: int) -> str:
    bits = 8 * len(raw)
    packed = int.from_bytes(raw, "big") - (1 << (bits - 1))
    sign, packed = ("-", -packed) if packed < 0 else ("", packed)
    whole = packed >> (bits - 24)
    text = f"{sign}{whole >> 12 & 1023:02d}:{whole >> 6 & 63:02d}:{whole & 63:02d}"
    if not digits:
        return text
    stored = packed & ((1 << (bits - 24)) - 1)
    microseconds = stored * int(10 ** (6 - 2 * ((digits + 1) // 2)))
    return f"{text}.{microseconds:06d}"[: len(text) + 1 + digits]


def _old_time(raw: bytes) -> str:
    stored = int.from_bytes(raw, "little", signed=True)
    sign, stored = ("-", -stored) if stored < 0 else ("", stored)
    return f"{sign}{stored // 10000:02d}:{stored // 100 % 100:02d}:{stored % 100:02d}"


def _enum(raw: bytes, labels: tuple[str, ...]) -> str:
    index = int.from_bytes(raw, "little")
    return labels[index - 1] if index else ""  # 0: a value that was refused, stored in non-strict mode


def _set(raw: bytes, labels: tuple[str, ...]) -> str:
    bits = int.from_bytes(raw, "little")
    return ",".join(label for place, label in enumerate(labels) if bits >> place & 1)


def _decimal_parts(meta: int) -> tuple[int, int, int, int]:
    """Bytes of: leading whole digits, whole groups of nine, fraction groups of nine, trailing digits."""
    whole, decimals = (meta >> 8) - (meta & 255), meta & 255
    return _DECIMAL_BYTES[whole % 9], whole // 9 * 4, decimals // 9 * 4, _DECIMAL_BYTES[decimals % 9]


def _decimal(raw: bytes, meta: int) -> str:
    is_negative = not raw[0] & 0x80
    digits = bytes((raw[0] ^ 0x80, *raw[1:]))
    if is_negative:
        digits = bytes(byte ^ 0xFF for byte in digits)
    decimals = meta & 255
    lead, groups, fraction_groups, tail = _decimal_parts(meta)
    text = str(int.from_bytes(digits[:lead], "big")) if lead else ""
    for at in range(lead, lead + groups + fraction_groups, 4):
        text += f"{int.from_bytes(digits[at : at + 4], 'big'):09d}"
    if tail:
        text += f"{int.from_bytes(digits[-tail:], 'big'):0{decimals % 9}d}"
    whole, fraction = (text[:-decimals], text[-decimals:]) if decimals else (text, "")
    sign = "-" if is_negative else ""
    return sign + (whole.lstrip("0") or "0") + (f".{fraction}" if decimals else "")
