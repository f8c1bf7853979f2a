# SPDX-License-Identifier: Apache-2.0
"""Turn a relation, as pgoutput describes it, into functions that decode its tuples. Pure.

In: the columns of a Relation message (name, key flag, type). Out: a `RowReader`: bytes and offset -> row
aligned with `Table.columns`, and the offset behind the tuple. Columns not watched only move the offset.
The functions are generated, one straight line of code per relation: no loop, no lookup per value.
Raises `StopZone` when a required column is missing or has a type that cannot hold the canonical values.
Facts: PostgreSQL docs, "Logical Replication Message Formats", TupleData.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from treetop.errors import StopZone
from treetop.model.change import UNCHANGED, Row
from treetop.nova.table import Column, Kind, Table

#: Bytes and the offset of a TupleData -> its row and the offset behind it.
TupleReader = Callable[[bytes, int], tuple[Row, int]]

_INTEGERS = {20: "bigint", 21: "smallint", 23: "integer"}  # pg_type.oid, the same in every version
_BOOLEAN = 16
_TIMESTAMP = 1114
_REALS = {700: "real", 701: "double precision", 1700: "numeric"}

# A value's length is four bytes, its kind one.
_TEXT_VALUE = "e = p + 5 + (d[p+1] << 24 | d[p+2] << 16 | d[p+3] << 8 | d[p+4])"
_SKIP = [
    "if d[p] == 116:",
    "    p += 5 + (d[p+1] << 24 | d[p+2] << 16 | d[p+3] << 8 | d[p+4])",
    "else: p += 1",
]


class RelationColumn(NamedTuple):
    """A column as a Relation message gives it. type_id: `pg_type.oid`."""

    name: str
    is_key: bool
    type_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RowReader:
    """How one relation's tuples are read: whole tuples, and old-key tuples (other columns UNCHANGED)."""

    table: Table
    read: TupleReader
    read_key: TupleReader


class MalformedTupleError(Exception):
    """A tuple does not have the form its relation announced."""


def compile_reader(table: Table, relation: Sequence[RelationColumn]) -> RowReader:
    """Return the functions that read tuples of this relation as rows of `table`.

    A column that is not required and that the relation lacks reads as None.
    """
    present = {column.name: column for column in relation}
    missing = [column.name for column in table.columns if column.required and column.name not in present]
    if missing:
        raise StopZone(
            f"table {table.name} has no column {', '.join(missing)} (any more)",
            hint="this program needs a newer version for that Nova release, or the publication's column list"
            " lacks it: see docs/howto/connect-a-zone.md",
        )
    wanted = {column.name: column for column in table.columns}
    return RowReader(
        table=table,
        read=_generate(table, wanted, relation, keys_only=False),
        read_key=_generate(table, wanted, relation, keys_only=True),
    )


def _generate(
    table: Table, wanted: dict[str, Column], relation: Sequence[RelationColumn], *, keys_only: bool
) -> TupleReader:
    """Write and compile one function; the names in its code are ours or numbers, nothing from the zone."""
    high, low = divmod(len(relation), 256)
    lines = [f"if d[p] != {high} or d[p+1] != {low}: raise Malformed('column count')", "p += 2"]
    for at, source in enumerate(relation):
        column = wanted.get(source.name)
        if column is None or (keys_only and not source.is_key):
            lines += _SKIP
        else:
            lines += [
                "k = d[p]",
                "if k == 116:",
                f"    {_TEXT_VALUE}",
                f"    v{at} = {value_expression(table, column, source.type_id)}",
                "    p = e",
                f"elif k == 110: v{at} = None; p += 1",
                f"elif k == 117: v{at} = UNCHANGED; p += 1",
                "else: raise Malformed(f'value kind {k}')",
            ]
    places = {column.name: (at, column.is_key) for at, column in enumerate(relation)}
    values = []
    for column in table.columns:
        place, is_key = places.get(column.name, (-1, False))
        absent = "UNCHANGED" if keys_only else "None"
        values.append(f"v{place}" if place >= 0 and (is_key or not keys_only) else absent)
    lines.append(f"return ({', '.join(values)},), p")
    code = "def read(d, p):\n" + "".join(f"    {line}\n" for line in lines)
    names: dict[str, object] = {"UNCHANGED": UNCHANGED, "Malformed": MalformedTupleError}
    exec(compile(code, f"<rows of {table.name}>", "exec"), names)  # noqa: S102
    return names["read"]  # type: ignore[return-value]


def value_expression(table: Table, column: Column, type_id: int) -> str:
    """The expression that makes the canonical value of the bytes p+5:e.

    Raises `StopZone` when values of that type cannot be what Nova stores in the column.
    """
    match column.kind:
        case Kind.TEXT:
            return "d[p+5:e].decode()"
        case Kind.TIMESTAMP if type_id == _TIMESTAMP:
            return "d[p+5:e].decode()"  # with DateStyle ISO the canonical form itself
        case Kind.REAL if type_id in _REALS:
            return "d[p+5:e].decode()"
        case Kind.INTEGER if type_id in _INTEGERS:
            return "int(d[p+5:e])"
        case Kind.BOOLEAN if type_id == _BOOLEAN:
            return "d[p+5] == 116"
        case Kind.BOOLEAN if type_id in _INTEGERS:
            return "int(d[p+5:e]) != 0"
    raise StopZone(
        f"column {table.name}.{column.name} should hold {column.kind}, but its type (oid {type_id}) does not",
        hint=f"SELECT {type_id}::regtype; the column is not as Nova makes it",
    )
