# SPDX-License-Identifier: Apache-2.0
"""A zone's worker without threads: a test says when the log is read, a chunk is read, a turn is done, it dies.

Everything but the zone is real: `Applier`, `ChunkRun`, `ChunkReader` (its thread is not started, `read` does what
it would do), `ZoneWriter` and the top. What must always hold is looked at after every turn.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg

from tests.apply.claimed_top import OWNER
from tests.sync.zone_history import ZoneHistory, pieces
from treetop.apply.chunks import compare_chunk
from treetop.apply.writer import ZoneWriter
from treetop.model.change import Heartbeat, Position, Transaction
from treetop.model.zone import Zone
from treetop.store import leases
from treetop.store.partition import has_rows_after
from treetop.sync.applier import Applier, ClockOffsets, Limits
from treetop.sync.chunk_reader import ChunkReader
from treetop.sync.chunk_run import ChunkRun, Pass
from treetop.sync.event_queue import EventQueue
from treetop.sync.recent import RecentTransactions

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much of everything.

    kept: transactions remembered; in_flight: how many of them a read may lack. servers: most units of a chunk.
    batch: changes of a commit. pieces: of a transaction. position_seconds: how long a position that has no changes
    of ours waits for the next commit.
    """

    kept: int
    in_flight: int = 0
    servers: int = 3
    batch: int = 20
    pieces: int = 1
    position_seconds: float = 0.0


class ChunkWorker:
    """One zone's worker, again and again."""

    def __init__(self, dsn: str, zone: Zone, history: ZoneHistory, sizes: Sizes) -> None:
        self._dsn = dsn
        self._zone = zone
        self._history = history
        self._sizes = sizes
        self._kind: Pass | None = None  # of a verification that runs or, after a crash, is to run again
        self._stayed: set[tuple[str, object, object]] = set()
        self.is_reading = False
        self._control = psycopg.connect(dsn, autocommit=True)
        self._writer: ZoneWriter | None = None
        self._reader: ChunkReader | None = None

    def close(self) -> None:
        """Close the connections."""
        if self._writer is not None:
            self._writer.close()
        self._control.close()

    @property
    def is_busy(self) -> bool:
        """Say whether a pass runs."""
        return self.applier.chunks is not None

    def begin(self) -> None:
        """Start to read the log at its end, everything to be loaded."""
        position = Position(str(len(self._history.log)))
        leases.begin_load(self._control, self._zone.id, owner=OWNER, identity="zone", position=position)
        self._kind = None
        self.open()

    def open(self) -> None:
        """Open the zone from the stored position, as a new process would; the old one is dead."""
        if self._writer is not None:
            self._writer.close()
        self._writer = ZoneWriter(self._dsn, self._zone.id, OWNER)
        stored = leases.claim(self._control, self._zone.id, owner=OWNER)
        assert stored.position is not None
        if not self._history.compares:
            self._history.show_upto(int(stored.position))
        self._given = int(stored.position)
        self._events = EventQueue(10**9)
        self.applier = Applier(
            events=self._events,
            writer=self._writer,
            position=stored.position,
            clocks=ClockOffsets(from_top=timedelta(0), from_here=timedelta(0)),
            limits=Limits(batch_changes=self._sizes.batch, heartbeat_seconds=self._sizes.position_seconds),
            acknowledge=lambda _position: None,
            nudge=self._beat,
        )
        self.applier.recent = RecentTransactions(self._sizes.kept, in_flight=self._sizes.in_flight)
        if not stored.is_loaded:
            after = stored.loaded_upto or 0
            there = has_rows_after(self._control, self._zone, after)
            self._start(Pass.RELOAD if there else Pass.LOAD, after)
        elif self._kind is not None:
            self.start(self._kind)

    def start(self, kind: Pass) -> None:
        """Begin a verification or repair."""
        self._kind = kind
        self._stayed = self._history.units()
        self._start(kind, 0)

    def _start(self, kind: Pass, after: int) -> None:
        assert self._writer is not None
        applier = self.applier
        self._reader = ChunkReader(
            self._history,
            after=after,
            servers_per_chunk=self._sizes.servers,
            wake=self._events.wake,
            needed_after=applier.recent.needed_after,
        )
        applier.chunks = ChunkRun(kind, self._reader, self._writer, applier.recent, applier.opened_at)

    def read(self) -> None:
        """Read a chunk if the reader's thread would read one now."""
        reader = self._reader
        if reader is not None and not self.is_reading and (reader._wanted or reader._may_read_ahead()):
            self.is_reading = True
            reader._read_one()
            self.is_reading = False

    def give(self, count: int) -> None:
        """Let the log's reader queue up to this many transactions; a heartbeat if there are no more."""
        for number in range(self._given + 1, min(self._given + count, len(self._history.log)) + 1):
            parts = pieces(self._history.log[number - 1], self._sizes.pieces)
            for part in parts:
                self._events.put(
                    Transaction(
                        position=Position(str(number)),
                        mark=number,
                        committed_at=NOW,
                        changes=part,
                        is_complete=part is parts[-1],
                    )
                )
            self._given = number
        self._beat()

    def turn(self) -> None:
        """Do a turn of the applier."""
        chunks = self.applier.chunks
        self._events.wake()  # it must not wait
        self.applier.turn()
        if chunks is None:
            return
        assert len(chunks._ranges) <= 1
        assert len(chunks._rereads) <= 1
        if chunks.kind is Pass.VERIFY:
            assert chunks.tally.examples == []
            assert chunks.tally.differences == 0
        if chunks.is_done:
            self._finish(chunks)

    def drain(self, *, most_turns: int = 400) -> None:
        """Let everything become visible and be applied, and the pass end."""
        self._history.show_upto(len(self._history.log))
        for _ in range(most_turns):
            if not self.is_busy and int(self.applier.position) == len(self._history.log):
                return
            self.read()
            self.give(5)
            self.turn()
        raise AssertionError("the pass does not end")

    def require_equal_rows(self) -> None:
        """The top has what the zone had at the applied position, by the order of its log."""
        assert self._writer is not None
        for chunk in self._history.chunks_at(int(self.applier.position)):
            _, differences = compare_chunk(self._writer, chunk, ())
            self._writer.connection.rollback()
            assert differences == []

    def _finish(self, chunks: ChunkRun) -> None:
        self.applier.chunks = None
        self._reader = None
        if chunks.kind in (Pass.VERIFY, Pass.REPAIR):
            assert chunks.tally.compared >= len(self._stayed & self._history.units()), "a range was left out"
            self._kind = None
        self.require_equal_rows()

    def _beat(self) -> None:
        if self._given == len(self._history.log):
            self._events.put(Heartbeat(position=Position(str(self._given)), at=NOW))
