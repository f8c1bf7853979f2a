# SPDX-License-Identifier: Apache-2.0
"""Applies one zone's events to the top: batches, chunks, the position, what the zone may forget.

One thread runs `turn` again and again. A turn takes what the reader has queued, writes it as one commit (whole
transactions only; a very large transaction in pieces before its one commit), and uses a chunk if the stream now
covers it. While the stream is idle a batch is what one commit's time brought: a single transaction is written at
once. Raises what capture and store raise; nothing is half done then.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from treetop.apply.plan import Plan, Touched, touched
from treetop.apply.writer import LoadProgress, Progress, ZoneWriter
from treetop.model.change import Heartbeat, LogEvent, Position, Transaction
from treetop.sync.chunk_run import ChunkRun
from treetop.sync.event_queue import EventQueue
from treetop.sync.recent import RecentTransactions

IDLE_SECONDS = 0.25  # how long a turn waits for an event
NUDGED_SECONDS = 0.005  # the same while a chunk waits for the stream
_EVERYTHING = Touched(frozenset(), everything=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most that goes into one commit, and how often an idle zone's freshness is written."""

    batch_changes: int = 5_000
    heartbeat_seconds: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockOffsets:
    """How far the zone's clock is ahead of the top's and of this process's."""

    from_top: timedelta
    from_here: timedelta


