# SPDX-License-Identifier: Apache-2.0
"""What was applied lately: which transactions, and which servers and mirrored rows each touched. Pure.

A zone's log can give a transaction a moment before a SELECT sees it. A chunk that was read in that moment lacks
it, though the top already has it; looking here tells which units of the chunk must be read again.
"""

from collections import deque
from collections.abc import Mapping

from treetop.apply.plan import Touched
from treetop.model.change import Chunk, Mark, Snapshot, Unit

KEPT_TRANSACTIONS = 20_000
IN_FLIGHT = 1_000  # of the last ones, how many a SELECT may not see yet
KEPT_ROWS = 200_000  # servers and rows over all of them, about 40 MB


class Unseen:
    """The units of one chunk that transactions outside its snapshot have touched."""

    def __init__(self) -> None:
        self.servers: set[str] = set()
        self.everything = False
        self._rows: set[tuple[str, int]] = set()

    def add(self, touched: Touched) -> None:
        """Note what one more such transaction touched."""
        self.servers |= touched.servers
        self._rows |= touched.rows
        self.everything = self.everything or touched.everything

    def resolve(self, chunk: Chunk, owner_places: Mapping[str, tuple[int, int]]) -> set[Unit]:
        """Return the units to leave alone; finds the owners of bare deletes among the chunk's own rows.

        owner_places: table of servers' rows -> (index of the row id, index of the owner's uuid).
        """
        if chunk.table is not None:
            return {row_id for table, row_id in self._rows if table == chunk.table}
        servers: set[Unit] = set(self.servers)
        for table in owner_places.keys() & {table for table, _ in self._rows}:
            key, owner = owner_places[table]
            servers.update(
                str(row[owner]) for row in chunk.rows.get(table, ()) if (table, row[key]) in self._rows
            )
        return servers


class RecentTransactions:
    """The last transactions applied, numbered in order from 1."""

    def __init__(
        self, kept: int = KEPT_TRANSACTIONS, kept_rows: int = KEPT_ROWS, in_flight: int = IN_FLIGHT
    ) -> None:
        self.count = 0
        self._in_flight = in_flight
        self._most = kept
        self._most_rows = kept_rows
        self._rows = 0
        self._kept: deque[tuple[Mark, Touched]] = deque()

    def add(self, mark: Mark, touched: Touched) -> None:
        """Note one more, forgetting the oldest where there is too much."""
        self.count += 1
        self._kept.append((mark, touched))
        self._rows += len(touched.servers) + len(touched.rows)
        while len(self._kept) > self._most or self._rows > self._most_rows:
            _, forgotten = self._kept.popleft()
            self._rows -= len(forgotten.servers) + len(forgotten.rows)

    def needed_after(self) -> int:
        """For a read that begins now: after which number everything must still be here when its chunk is used.

        It may lack some of what was applied already. Callable from another thread.
        """
        return self.count - min(len(self._kept), self._in_flight)

    def reaches_back_to(self, number: int) -> bool:
        """Say whether everything after transaction `number` is still here."""
        return self.count - len(self._kept) <= number

    def unseen_by(self, snapshot: Snapshot) -> Unseen:
        """Return what the transactions outside this snapshot touched."""
        unseen = Unseen()
        for mark, touched in self._kept:
            if not snapshot.contains(mark):
                unseen.add(touched)
        return unseen
