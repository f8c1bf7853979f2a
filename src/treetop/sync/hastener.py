# SPDX-License-Identifier: Apache-2.0
"""The thread that hears when somebody waits for a zone's instant, and has it found out and written at once.

Owns a connection to the top that only listens. After a word it asks the zone again and again until what is waited for
is written, or for a second: then the instant moves anyway, as it does without anybody waiting. Ends with its
connection.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime
from threading import Event, Thread
from typing import Final

from treetop.errors import TreetopError
from treetop.model.zone import Zone
from treetop.store.hastening import heard, listen
from treetop.store.session import open_session

log = logging.getLogger(__name__)

_LOOK_SECONDS: Final = 0.5  # how long a stop may go unnoticed
_AGAIN_SECONDS: Final = 0.02
_MOST_SECONDS: Final = 1.0


class Hastener:
    """Owns the thread and its connection. hasten: `Applier.hasten`, called from the thread."""

    def __init__(self, conninfo: str, zone: Zone, hasten: Callable[[datetime], bool]) -> None:
        self._zone = zone
        self._hasten = hasten
        self._stop = Event()
        self._connection = open_session(conninfo, name=f"hastener of {zone.name}")
        self._connection.autocommit = True
        self._thread = Thread(target=self._run, name="hastener", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        listen(self._connection)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close its connection."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=2.0)
        self._connection.close()

    def _run(self) -> None:
        until: datetime | None = None
        deadline = 0.0
        try:
            while not self._stop.is_set():
                latest = self._awaited(_LOOK_SECONDS if until is None else _AGAIN_SECONDS)
                if latest is not None:
                    until = latest if until is None else max(until, latest)
                    deadline = time.monotonic() + _MOST_SECONDS
                if until is not None and (self._hasten(until) or time.monotonic() > deadline):
                    until = None
        except TreetopError as error:
            if not self._stop.is_set():
                log.warning("nobody's waiting is heard any more until the zone is opened again: %s", error)

    def _awaited(self, wait_seconds: float) -> datetime | None:
        """The latest instant that somebody waits for, of those heard within the time."""
        words = heard(self._connection, wait_seconds=wait_seconds)
        return max((word.until for word in words if word.zone_id == self._zone.id), default=None)
