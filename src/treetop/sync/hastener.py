# SPDX-License-Identifier: Apache-2.0
"""The thread that hears when somebody waits for a zone's instant, and has it found out and written at once.

Owns a connection to the top that only listens. It waits `SETTLE_SECONDS` after a word, so that the instant found out
is past the one that is waited for whatever the clocks' small differences, and words that come together are one. Ends
with its connection: the instant then moves once a second, as it does without anybody waiting.
"""

import logging
from collections.abc import Callable
from threading import Event, Thread

from treetop.errors import TreetopError
from treetop.model.zone import Zone
from treetop.store.hastening import heard, listen
from treetop.store.session import open_session
from treetop.store.write_marks import SETTLE_SECONDS

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.5  # how long a stop may go unnoticed


class Hastener:
    """Owns the thread and its connection. hasten: called from the thread."""

    def __init__(self, conninfo: str, zone: Zone, hasten: Callable[[], None]) -> None:
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
        try:
            while not self._stop.is_set():
                if self._zone.id in heard(self._connection, wait_seconds=_LOOK_SECONDS):
                    self._stop.wait(SETTLE_SECONDS)
                    self._hasten()
        except TreetopError as error:
            if not self._stop.is_set():
                log.warning("nobody's waiting is heard any more until the zone is opened again: %s", error)
