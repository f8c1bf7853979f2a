# SPDX-License-Identifier: Apache-2.0
"""A zone's log and what a SELECT sees of it, which is not always the same: for tests of `sync.chunk_run`.

`ZoneHistory.commit` puts a transaction into the log, numbered from 1 (its mark and its position). It is visible at
once, or in flight: a SELECT sees it only after `show`. As in a real database a transaction that needs a lock of one
in flight has waited for it, so the visible ones always make up a consistent state. It is also a `RowSource`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import TypeAlias

from tests.apply.mirrored_rows import MIRRORED, SEGMENTS, WATCHED, segment_chunk
from tests.apply.zone_model import Tables, ZoneModel, as_row, key_of, rows_of
from treetop.model.change import UNCHANGED, Chunk, Mark, Op, Position, Row, RowChange
from treetop.model.zone import Trust, ZoneKind
from treetop.nova.watched import Segment, segment_after

_Effects: TypeAlias = list[tuple[str, object, dict[str, object] | None]]  # table, key, row (None: gone)


@dataclass(frozen=True)
class Seen:
    """A snapshot: the transactions up to `newest` that were not in flight. compares: see `Snapshot.reaches`."""

    newest: int
    hidden: frozenset[int]
    compares: bool

    def contains(self, mark: Mark) -> bool:
        assert isinstance(mark, int)
        return mark <= self.newest and mark not in self.hidden

    def is_covered_by(self, position: Position) -> bool:
        contained = (n for n in range(self.newest, 0, -1) if n not in self.hidden)
        return next(contained, 0) <= int(position)

    def reaches(self, position: Position) -> bool:
        return not self.compares or not any(n <= int(position) for n in self.hidden)


@dataclass(frozen=True)
class _Locks:
    """What a transaction holds until it is visible."""

    alone: frozenset[object]
    shared: frozenset[object]

    def bars(self, other: "_Locks") -> bool:
        return bool(self.alone & (other.alone | other.shared) or self.shared & other.alone)


class ZoneHistory:
    """The log, the visible tables, and the transactions in flight: at most the last `most_in_flight`.

    compares: snapshots can be compared with positions, as on MariaDB and MySQL; where they cannot, nothing that
    a worker has applied may be in flight when it is opened again.
    """

    def __init__(self, random: Random, *, bare_deletes: bool, compares: bool, most_in_flight: int) -> None:
        self.log: list[list[RowChange]] = []
        self.ranges_read: list[int] = []  # `after` of each
        self.during_read: Callable[[], None] = lambda: None  # called before and after the snapshot
        self.compares = compares
        self._random = random
        self._model = ZoneModel(random, bare_deletes=bare_deletes)
        self._most = most_in_flight
        self._effects: list[_Effects] = []
        self._visible = _no_rows()
        self._in_flight: dict[int, _Locks] = {}

    # -- the zone's side

    def commit(self, *, at_once: bool) -> None:
        """Do a transaction; it is in the log now."""
        before = _copy(self._model.tables)
        changes = list(self._model.transaction())
        effects = _differences(before, self._model.tables)
        locks = _locks(changes, before, effects)
        for number in [n for n, held in self._in_flight.items() if held.bars(locks)]:
            self._show(number)
        self.log.append(changes)
        self._effects.append(effects)
        self._in_flight[len(self.log)] = locks
        if at_once:
            self._show(len(self.log))
        self.show_upto(len(self.log) - self._most)

    def show(self, place: int) -> None:
        """Let one of those in flight become visible, if there is any."""
        if self._in_flight:
            self._show(list(self._in_flight)[place % len(self._in_flight)])

    def show_upto(self, number: int) -> None:
        """Let all up to this one become visible."""
        for each in [n for n in self._in_flight if n <= number]:
            self._show(each)

    def chunks_at(self, number: int) -> list[Chunk]:
        """Every row as of transaction `number`, by the order of the log, a chunk for each segment."""
        tables = _no_rows()
        for effects in self._effects[:number]:
            _do(tables, effects)
        uuids = {row["uuid"] for row in tables["instances"].values()}
        servers = self._servers(tables, uuids, upto=SEGMENTS[0].last_key)
        rest = [self._rows(tables, segment, ids=None) for segment in SEGMENTS if segment.table is not None]
        return [servers, *rest]

    def units(self) -> set[tuple[str, object, object]]:
        """(table, key, id) of every visible server and mirrored row."""
        names = ("instances", *MIRRORED)
        return {(name, key, row["id"]) for name in names for key, row in self._visible[name].items()}

    # -- RowSource

    def read_range(self, *, after: int, rows: int) -> Chunk:
        """Read at most `rows` servers or mirrored rows, often fewer."""
        self.ranges_read.append(after)
        self.during_read()
        segment, row_id = segment_after(after, kind=ZoneKind.CELL, trust=Trust.FULL)
        name = "instances" if segment.table is None else segment.table.name
        ids = sorted(i for i in (int(str(row["id"])) for row in self._visible[name].values()) if i > row_id)
        taken = ids[: self._random.randint(1, rows)]
        upto = taken[-1] if len(taken) < len(ids) else None
        if segment.table is None:
            uuids = {row["uuid"] for row in self._visible[name].values() if row["id"] in taken}
            chunk = self._servers(self._visible, uuids, after=row_id, upto=upto or segment.last_key)
        else:
            chunk = self._rows(self._visible, segment, ids=set(taken), after=row_id, upto=upto)
        self.during_read()
        return chunk

    def read_servers(self, uuids: Sequence[str]) -> Chunk:
        """Read just these."""
        self.during_read()
        chunk = self._servers(self._visible, set(uuids), asked=frozenset(uuids))
        self.during_read()
        return chunk

    def read_rows(self, table: str, ids: Sequence[int]) -> Chunk:
        """Read just these."""
        self.during_read()
        (segment,) = (each for each in SEGMENTS if each.table is not None and each.table.name == table)
        chunk = self._rows(self._visible, segment, ids=set(ids), asked=frozenset(ids))
        self.during_read()
        return chunk

    def close(self) -> None:
        """Nothing is open."""

    def _servers(
        self,
        tables: Tables,
        uuids: set[object],
        *,
        after: int = 0,
        upto: int | None = None,
        asked: frozenset[str] | None = None,
    ) -> Chunk:
        return Chunk(after=after, upto=upto, only=asked, snapshot=self._seen(), rows=rows_of(tables, uuids))

    def _rows(
        self,
        tables: Tables,
        segment: Segment,
        *,
        ids: set[int] | None,
        after: int = 0,
        upto: int | None = None,
        asked: frozenset[int] | None = None,
    ) -> Chunk:
        """ids: None for all."""
        table = segment.table
        assert table is not None
        rows = [as_row(table, row) for key, row in tables[table.name].items() if ids is None or key in ids]
        return segment_chunk(segment, rows, self._seen(), after=after, upto=upto, only=asked)

    def _seen(self) -> Seen:
        return Seen(len(self.log), frozenset(self._in_flight), self.compares)

    def _show(self, number: int) -> None:
        del self._in_flight[number]
        _do(self._visible, self._effects[number - 1])


def _no_rows() -> Tables:
    return {name: {} for name in WATCHED}


def _copy(tables: Tables) -> Tables:
    return {name: {key: dict(row) for key, row in table.items()} for name, table in tables.items()}


def _do(tables: Tables, effects: _Effects) -> None:
    for name, key, row in effects:
        if row is None:
            del tables[name][key]
        else:
            tables[name][key] = row


def _differences(before: Tables, after: Tables) -> _Effects:
    return [
        (name, key, dict(after[name][key]) if key in after[name] else None)
        for name in WATCHED
        for key in sorted({*before[name], *after[name]}, key=str)
        if before[name].get(key) != after[name].get(key)
    ]


def _locks(changes: list[RowChange], before: Tables, effects: _Effects) -> _Locks:
    """Rows and truncated tables alone; a server alone if it comes, goes or moves, else shared by its rows."""
    alone: set[object] = set()
    shared: set[object] = set()

    def touch(name: str, row: dict[str, object], *, comes_or_goes: bool) -> None:
        shared.add(name)
        alone.add((name, key_of(name, row)))
        column = WATCHED[name].owner
        owner = UNCHANGED if column is None else row[column]
        if owner is not UNCHANGED:
            (alone if name == "instances" and comes_or_goes else shared).add(owner)

    for change in changes:
        if change.op is Op.TRUNCATE:
            alone.add(change.table)
            continue
        for row in filter(None, (change.row, change.old_row)):
            touch(change.table, _named(change.table, row), comes_or_goes=change.op is not Op.UPDATE)
    for name, key, row in effects:
        old = before[name].get(key)
        for each in filter(None, (old, row)):
            touch(name, each, comes_or_goes=old is None or row is None)
    return _Locks(frozenset(alone), frozenset(shared - alone))


def _named(name: str, row: Row) -> dict[str, object]:
    return dict(zip(WATCHED[name].shared_columns, row, strict=True))


def pieces(changes: list[RowChange], count: int) -> list[list[RowChange]]:
    """Cut into at most `count` parts, none of them empty unless there is nothing."""
    cuts = sorted({0, len(changes), *(len(changes) * n // count for n in range(count))})
    return [changes[a:b] for a, b in pairwise(cuts)] or [changes]
