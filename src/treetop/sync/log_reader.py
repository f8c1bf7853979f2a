# SPDX-License-Identifier: Apache-2.0
"""The thread that reads one zone's log into an `EventQueue`. Ends with the error that ended the stream."""

import logging
from threading import Thread

from treetop.capture.source import LogSource
from treetop.errors import Retry, TreetopError
from treetop.model.change import Position
from treetop.sync.event_queue import EventQueue

log = logging.getLogger(__name__)


class LogReader:
    """Owns the thread; the source belongs to it from `start` until `stop`."""

    def __init__(self, source: LogSource, events: EventQueue) -> None:
        self._source = source
        self._events = events
        self._thread: Thread | None = None

    def start(self, position: Position) -> None:
        """Begin to read what follows `position`."""
        self._thread = Thread(target=self._run, args=(position,), name="log-reader", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close the source and wait a moment for the thread; a thread stuck in the network is left to die."""
        self._events.close()
        self._source.close()
        if self._thread is not None:
            self._thread.join(timeout=2.0)

    def _run(self, position: Position) -> None:
        try:
            for event in self._source.stream(position):
                self._events.put(event)
        except TreetopError as error:
            self._events.fail(error)
        except Exception as error:
            log.exception("the log reader failed")
            self._events.fail(Retry(f"the log reader failed unexpectedly: {type(error).__name__}: {error}"))
        else:
            self._events.fail(Retry("the zone ended its log stream"))
