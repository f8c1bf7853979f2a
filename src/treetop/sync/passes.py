# SPDX-License-Identifier: Apache-2.0
"""Which pass over the zone's rows runs: the load first, then verifications as they are asked for.

Owned by the worker's loop. Starts a `ChunkRun` on the applier, reports a verification's progress to the top, and
tells when the load is done. One pass at a time.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import asdict

import psycopg

from treetop.apply.writer import ZoneWriter
from treetop.capture.source import RowSource
from treetop.model.zone import Zone
from treetop.nova.watched import describe_key
from treetop.store.feed import prune_feed
from treetop.store.partition import has_rows_after
from treetop.store.verifications import Verification, next_verification, report_verification
from treetop.sync.applier import Applier
from treetop.sync.chunk_reader import ChunkReader
from treetop.sync.chunk_run import ChunkRun, Pass
from treetop.sync.heap import give_back

log = logging.getLogger(__name__)

PRUNE_SECONDS = 600.0


class Passes:
    """The pass that runs, if any, and what it is for."""

    def __init__(
        self,
        *,
        zone: Zone,
        control: psycopg.Connection,
        writer: ZoneWriter,
        applier: Applier,
        open_rows: Callable[[], RowSource],
        wake: Callable[[], None],
        servers_per_chunk: int,
    ) -> None:
        self._zone = zone
        self._control = control
        self._writer = writer
        self._applier = applier
        self._open_rows = open_rows
        self._wake = wake
        self._servers_per_chunk = servers_per_chunk
        self._verification: Verification | None = None
        self._started_at = 0.0
        self._pruned_at = 0.0  # monotonic: at once, then now and then
        self.is_loading = False

    def start_load(self, *, after: int | None) -> None:
        """Load what lies after this row key (None: everything); compares where rows are there already."""
        kind = Pass.RELOAD if has_rows_after(self._control, self._zone, after or 0) else Pass.LOAD
        self._start(kind, after or 0)
        self.is_loading = True

    def look(self, *, may_start: bool) -> None:
        """Report the running verification's progress, or start one that was asked for; keep the feed short."""
        self.settle()
        if time.monotonic() - self._pruned_at >= PRUNE_SECONDS:
            self._pruned_at = time.monotonic()
            prune_feed(self._control, self._zone.id)
        if self._verification is not None:
            if not self._report(is_finished=False):
                self._drop()
        elif may_start and self._applier.chunks is None:
            wanted = next_verification(self._control, self._zone.id)
            if wanted is not None:
                self._verification = wanted
                self._start(Pass.REPAIR if wanted.repair else Pass.VERIFY, 0)

    def settle(self) -> None:
        """Finish what is done."""
        chunks = self._applier.chunks
        if chunks is None or not chunks.is_done:
            return
        seconds = time.monotonic() - self._started_at
        log.info(
            "%s done: %d servers and rows, %d differences",
            chunks.kind.value,
            chunks.tally.compared,
            chunks.tally.differences,
            extra={"seconds": round(seconds, 3)},
        )
        if self._verification is not None:
            self._report(is_finished=True)
            self._verification = None
        self.is_loading = False
        self._applier.chunks = None
        del chunks
        give_back()

    def _drop(self) -> None:
        """End a verification that was withdrawn: from here on it must write nothing."""
        log.info("the verification was withdrawn")
        self.stop()
        self._verification = self._applier.chunks = None

    def stop(self) -> None:
        """End the running pass; a verification that was under way is taken up by the next worker."""
        if self._applier.chunks is not None:
            self._applier.chunks.stop()

    def _start(self, kind: Pass, after: int) -> None:
        reader = ChunkReader(
            self._open_rows(),
            after=after,
            servers_per_chunk=self._servers_per_chunk,
            wake=self._wake,
            needed_after=self._applier.recent.needed_after,
        )
        self._applier.chunks = ChunkRun(
            kind, reader, self._writer, self._applier.recent, self._applier.opened_at
        )
        self._started_at = time.monotonic()
        place = describe_key(after, kind=self._zone.kind, trust=self._zone.trust)
        log.info("%s begins after %s", kind.value, place)
        reader.start()

    def _report(self, *, is_finished: bool) -> bool:
        chunks, verification = self._applier.chunks, self._verification
        assert chunks is not None
        assert verification is not None
        return report_verification(
            self._control,
            self._zone.id,
            verification.id,
            rows=chunks.tally.compared,
            differences=chunks.tally.differences,
            examples=[asdict(each) for each in chunks.tally.examples],
            is_finished=is_finished,
        )
