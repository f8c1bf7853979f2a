# SPDX-License-Identifier: Apache-2.0
"""Start, watch and stop the process that works on a demo zone.

The work runs outside of the process that serves the API, so that its CPU does not show in answers' times.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from treetop.demo.zones import DemoZone
from treetop.errors import Retry
from treetop.store.daemon import last_lines

_STOP_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What a worker did so far. is_waiting: the zone does not answer, or the work has ended."""

    transactions: int
    operations: Mapping[str, int]
    is_waiting: bool


class Worker:
    """The work on one filled zone at a wanted rate. Not thread-safe.

    region: the API database that knows the zone's servers; None: there is none.
    """

    def __init__(
        self, zone: DemoZone, *, seed: int, transactions_per_second: float, region: DemoZone | None = None
    ) -> None:
        self.zone = zone
        self._region = region
        self._seed = seed
        self._rate = transactions_per_second
        self._report = zone.folder / "workload.json"
        self._log = zone.folder / "workload.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start working; it ends by itself when this process does, even by `kill -9`."""
        self._report.unlink(missing_ok=True)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "treetop.demo.workload_process"),
                    *("--url", str(self.zone.nova_url())),
                    *("--password-file", str(self.zone.nova_password_file)),
                    *("--population", str(self.zone.population_file)),
                    *self._region_arguments(),
                    *("--seed", str(self._seed)),
                    *("--rate", str(self._rate)),
                    *("--parent", str(os.getpid())),
                    *("--report", str(self._report)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the demo, which then stops its workers in order
            )

    def progress(self) -> Progress:
        """Say what was done, at most about 0.2 s ago. Raises `Retry` when the work ended by a fault."""
        if self._process is not None and self._process.poll():
            raise Retry(
                f"the work on zone {self.zone.name} ended with status {self._process.returncode}",
                hint=f"see {self._log}: {last_lines(self._log, lines=3)}",
            )
        try:
            return Progress(**json.loads(self._report.read_text()))
        except FileNotFoundError:
            return Progress(transactions=0, operations={}, is_waiting=True)

    def stop(self) -> Progress:
        """End the work after the operation under way; return what was done in all. Idempotent."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=_STOP_SECONDS)
            except subprocess.TimeoutExpired:  # it waits for a zone that hangs
                self._process.kill()
                self._process.wait()
                self._process = None
        return self.progress()

    def _region_arguments(self) -> tuple[str, ...]:
        if self._region is None:
            return ()
        file = self._region.nova_password_file
        return "--region-url", str(self._region.nova_url()), "--region-password-file", str(file)
