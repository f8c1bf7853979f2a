# SPDX-License-Identifier: Apache-2.0
"""Decode PostgreSQL's `pgoutput` stream, protocol version 1, into whole transactions. Pure.

In: one logical message at a time, in stream order. Out: a `Transaction` at each Commit, or a piece of one
when it grows large. Rows of unwatched tables are dropped before they become objects; watched rows go through
`nova.trust`. Raises `StopZone` for what cannot be decoded; the transaction it is in was then not given.
Protocol 1 carries only committed transactions, in commit order, and no rolled-back savepoint.
Facts: PostgreSQL docs, "Logical Replication Message Formats" and "Logical Streaming Replication Parameters".
"""

import struct
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from treetop.capture.lsn import print_lsn
from treetop.capture.pgoutput_rows import MalformedTupleError, RelationColumn, RowReader, compile_reader
from treetop.errors import StopZone
from treetop.model.change import UNCHANGED, Op, Row, RowChange, Transaction
from treetop.model.zone import Trust
from treetop.nova.table import Table
from treetop.nova.trust import Sharing, sharing

SCHEMA: Final = "public"  # where Nova's tables are: it never names another
PIECE_ROWS = 5_000
PIECE_BYTES = 4 << 20

EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_BEGIN = struct.Struct(">QqI")  # commit record's LSN, commit time, transaction id
_COMMIT = struct.Struct(">xQQq")  # flags, commit LSN, end LSN, commit time
_UINT32 = struct.Struct(">I")
_INSERT, _UPDATE, _DELETE, _TRUNCATE = b"IUDT"
_BEGINS, _COMMITS, _RELATION = b"BCR"
_IGNORED = b"OYM"  # Origin, Type, Message: nothing in them is needed
_KEY, _OLD, _NEW = b"KON"
_new_change = tuple.__new__  # half the cost of RowChange(...), once per row


def to_datetime(microseconds: int) -> datetime:
    """PostgreSQL's time (microseconds since 2000) as an aware instant."""
    return EPOCH + timedelta(microseconds=microseconds)


def widen_transaction_id(narrow: int, near: int) -> int:
    """Return the 64-bit transaction id with these low 32 bits that is nearest to `near`.

    Right as long as both are less than 2**31 apart, which PostgreSQL guarantees for ids in use.
    """
    distance = (narrow - near) & 0xFFFFFFFF
    return near + (distance - 0x1_0000_0000 if distance >= 0x8000_0000 else distance)


class _Relation:
    """A watched relation: how its tuples are read and what of a row is shared."""

    __slots__ = ("identity", "read", "read_key", "share", "table")

    def __init__(self, reader: RowReader, share: Sharing | None) -> None:
        self.table = reader.table.name
        self.read = reader.read
        self.read_key = reader.read_key
        self.share = share
        self.identity = tuple(reader.table.index(name) for name in reader.table.identity)


