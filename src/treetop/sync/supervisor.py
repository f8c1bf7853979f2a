# SPDX-License-Identifier: Apache-2.0
"""One worker process per zone: starts them as zones appear, again when they die, stops them together.

A zone is a process so that nothing one zone does (a crash, a stuck network, a burst) can disturb another. The
supervisor only reads the registry; a top that is down keeps the workers there are. SIGTERM reaches the workers at
once, and what has not ended after `STOP_SECONDS` is killed: the next start goes on from the stored positions.
"""

import logging
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event

from treetop.errors import TreetopError
from treetop.store.session import open_session
from treetop.store.zones import list_zones

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
STOP_SECONDS = 4.0
RESTART_MOST_SECONDS = 30.0


@dataclass(slots=True)
class _Worker:
    process: subprocess.Popen[bytes]
    started_at: float
    failures: int
    told_to_stop_at: float | None = None


class Supervisor:
    """Runs until `stop` is set."""

    def __init__(self, conninfo: str, *, arguments: Sequence[str]) -> None:
        """arguments: global command-line options the workers are to be started with, e.g. --config-file."""
        self._conninfo = conninfo
        self._arguments = list(arguments)
        self._name = uuid.uuid4().hex[:12]
        self._workers: dict[str, _Worker] = {}
        self._has_told_empty = False
        self._not_before: dict[str, tuple[float, int]] = {}  # zone -> (monotonic, failures in a row)

    def run(self, stop: Event) -> None:
        """Keep one worker per registered zone; stop them all before returning."""
        try:
            while not stop.is_set():
                self._reap()
                self._follow_registry()
                stop.wait(LOOK_SECONDS)
        finally:
            self._stop_all()

    def _follow_registry(self) -> None:
        try:
            with open_session(self._conninfo, name="supervisor") as conn:
                names = {str(zone.name) for zone in list_zones(conn)}
        except TreetopError as error:
            log.warning("cannot read the registry: %s", error, extra={"hint": error.hint})
            return
        if not names and not self._has_told_empty:
            log.info(
                "no zone is registered yet; they are looked for every second",
                extra={"hint": "treetop zone add"},
            )
        self._has_told_empty = not names
        for gone in self._workers.keys() - names:
            self._end(gone, self._workers[gone])
        for name in sorted(names - self._workers.keys()):
            earliest, failures = self._not_before.get(name, (0.0, 0))
            if time.monotonic() >= earliest:
                self._workers[name] = _Worker(self._start(name), time.monotonic(), failures)

    def _end(self, name: str, worker: _Worker) -> None:
        now = time.monotonic()
        if worker.told_to_stop_at is None:
            log.info("zone %s was removed: its worker is told to stop", name)
            worker.told_to_stop_at = now
            worker.process.terminate()
        elif now - worker.told_to_stop_at > STOP_SECONDS:
            worker.process.kill()

    def _start(self, name: str) -> subprocess.Popen[bytes]:
        command = [
            sys.executable,
            "-m",
            "treetop",
            *self._arguments,
            "sync",
            "--zone",
            name,
            "--supervisor",
            self._name,
            "--with-parent",
        ]
        process = subprocess.Popen(command, stdin=subprocess.PIPE)  # its stdin ends when this process dies
        log.info("worker %d reads zone %s", process.pid, name)
        return process

    def _reap(self) -> None:
        for name, worker in list(self._workers.items()):
            status = worker.process.poll()
            if status is None:
                continue
            del self._workers[name]
            lived = time.monotonic() - worker.started_at
            failures = 0 if status == 0 or lived > RESTART_MOST_SECONDS else worker.failures + 1
            delay = min(RESTART_MOST_SECONDS, 0.5 * 2**failures) if failures > 1 else 0.5
            self._not_before[name] = (time.monotonic() + delay, failures)
            log.log(
                logging.INFO if status == 0 else logging.WARNING,
                "worker %d of zone %s ended with status %d; the next one starts in %.1f s",
                worker.process.pid,
                name,
                status,
                delay,
            )

    def _stop_all(self) -> None:
        for worker in self._workers.values():
            worker.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for name, worker in self._workers.items():
            try:
                worker.process.wait(timeout=max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning(
                    "worker %d of zone %s did not stop in time and is killed", worker.process.pid, name
                )
                worker.process.kill()
                worker.process.wait()
        self._workers.clear()
