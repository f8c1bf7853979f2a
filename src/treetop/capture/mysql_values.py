# SPDX-License-Identifier: Apache-2.0
"""Rows of a SELECT as the server sends them (text protocol): packets in, canonical rows out. Pure.

Gives the same value as `binlog_columns` does for the same stored value. The session must have `SET NAMES
utf8mb4` and the time zone +00:00. Read here and not by PyMySQL, whose rows cost four times as much.

Facts: MySQL source documentation "Text Resultset", "Column Definition"; tried on MariaDB 10.11.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from treetop.capture import binlog_columns as wire
from treetop.capture.mysql_text import (
    NUL,
    double_text,
    float_text,
    printed_date,
    printed_timestamp,
    utf8_text,
)
from treetop.errors import StopZone
from treetop.model.change import Row, Value
from treetop.nova.table import Kind

OLD_DECIMAL, NULL_TYPE = 0, 6  # DECIMAL's number in results; the type of a bare NULL
BINARY_COLLATION = 63
LABEL_FLAGS = 256 | 2048  # ENUM, SET: sent with the type of CHAR
NULL = 0xFB

Convert = Callable[[bytes], Value]

_INTEGERS = frozenset({wire.TINY, wire.SHORT, wire.LONG, wire.LONGLONG, wire.INT24, wire.YEAR})
_TEXTS = frozenset({wire.VARCHAR, wire.VAR_STRING, wire.STRING, wire.BLOB, 249, 250, 251, wire.TIME})
_REALS = frozenset({wire.FLOAT, wire.DOUBLE, OLD_DECIMAL, wire.NEWDECIMAL})
_TIMESTAMPS = frozenset({wire.DATETIME, wire.TIMESTAMP})


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """A column of a result as the server defines it."""

    name: str
    type: int
    collation: int
    flags: int

    @classmethod
    def parse(cls, data: bytes, at: int) -> "ResultColumn":
        """Read a column definition packet."""
        texts = []
        for _ in range(6):
            size, at = length(data, at)
            texts.append(data[at : at + size])
            at += size
        return cls(
            name=texts[4].decode(),
            type=data[at + 7],
            collation=int.from_bytes(data[at + 1 : at + 3], "little"),
            flags=int.from_bytes(data[at + 8 : at + 10], "little"),
        )


def convert_for(column: ResultColumn, kind: Kind, *, table: str) -> Convert:
    """Return what makes a value of `kind` of the column's text; raise `StopZone` where that cannot be."""
    found: Convert | None = None
    if column.type == NULL_TYPE:
        found = utf8_text  # never called: every value is NULL
    elif kind is Kind.TIMESTAMP:
        found = _timestamp if column.type in _TIMESTAMPS else None
    elif kind is Kind.INTEGER:
        found = _number(column)
    elif kind is Kind.BOOLEAN:
        number = _number(column)
        found = None if number is None else lambda raw: bool(number(raw))
    elif kind is Kind.REAL:
        found = _text(column) if column.type in _REALS else None
    else:
        found = _text(column)
    if found is None:
        raise StopZone(
            f"{table}.{column.name} has type {column.type}, which does not hold a {kind} Treetop can read",
            hint=f"compare with Nova's schema: SHOW CREATE TABLE {table}",
        )
    return found


def read_row(data: bytes, at: int, converts: Sequence[Convert]) -> Row:
    """Read one row packet whose payload begins at `at`."""
    row: list[Value] = []
    for convert in converts:
        size = data[at]
        at += 1
        if size == NULL:
            row.append(None)
            continue
        if size > NULL:
            size, at = length(data, at - 1)
        end = at + size
        row.append(convert(data[at:end]))
        at = end
    return tuple(row)


def length(data: bytes, at: int) -> tuple[int, int]:
    """Read a length-encoded integer; return it and where it ends."""
    first = data[at]
    if first < NULL:
        return first, at + 1
    size = {252: 2, 253: 3, 254: 8}[first]
    return int.from_bytes(data[at + 1 : at + 1 + size], "little"), at + 1 + size


def _number(column: ResultColumn) -> Convert | None:
    if column.type in _INTEGERS:
        return int
    if column.type == wire.BIT:
        return _bits
    return None


def _text(column: ResultColumn) -> Convert | None:
    if column.type == wire.STRING and column.collation == BINARY_COLLATION and not column.flags & LABEL_FLAGS:
        return None
    return _TEXT_CONVERTS.get(column.type)


def _plain_text(raw: bytes) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return utf8_text(raw)
    return text if NUL not in text else utf8_text(raw)


def _bits(raw: bytes) -> int:
    return int.from_bytes(raw, "big")


def _timestamp(raw: bytes) -> str | None:
    return printed_timestamp(raw.decode())


def _float(raw: bytes) -> str:
    return float_text(float(raw))


def _double(raw: bytes) -> str:
    return double_text(float(raw))


def _bits_text(raw: bytes) -> str:
    return str(_bits(raw))


def _date(raw: bytes) -> str | None:
    return printed_date(raw.decode())


_TEXT_CONVERTS: dict[int, Convert] = {
    **dict.fromkeys(_TEXTS, _plain_text),
    **dict.fromkeys((*_INTEGERS, OLD_DECIMAL, wire.NEWDECIMAL), bytes.decode),
    **dict.fromkeys(_TIMESTAMPS, _timestamp),
    **dict.fromkeys((wire.DATE, wire.NEWDATE), _date),
    wire.BIT: _bits_text,
    wire.FLOAT: _float,
    wire.DOUBLE: _double,
}