class Decoder:
    """The state of one stream: relations seen, and the transaction that is open.

    after: commits at or before this LSN were applied already and are dropped.
    near_transaction_id: the zone's next 64-bit transaction id when the stream was opened.
    """

    def __init__(
        self, *, trust: Trust, after: int, near_transaction_id: int, tables: Mapping[str, Table]
    ) -> None:
        self._trust = trust
        self._after = after
        self._tables = tables
        self._relations: dict[int, _Relation | None] = {}
        self._compiled: dict[bytes, _Relation] = {}
        self._mark = near_transaction_id
        self._commit_lsn = 0
        self._committed_at = EPOCH
        self._changes: list[RowChange] = []
        self._bytes = 0
        self._is_skipped = False
        self.is_inside = False  # between Begin and Commit
        self.end_lsn = after  # behind the newest Commit

    def decode(self, data: bytes, start: int = 0) -> Transaction | None:
        """Take one message, `data` from `start` to its end; return what it completed, if anything.

        Raises `StopZone` for a message that cannot be decoded.
        """
        kind = data[start]
        try:
            if kind == _UPDATE:
                self._update(data, start + 1)
            elif kind == _INSERT:
                self._insert(data, start + 1)
            elif kind == _BEGINS:
                self._begin(data, start + 1)
                return None
            elif kind == _COMMITS:
                return self._commit(data, start + 1)
            elif kind == _DELETE:
                self._delete(data, start + 1)
            else:
                self._other(kind, data, start + 1)
        except (IndexError, ValueError, struct.error, MalformedTupleError) as error:
            raise self._undecodable(f"message {chr(kind)!r}: {error}") from error
        if self._bytes > PIECE_BYTES or len(self._changes) >= PIECE_ROWS:
            return self._give(self._commit_lsn, is_complete=False)
        return None

    def _begin(self, data: bytes, at: int) -> None:
        self._commit_lsn, microseconds, narrow = _BEGIN.unpack_from(data, at)
        self._mark = widen_transaction_id(narrow, self._mark)
        self._committed_at = to_datetime(microseconds)
        self._is_skipped = self._commit_lsn < self._after
        self.is_inside = True

    def _commit(self, data: bytes, at: int) -> Transaction | None:
        _, end_lsn, _ = _COMMIT.unpack_from(data, at)
        self.is_inside = False
        self.end_lsn = max(self.end_lsn, end_lsn)
        if self._is_skipped:
            self._is_skipped = False
            return None
        return self._give(end_lsn, is_complete=True)

    def _give(self, lsn: int, *, is_complete: bool) -> Transaction:
        changes, self._changes = self._changes, []
        size, self._bytes = self._bytes, 0
        return Transaction(
            position=print_lsn(lsn),
            mark=self._mark,
            committed_at=self._committed_at,
            changes=changes,
            size_bytes=size,
            is_complete=is_complete,
        )

    def _relation(self, data: bytes, at: int) -> _Relation | None:
        """The relation a row message names; None: its rows are not wanted."""
        relation_id = _UINT32.unpack_from(data, at)[0]
        try:
            relation = self._relations[relation_id]
        except KeyError:
            raise self._undecodable(f"a row of relation {relation_id}, which was not described") from None
        return None if self._is_skipped else relation

    def _insert(self, data: bytes, at: int) -> None:
        relation = self._relation(data, at)
        if relation is not None:
            self._expect(data[at + 4] == _NEW)
            row, end = relation.read(data, at + 5)
            self._expect(end == len(data))
            self._add(Op.INSERT, relation, row, None, len(data))

    def _update(self, data: bytes, at: int) -> None:
        relation = self._relation(data, at)
        if relation is None:
            return
        kind, at, old = data[at + 4], at + 5, None
        if kind != _NEW:
            old, at = self._old_row(relation, data, at - 1)
            kind, at = data[at], at + 1
        self._expect(kind == _NEW)
        row, end = relation.read(data, at)
        self._expect(end == len(data))
        if old is None:
            self._add(Op.UPDATE, relation, row, None, len(data))
        else:
            self._update_knowing_old(relation, row, old, len(data))

    def _update_knowing_old(self, relation: _Relation, row: Row, old: Row, size: int) -> None:
        """An update that came with its old row or key: fill what the new row leaves out, see what moved."""
        row = tuple(was if now is UNCHANGED else now for now, was in zip(row, old, strict=True))
        share = relation.share
        shared_old = old if share is None else share(old)
        if share is not None and share(row) is None and shared_old is not None:
            self._changes.append(RowChange(Op.DELETE, relation.table, shared_old))  # it left what is shared
            return
        moved = any(old[i] is not UNCHANGED and old[i] != row[i] for i in relation.identity)
        self._add(Op.UPDATE, relation, row, shared_old if moved else None, size)

    def _delete(self, data: bytes, at: int) -> None:
        relation = self._relation(data, at)
        if relation is not None:
            row, end = self._old_row(relation, data, at + 4)
            self._expect(end == len(data))
            self._add(Op.DELETE, relation, row, None, len(data))

    def _old_row(self, relation: _Relation, data: bytes, at: int) -> tuple[Row, int]:
        """Read an old tuple: `O` is a whole row (REPLICA IDENTITY FULL), `K` has the key columns only."""
        self._expect(data[at] in (_KEY, _OLD))
        return (relation.read_key if data[at] == _KEY else relation.read)(data, at + 1)

    def _add(self, op: Op, relation: _Relation, row: Row, old_row: Row | None, size: int) -> None:
        share = relation.share
        if share is not None:
            shared = share(row)
            if shared is None:
                return
            row = shared
        self._changes.append(_new_change(RowChange, (op, relation.table, row, old_row)))
        self._bytes += size

    def _other(self, kind: int, data: bytes, at: int) -> None:
        """Take a message that is not a row, Begin or Commit."""
        if kind == _RELATION:
            self._describe(data, at)
        elif kind == _TRUNCATE:
            (count,) = _UINT32.unpack_from(data, at)
            for place in range(at + 5, at + 5 + 4 * count, 4):
                relation = self._relation(data, place)
                if relation is not None:
                    self._changes.append(RowChange(Op.TRUNCATE, relation.table, ()))
        elif kind not in _IGNORED:
            raise self._undecodable(f"a message of unknown kind {chr(kind)!r}")

    def _describe(self, data: bytes, at: int) -> None:
        """Take a Relation message: it comes before the first row and again after each change of the table."""
        relation_id = _UINT32.unpack_from(data, at)[0]
        schema, at = _text(data, at + 4)
        name, at = _text(data, at)
        table = self._tables.get(name) if schema == SCHEMA else None
        if table is None:
            self._relations[relation_id] = None
            return
        description = data[at:]
        relation = self._compiled.get(name.encode() + description)
        if relation is None:
            relation = _Relation(compile_reader(table, _columns(data, at + 1)), sharing(table, self._trust))
            self._compiled[name.encode() + description] = relation
        self._relations[relation_id] = relation

    def _expect(self, is_true: bool) -> None:
        if not is_true:
            raise MalformedTupleError("not in the form of protocol version 1")

    def _undecodable(self, what: str) -> StopZone:
        return StopZone(
            f"the zone's log cannot be decoded: {what}, in transaction {self._mark}, commit"
            f" {print_lsn(self._commit_lsn)}",
            hint="nothing after it was read; report this with the server's version (SELECT version())",
        )


def _text(data: bytes, at: int) -> tuple[str, int]:
    """A NUL-terminated text and the offset behind it."""
    end = data.index(0, at)
    return data[at:end].decode(), end + 1


def _columns(data: bytes, at: int) -> list[RelationColumn]:
    """The columns of a Relation message, from their count on."""
    count = data[at] << 8 | data[at + 1]
    at += 2
    columns = []
    for _ in range(count):
        flags = data[at]
        name, at = _text(data, at + 1)
        columns.append(
            RelationColumn(name=name, is_key=bool(flags & 1), type_id=_UINT32.unpack_from(data, at)[0])
        )
        at += 8  # type, type modifier
    return columns
