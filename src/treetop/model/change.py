# SPDX-License-Identifier: Apache-2.0
"""What a zone's log says, in the order it says it: row changes, whole transactions, heartbeats, chunks.

Produced by `capture`, consumed by `apply` and `sync`. Rows are tuples aligned with
`nova.table.Table.shared_columns` of their table. Values are canonical, the same for every engine and
for log and SELECT alike: `int`, `bool`, `str`, `None`, timestamps as naive-UTC text
`YYYY-MM-DD HH:MM:SS[.ffffff]` (no trailing zeros in the fraction), or `UNCHANGED`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, IntEnum
from typing import Final, Literal, NamedTuple, NewType, Protocol, TypeAlias


class _Unchanged(Enum):
    """One value: the log did not carry this column (PostgreSQL's unchanged TOAST, keys of a bare DELETE)."""

    UNCHANGED = "UNCHANGED"

    def __repr__(self) -> str:
        return "UNCHANGED"


#: "Not in the log: keep what is stored." Compare with `is`.
UNCHANGED: Final = _Unchanged.UNCHANGED

Value: TypeAlias = int | str | bool | Literal[_Unchanged.UNCHANGED] | None
Row: TypeAlias = tuple[Value, ...]

#: A point of a zone's log just after a transaction, as text that only the zone's own source understands:
#: MariaDB `0-1-105,3-1-7` (the whole GTID set, then where its last transaction stands: see `capture.log_place`),
#: MySQL `uuid:1-77,…`, PostgreSQL `0/16B3748` (commit end LSN).
Position = NewType("Position", str)

#: What identifies one transaction to a `Snapshot`: MariaDB (domain, sequence), MySQL (server uuid, number),
#: PostgreSQL the 64-bit transaction id.
Mark: TypeAlias = tuple[int, int] | tuple[str, int] | int


class Op(IntEnum):
    """What happened to a row, or (TRUNCATE) to a whole table."""

    INSERT = 1
    UPDATE = 2
    DELETE = 3
    TRUNCATE = 4


class RowChange(NamedTuple):
    """One change of one watched row. A named tuple, not a dataclass: thousands a second are made.

    row: after the change; for DELETE before it (at least the key columns, others may be UNCHANGED);
    empty for TRUNCATE.
    old_row: the row before an UPDATE that changed one of `Table.identity`, as far as the log gives it
    (else UNCHANGED per column); None for every other change.
    """

    op: Op
    table: str
    row: Row
    old_row: Row | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One committed transaction of a zone, or one piece of a very large one.

    position: just after this transaction; meaningless while `is_complete` is False.
    committed_at: the zone's own clock, aware UTC.
    changes: watched tables only, in log order; may be empty (the position still advances).
    size_bytes: what its row events took in the log, for bounds on memory; 0: not known, small.
    is_complete: False for all pieces of a large transaction but the last. Pieces follow each other
    without anything between; a stream that ends inside one means the transaction did not happen (yet).
    """

    position: Position
    mark: Mark
    committed_at: datetime
    changes: Sequence[RowChange]
    size_bytes: int = 0
    is_complete: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """The zone said: at `at` (its clock) nothing after `position` was committed that the stream has not given."""

    position: Position
    at: datetime


LogEvent: TypeAlias = Transaction | Heartbeat


class Snapshot(Protocol):
    """The exact set of transactions that a chunk's rows reflect."""

    def contains(self, mark: Mark) -> bool:
        """Say whether the chunk's rows already reflect this transaction."""

    def is_covered_by(self, position: Position) -> bool:
        """Say whether a stream standing at `position` has given every transaction of the snapshot."""

    def reaches(self, position: Position) -> bool:
        """Say whether the snapshot holds everything that a stream standing at `position` has given.

        A zone may put a transaction into its log before it shows it (while a commit waits for a replica). An engine
        whose snapshots and positions cannot be compared this way says yes.
        """


#: What of a chunk can be read again by itself: a server by its uuid, a row of a mirrored table by its id.
Unit: TypeAlias = str | int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Some units of one segment of a zone's rows (`nova.watched`), as of one `snapshot`.

    table: the mirrored table whose rows these are; None: these are servers, with their rows in every table.
    after, upto: the range of row keys, after < key <= upto; upto None means "to the end of all". `after` is in the
    chunk's own segment, and a range that ends its segment says so by the segment's last key.
    only: None for a range; for a re-read the units asked for (one that is not among the rows does not exist).
    rows: table name -> rows aligned with `Table.shared_columns`; only those of units in the chunk.
    """

    after: int
    upto: int | None
    only: frozenset[Unit] | None
    snapshot: Snapshot
    rows: Mapping[str, Sequence[Row]]
    table: str | None = None
