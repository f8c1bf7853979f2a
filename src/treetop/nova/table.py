# SPDX-License-Identifier: Apache-2.0
"""How a table of Nova's that Treetop reads is described: its columns, its key, and who may have it.

`nova.tables` and `nova.mirrored_tables` hold the tables themselves. The decoders, the chunk readers, the
PostgreSQL publication and the setup checks are all made from such descriptions: what is not named there never
leaves a zone.
"""

from dataclasses import dataclass
from enum import StrEnum

from treetop.model.zone import Trust


class Kind(StrEnum):
    """The canonical type of a column's values (`model.change` has the forms)."""

    INTEGER = "integer"
    BOOLEAN = "boolean"
    TEXT = "text"
    TIMESTAMP = "timestamp"
    REAL = "real"  # a number with a fraction, as the text that the zone's server prints


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column that is read. required: False where some supported Nova release lacks it (reads as None)."""

    name: str
    kind: Kind
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One watched table.

    columns: in the order in which decoders give their values.
    computed: names of columns appended by `nova.trust` after reading; decoders do not know them.
    dropped: columns that are read to compute others and then left out of the row.
    key: the primary key. owner: the column that holds the server's uuid, if the table's rows are parts of a
    server's row at the top; None: the table is mirrored row by row.
    trust: what a zone must share for the table to be read at all.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    owner: str | None = None
    computed: tuple[str, ...] = ()
    dropped: frozenset[str] = frozenset()
    trust: Trust = Trust.SERVERS

    @property
    def column_names(self) -> tuple[str, ...]:
        """The columns read from the zone, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def shared_columns(self) -> tuple[str, ...]:
        """The columns of a row as it leaves `capture`: those read and not dropped, then the computed ones."""
        return tuple(name for name in self.column_names if name not in self.dropped) + self.computed

    @property
    def identity(self) -> tuple[str, ...]:
        """Key and owner: an UPDATE that changes one of them carries the old row."""
        return self.key if self.owner is None or self.owner in self.key else (*self.key, self.owner)

    def index(self, column: str) -> int:
        """The place of a shared column in a row. Raises ValueError for a column that is not read."""
        return self.shared_columns.index(column)


def columns_of(kind: Kind, names: str, *, required: bool = True) -> tuple[Column, ...]:
    """Columns of one kind, their names separated by blanks."""
    return tuple(Column(name=name, kind=kind, required=required) for name in names.split())
