# SPDX-License-Identifier: Apache-2.0
"""The one hand-over between the thread that reads a zone's log and the one that applies it.

Bounded by row changes and their bytes, not by items: a reader ahead of the top waits, so memory stays bounded
whatever the size of transactions. The applier takes everything that is there at once: what piled up during one
commit is the next one.
"""

from collections import deque
from threading import Condition

from treetop.errors import Retry, TreetopError
from treetop.model.change import LogEvent, Transaction

DEFAULT_CHANGES = 20_000
CHANGE_BYTES = 1_500  # of an ordinary update of `instances` in the log; larger ones count as several changes


class EventQueue:
    """Events in order, then, when the reader ended, its error."""

    def __init__(self, changes: int = DEFAULT_CHANGES) -> None:
        self._limit = changes
        self._held = 0
        self._events: deque[LogEvent] = deque()
        self._changed = Condition()
        self._error: TreetopError | None = None
        self._closed = False
        self._woken = False

    def put(self, event: LogEvent) -> None:
        """Add an event, waiting while the queue is full. Raises `Retry` once the queue is closed."""
        weight = _weight(event)
        with self._changed:
            while self._held and self._held + weight > self._limit and not self._closed:
                self._changed.wait(1.0)
            if self._closed:
                raise Retry("the zone's worker is stopping")
            self._events.append(event)
            self._held += weight
            self._changed.notify_all()

    def fail(self, error: TreetopError) -> None:
        """Say that no event follows and why; raised to the taker after the events before it."""
        with self._changed:
            self._error = self._error or error
            self._changed.notify_all()

    def wake(self) -> None:
        """Make a waiting `take` return, with what is there."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def await_wake(self, timeout_seconds: float) -> None:
        """Wait until `wake` is called, or was since the last waiting; leaves events where they are.

        Raises the reader's error when nothing is before it.
        """
        with self._changed:
            if not self._events and self._error is not None:
                raise self._error
            self._changed.wait_for(lambda: self._woken, timeout_seconds)
            self._woken = False

    def close(self) -> None:
        """Refuse further events and release a waiting reader."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def take(self, *, most_changes: int, timeout_seconds: float) -> list[LogEvent]:
        """Return the events that are there, at least one if any comes within the time, at most about `most_changes`.

        Raises the reader's error once everything before it was taken.
        """
        with self._changed:
            if not (self._events or self._error or self._woken):
                self._changed.wait(timeout_seconds)
            self._woken = False
            if not self._events and self._error is not None:
                raise self._error
            taken: list[LogEvent] = []
            weight = 0
            while self._events and (not taken or weight + _weight(self._events[0]) <= most_changes):
                event = self._events.popleft()
                weight += _weight(event)
                taken.append(event)
            self._held -= weight
            self._changed.notify_all()
        return taken


def _weight(event: LogEvent) -> int:
    if isinstance(event, Transaction):
        return 1 + max(len(event.changes), event.size_bytes // CHANGE_BYTES)
    return 1
