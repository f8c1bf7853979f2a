# SPDX-License-Identifier: Apache-2.0
"""Puts the row changes between a GTID event and its end together to one `Transaction`. Pure.

A group that the start position already holds gives nothing. A large one is given in pieces, so that memory
stays bounded. Raises `StopZone` for row changes outside a group, for XA and rolled-back groups that touch
watched rows, and for sequence numbers that run backwards within a stream: with those a position would not
say what it holds.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from treetop.capture.gtid import MariadbGtidSet, MysqlGtidSet
from treetop.capture.log_place import LogPlace
from treetop.errors import StopZone
from treetop.model.change import Position, RowChange, Transaction

MOST_CHANGES = 5_000  # in one piece; the applier's largest batch
MOST_BYTES = 4 << 20  # of row events in one piece: large rows make pieces shorter
LOAD_AGAIN = "then treetop zone resync NAME"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupStart:
    """What a GTID event says.

    after: the GTID set once this group is in it. ends_with_statement: DDL, which has no commit of its own.
    committed_at: None where only the last event of the group says when.
    """

    mark: tuple[int, int] | tuple[str, int]
    after: MariadbGtidSet | MysqlGtidSet
    is_xa: bool = False
    ends_with_statement: bool = False
    committed_at: datetime | None = None


class GroupAssembler:
    """The state of one stream between two GTID events."""

    def __init__(self, start: MariadbGtidSet | MysqlGtidSet, place: LogPlace | None = None) -> None:
        """`place`: where the last transaction of `start` ended, if that is known."""
        self.reached: MariadbGtidSet | MysqlGtidSet = start
        self._place = place
        self.group: GroupStart | None = None
        self.is_skipped = False  # the open group is in the start position
        self._advanced: set[int | str] = set()  # domains of which this stream gave a transaction
        self._changes: list[RowChange] = []
        self._bytes = 0
        self._has_changes = False

    @property
    def position(self) -> Position:
        """The position just after the last transaction that was given (or the start)."""
        gtids = self.reached.text()
        return gtids if self._place is None else self._place.behind(gtids)

    def begin(self, group: GroupStart) -> None:
        """A GTID event: open a group."""
        if self.group is not None:
            raise StopZone(
                f"transaction {self.group.mark} has no end in the log",
                hint="check the log with mariadb-binlog --verify-binlog-checksum",
            )
        self.is_skipped = self.reached.contains(group.mark)
        if self.is_skipped and isinstance(self.reached, MariadbGtidSet) and group.mark[0] in self._advanced:
            raise StopZone(
                f"transaction {group.mark} comes after a later one of its domain: no position can be trusted",
                hint=f"SET GLOBAL gtid_strict_mode=ON, let only one server write to a domain, {LOAD_AGAIN}",
            )
        self.group = group
        self._has_changes = False

    def add(self, changes: list[RowChange], size: int, *, at: datetime) -> Transaction | None:
        """Take in the changes of one row event of `size` bytes; give a piece when there is enough for one."""
        group = self.group
        if group is None:
            raise StopZone(
                "row changes outside a transaction", hint="this log has no GTIDs: turn GTID mode on"
            )
        if not changes:
            return None
        if group.is_xa:
            raise StopZone(
                f"XA transaction {group.mark} changes watched tables, which Treetop cannot follow",
                hint=f"write to Nova's tables without XA, {LOAD_AGAIN}",
            )
        self._has_changes = True
        self._changes += changes
        self._bytes += size
        if len(self._changes) < MOST_CHANGES and self._bytes < MOST_BYTES:
            return None
        return self._give(group, at, is_complete=False)

    def truncate(self, change: RowChange) -> None:
        """Take in the TRUNCATE of a watched table."""
        self._has_changes = True
        self._changes.append(change)

    def end(self, at: datetime, place: LogPlace | None) -> Transaction | None:
        """The group is committed, at `place`: give it (or its last piece), with or without changes."""
        group = self.group
        if group is None:
            raise StopZone("a commit outside a transaction", hint="this log has no GTIDs: turn GTID mode on")
        self.group = None
        if self.is_skipped:
            self.is_skipped = False
            return None
        self.reached, self._place = group.after, place
        self._advanced.add(group.mark[0])
        return self._give(group, at, is_complete=True)

    def roll_back(self) -> None:
        """A ROLLBACK statement stands in the group: refuse if it may undo changes that were taken in."""
        if self._has_changes and self.group is not None:
            raise StopZone(
                f"transaction {self.group.mark} changes watched tables and is rolled back in the log in part",
                hint=f"ALTER TABLE ... ENGINE=InnoDB for the tables that transaction wrote to, {LOAD_AGAIN}",
            )

    def _give(self, group: GroupStart, at: datetime, *, is_complete: bool) -> Transaction:
        changes, self._changes = self._changes, []
        size, self._bytes = self._bytes, 0
        return Transaction(
            position=self.position if is_complete else Position(""),
            mark=group.mark,
            committed_at=group.committed_at or at,
            changes=changes,
            size_bytes=size,
            is_complete=is_complete,
        )


def instant(seconds: int) -> datetime:
    """An event header's time: whole seconds since 1970, the zone's clock."""
    return datetime.fromtimestamp(seconds, UTC)
