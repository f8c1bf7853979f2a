# SPDX-License-Identifier: Apache-2.0
"""The thread that reads a zone's rows chunk by chunk beside the running stream.

Reads ranges in key order, one ahead of what is being applied; re-reads of single units come first. `read` of
the source may take seconds, so the applier never waits for it: a finished chunk wakes its queue.
Each chunk comes with its `born` number: after which of the applier's transactions it may lack some, asked before
the read began.
"""

import logging
from collections import deque
from collections.abc import Callable
from threading import Condition, Thread

from treetop.capture.source import RowSource
from treetop.errors import Retry, TreetopError
from treetop.model.change import Chunk, Unit
from treetop.nova.tables import INSTANCES

log = logging.getLogger(__name__)

FIRST_SERVERS = 100  # how many rows a server has is known only after the first chunk
ROWS_WANTED = 60_000  # in a chunk, about 50 MB while it is used; Nova's servers have some forty each
MIRRORED_ROWS = 5  # in place of one server at most: the longest (request specs) come with 3 kB of JSON


class ChunkReader:
    """Owns the thread and, while it runs, the row source."""

    def __init__(
        self,
        source: RowSource,
        *,
        after: int,
        servers_per_chunk: int,
        wake: Callable[[], None],
        needed_after: Callable[[], int],
    ) -> None:
        self._source = source
        self._needed_after = needed_after
        self._most_servers = servers_per_chunk
        self._servers = min(servers_per_chunk, FIRST_SERVERS)
        self._wake = wake
        self._changed = Condition()
        self._after: int | None = after  # None: every range has been read
        self._wanted: deque[tuple[str | None, list[Unit]]] = deque()  # table (None: servers), units
        self._ready: deque[tuple[Chunk, int]] = deque()
        self._error: TreetopError | None = None
        self._stopped = False
        self._thread = Thread(target=self._run, name="chunk-reader", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; a read that is under way is cut by closing its connection."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._source.close()
        if self._thread.is_alive():
            self._thread.join(timeout=2.0)

    def take(self, *, with_range: bool) -> list[tuple[Chunk, int]]:
        """Return the re-read units that are ready and, if wanted, the next range, each with its `born` number.

        A range that is not taken keeps the reader from reading further: there is never more than one ahead.
        Raises the reader's error when nothing is left before it.
        """
        with self._changed:
            taken = [each for each in self._ready if with_range or each[0].only is not None]
            self._ready = deque(each for each in self._ready if not with_range and each[0].only is None)
            self._changed.notify_all()
            if not taken and not self._ready and self._error is not None:
                raise self._error
        return taken

    def read_again(self, table: str | None, units: list[Unit]) -> None:
        """Ask for these rows of a mirrored table, or servers (None), before any further range."""
        with self._changed:
            self._wanted.append((table, units))
            self._changed.notify_all()

    def go_back(self, after: int) -> None:
        """Read ranges from `after` again; what was read ahead is dropped."""
        with self._changed:
            self._ready = deque(each for each in self._ready if each[0].only is not None)
            self._after = after
            self._changed.notify_all()

    def _run(self) -> None:
        try:
            while self._read_one():
                self._wake()
        except TreetopError as error:
            self._fail(error)
        except Exception as error:
            log.exception("the chunk reader failed")
            self._fail(Retry(f"the chunk reader failed unexpectedly: {type(error).__name__}: {error}"))

    def _fail(self, error: TreetopError) -> None:
        with self._changed:
            self._error = error
        self._wake()

    def _read_one(self) -> bool:
        """Read what is wanted most. Returns False when stopped."""
        with self._changed:
            while not self._stopped and not self._wanted and not self._may_read_ahead():
                self._changed.wait(1.0)
            if self._stopped:
                return False
            wanted = self._wanted.popleft() if self._wanted else None
            after = self._after
        born = self._needed_after()
        if wanted is not None:
            chunk = self._read_units(*wanted)
        else:
            assert after is not None
            chunk = self._source.read_range(after=after, rows=self._servers)
        with self._changed:
            if wanted is None:
                if self._after != after:  # gone back meanwhile: this range is not wanted any more
                    return not self._stopped
                self._after = chunk.upto
                self._servers = next_size(chunk, most=self._most_servers)
            self._ready.append((chunk, born))
        return True

    def _read_units(self, table: str | None, units: list[Unit]) -> Chunk:
        if table is None:
            return self._source.read_servers([str(uuid) for uuid in units])
        return self._source.read_rows(table, [int(row_id) for row_id in units])

    def _may_read_ahead(self) -> bool:
        return self._after is not None and not any(chunk.only is None for chunk, _ in self._ready)


def next_size(chunk: Chunk, *, most: int) -> int:
    """Return how many units the next range should have, judged by the rows of this one. most: servers."""
    if chunk.table is not None:
        return most * MIRRORED_ROWS
    servers = len(chunk.rows.get(INSTANCES.name, ()))
    rows = sum(map(len, chunk.rows.values()))
    return max(1, min(most, ROWS_WANTED * max(1, servers) // max(1, rows)))