class Applier:
    """The state between turns: where the top stands, what was applied lately, the pass that is running."""

    def __init__(
        self,
        *,
        events: EventQueue,
        writer: ZoneWriter,
        position: Position,
        clocks: ClockOffsets,
        limits: Limits,
        acknowledge: Callable[[Position], None],
        nudge: Callable[[], None],
    ) -> None:
        """Start at a stored position."""
        self.position = position
        self.opened_at = position
        self.has_heard = False  # anything from the zone's log, or a chunk that it covers
        self.recent = RecentTransactions()
        self.chunks: ChunkRun | None = None
        self.last_heartbeat_at: float | None = None  # monotonic; None: behind, or none yet
        self.lag_seconds: float | None = None  # of the last commit
        self._events = events
        self._writer = writer
        self._clocks = clocks
        self._as_of: datetime | None = None  # what the rows would show if no load were running
        self._limits = limits
        self._acknowledge = acknowledge
        self._nudge = nudge
        self._written_at = 0.0  # monotonic: the last commit
        self._durable_at = time.monotonic()
        self._in_pieces = 0  # changes written of a transaction that is not complete
        self._awaited: datetime | None = None  # top's clock: somebody waits for the zone as of then
        self._written_as_of: datetime | None = None  # what the top shows since the last commit

    def hasten(self, until: datetime) -> bool:
        """Have the zone written as soon as it is as of then (top's clock) or later; say whether it is already.

        Thread-safe, does not block. To be called again until it is: one look at the zone may come too early.
        """
        if self._written_as_of is not None and self._written_as_of >= until:
            return True
        self._awaited = until
        self._nudge()
        return False

    def turn(self) -> None:
        """Do one round of work; returns after at most about `IDLE_SECONDS` without any."""
        events = self._take()
        self.has_heard = self.has_heard or bool(events)
        self._apply(events)
        if self.chunks is not None and not self._in_pieces:
            self.chunks.collect()
            self._use_chunk(self.chunks)
        self._let_zone_forget()

    def _take(self) -> list[LogEvent]:
        chunks, most = self.chunks, self._limits.batch_changes
        if chunks is None:
            return self._events.take(most_changes=most, timeout_seconds=IDLE_SECONDS)
        if chunks.needs_quiet and not self._in_pieces:
            self._events.await_wake(IDLE_SECONDS)
            return []
        if not chunks.waits_for_stream(self.position):
            return self._events.take(most_changes=most, timeout_seconds=IDLE_SECONDS)
        self._nudge()
        return self._events.take(most_changes=1 if chunks.is_hard else most, timeout_seconds=NUDGED_SECONDS)

    def _apply(self, events: list[LogEvent]) -> None:
        plan = Plan()
        transactions: list[Transaction] = []
        heartbeat: Heartbeat | None = None
        for event in events:
            if isinstance(event, Heartbeat):
                heartbeat = event
                continue
            heartbeat = None
            if event.is_complete and not self._in_pieces:
                plan.add(event.changes)
                transactions.append(event)
                continue
            self._commit_batch(plan, transactions)
            plan, transactions = Plan(), []
            self._write_piece(event)
        self._commit_batch(plan, transactions)
        if heartbeat is not None and not self._in_pieces:
            self._beat(heartbeat)

    def _commit_batch(self, plan: Plan, transactions: list[Transaction]) -> None:
        if not transactions:
            return
        last = transactions[-1]
        if plan.changes == 0 and not self._is_due(last.committed_at):
            self.position = (
                last.position
            )  # nothing of ours in them: the position goes along with the next commit
            return
        self._writer.write(plan.steps())
        self._advance(
            last, changes=plan.changes, transactions=sum(1 for each in transactions if each.changes)
        )
        for each in transactions:
            self._note(each, touched(each.changes))

    def _write_piece(self, piece: Transaction) -> None:
        """Write a part of a large transaction; commit with its last one."""
        plan = Plan()
        plan.add(piece.changes)
        self._writer.write(plan.steps())
        self._in_pieces += max(1, plan.changes)
        if piece.is_complete:
            changes, self._in_pieces = self._in_pieces, 0
            self._advance(piece, changes=changes, transactions=1)
            self._note(
                piece, _EVERYTHING
            )  # too many servers to remember: a chunk that lacks it is read again

    def _advance(self, last: Transaction, *, changes: int, transactions: int) -> None:
        self._as_of = last.committed_at - self._clocks.from_top
        self._writer.commit(
            Progress(
                position=last.position,
                as_of=self._shown_as_of(),
                committed_at=last.committed_at,
                transactions=transactions,
                changes=changes,
            )
        )
        self.position = last.position
        self._written_as_of = self._shown_as_of()
        self._written_at = time.monotonic()
        self.last_heartbeat_at = None
        age = datetime.now(UTC) - (last.committed_at - self._clocks.from_here)
        self.lag_seconds = max(0.0, age.total_seconds())

    def _shown_as_of(self) -> datetime | None:
        """None while a load runs: rows it has not reached show an earlier state of the zone, or nothing."""
        is_loading = self.chunks is not None and self.chunks.is_load
        return None if is_loading else self._as_of

    def _note(self, transaction: Transaction, what: Touched) -> None:
        if not transaction.changes:
            return
        self.recent.add(transaction.mark, what)
        if self.chunks is not None:
            self.chunks.applied(transaction.mark, what)

    def _beat(self, heartbeat: Heartbeat) -> None:
        """The zone has nothing more: the rows show it as of now."""
        self.position = heartbeat.position
        self.last_heartbeat_at = time.monotonic()
        self.lag_seconds = 0.0
        self._as_of = heartbeat.at - self._clocks.from_top
        if self._is_due(heartbeat.at):
            self._commit_position()

    def _is_due(self, at: datetime) -> bool:
        """Say whether the zone's instant should be written although no row changed. at: zone's clock."""
        awaited = self._awaited
        if awaited is not None and at - self._clocks.from_top >= awaited:
            self._awaited = None
            return True
        return time.monotonic() - self._written_at >= self._limits.heartbeat_seconds

    def _commit_position(self, load: LoadProgress | None = None) -> None:
        is_loaded = load is not None and load.is_loaded
        as_of = self._as_of if is_loaded else self._shown_as_of()
        self._writer.commit(
            Progress(
                position=self.position,
                as_of=as_of,
                committed_at=None,
                transactions=0,
                changes=0,
            ),
            load,
        )
        self._written_as_of = as_of
        self._written_at = time.monotonic()

    def _use_chunk(self, chunks: ChunkRun) -> None:
        used, progress = chunks.use_next(self.position)
        if used:
            self.has_heard = True
            self._commit_position(progress)
        if chunks.is_done:
            chunks.stop()

    def _let_zone_forget(self) -> None:
        now = time.monotonic()
        if now - self._durable_at < 1.0 or self._in_pieces:
            return
        self._durable_at = now
        position = self._writer.durable()
        if position is not None:
            self._acknowledge(position)
