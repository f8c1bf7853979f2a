# SPDX-License-Identifier: Apache-2.0
"""One pass over all of a zone's rows, beside the running stream: load, re-load, verification or repair.

Rule (docs/adr/0005): a chunk is used when the stream has given every transaction of its snapshot. What the top has
by then beyond the snapshot is known transaction by transaction (`sync.recent`), so every unit of the chunk (a server,
or a row of a mirrored table) that none of them touched is exactly as of the stream's position; the few others are
read again, until none is left.
Only then does the pass move on, so a crash repeats at most one chunk.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import Enum

from treetop.apply.chunks import compare_chunk, load_chunk, repair_chunk
from treetop.apply.difference import Difference
from treetop.apply.plan import Touched
from treetop.apply.writer import LoadProgress, ZoneWriter
from treetop.model.change import Chunk, Mark, Position, Unit
from treetop.nova.mirrored_tables import ID_PLACE
from treetop.nova.tables import INSTANCES, KEY_PLACES, OWNER_PLACES
from treetop.sync.chunk_reader import ChunkReader
from treetop.sync.recent import RecentTransactions, Unseen

EXAMPLES_KEPT = 20
QUIET_AFTER_TRIES = 2  # a unit that changes all the time would else be read again for ever

_OWNER_PLACES = {name: (KEY_PLACES[name], OWNER_PLACES[name]) for name in OWNER_PLACES}
_UUID = INSTANCES.index("uuid")


class Pass(Enum):
    """What is done with a chunk."""

    LOAD = "load"  # write it: nothing of the range was there before
    RELOAD = "reload"  # compare, write the differences, and remember how far
    VERIFY = "verify"  # compare
    REPAIR = "repair"  # compare, write the differences


@dataclass(slots=True)
class Tally:
    """What the pass has found so far. compared: servers and mirrored rows that were written or compared."""

    compared: int = 0
    differences: int = 0
    examples: list[Difference] = field(default_factory=list)


@dataclass(slots=True)
class _Pending:
    chunk: Chunk
    unseen: Unseen


class ChunkRun:
    """The state of one pass. Used by the applier's thread only."""

    def __init__(
        self,
        kind: Pass,
        reader: ChunkReader,
        writer: ZoneWriter,
        recent: RecentTransactions,
        opened_at: Position,
    ) -> None:
        """opened_at: where the stream was opened; what was applied before, `recent` does not know."""
        self.kind = kind
        self.tally = Tally()
        self.is_done = False
        self._reader = reader
        self._writer = writer
        self._recent = recent
        self._opened_at = opened_at
        self._ranges: deque[_Pending] = deque()
        self._rereads: deque[_Pending] = deque()
        self._reread_of: Chunk | None = None  # the range whose last units are being read again
        self._tries = 0  # readings of the present range, or of units of it, that did not settle it

    @property
    def is_load(self) -> bool:
        """Say whether the top's rows are not all there, or not all right, until this pass is done."""
        return self.kind in (Pass.LOAD, Pass.RELOAD)

    def applied(self, mark: Mark, touched: Touched) -> None:
        """Take note of a transaction that was just written to the top."""
        for pending in (*self._ranges, *self._rereads):
            if not pending.chunk.snapshot.contains(mark):
                pending.unseen.add(touched)

    def collect(self) -> None:
        """Take over the chunks that the reader has ready, one range at a time. Raises the reader's error."""
        for chunk, born in self._reader.take(with_range=not self._ranges):
            if not chunk.snapshot.reaches(self._opened_at):  # not shown yet, though we applied it before
                self._read_again(chunk)
                continue
            if not self._recent.reaches_back_to(born):  # read too long ago to know what it lacks
                self._request_again(chunk)
                continue
            pending = _Pending(chunk, self._recent.unseen_by(chunk.snapshot))
            (self._ranges if chunk.only is None else self._rereads).append(pending)

    def waits_for_stream(self, position: Position) -> bool:
        """Say whether a chunk is there that the stream has not covered yet."""
        pending = self._next()
        return pending is not None and not pending.chunk.snapshot.is_covered_by(position)

    @property
    def is_hard(self) -> bool:
        """Say whether the stream should get no further beyond the next chunk's snapshot than it must."""
        return self._tries >= QUIET_AFTER_TRIES

    @property
    def needs_quiet(self) -> bool:
        """Say whether nothing should be applied until the next chunk is there."""
        return self.is_hard and self._next() is None and not self.is_done

    def use_next(self, position: Position) -> tuple[bool, LoadProgress | None]:
        """Use one chunk if the stream at `position` covers it; its writes are in the writer's open transaction.

        Returns whether a chunk was used (the caller then commits), and how far the load is if it moved on.
        """
        pending = self._next()
        if pending is None or not pending.chunk.snapshot.is_covered_by(position):
            return False, None
        chunk, unseen = pending.chunk, pending.unseen
        (self._rereads if chunk.only is not None else self._ranges).popleft()
        if unseen.everything:
            self._request_again(chunk)
            return False, None
        skipped = unseen.resolve(chunk, _OWNER_PLACES)
        self._use(chunk, skipped)
        again = self._to_read_again(chunk, skipped)
        whole = self._reread_of or chunk
        if again:
            self._tries += 1
            self._reread_of = whole
            self._reader.read_again(chunk.table, again)
            return True, None
        self._reread_of = None
        self._tries = 0
        self.is_done = whole.upto is None
        if not self.is_load:
            return True, None
        return True, LoadProgress(upto=whole.upto, is_loaded=self.is_done)

    def stop(self) -> None:
        """End the reader's thread."""
        self._reader.stop()

    def _next(self) -> _Pending | None:
        if self._reread_of is not None:
            return self._rereads[0] if self._rereads else None
        return self._ranges[0] if self._ranges else None

    def _request_again(self, chunk: Chunk) -> None:
        self._tries += 1
        self._read_again(chunk)

    def _read_again(self, chunk: Chunk) -> None:
        if chunk.only is not None:
            self._reader.read_again(chunk.table, list(chunk.only))
        else:
            assert not self._ranges, "a range is taken when none is left before it"
            self._reader.go_back(chunk.after)

    def _use(self, chunk: Chunk, skipped: set[Unit]) -> None:
        if self.kind is Pass.LOAD:
            self.tally.compared += load_chunk(self._writer, chunk, skipped)
            return
        compared, differences = compare_chunk(self._writer, chunk, skipped)
        self.tally.compared += compared
        self.tally.differences += len(differences)
        self.tally.examples.extend(differences[: EXAMPLES_KEPT - len(self.tally.examples)])
        if differences and self.kind is not Pass.VERIFY:
            repair_chunk(self._writer, chunk, differences)

    @staticmethod
    def _to_read_again(chunk: Chunk, skipped: set[Unit]) -> list[Unit]:
        """The skipped units that this chunk was to settle; those of later ranges come with their own chunk."""
        if chunk.only is not None:
            return list(skipped & chunk.only)
        table, place = (INSTANCES.name, _UUID) if chunk.table is None else (chunk.table, ID_PLACE)
        return list(skipped & {row[place] for row in chunk.rows.get(table, ())})
