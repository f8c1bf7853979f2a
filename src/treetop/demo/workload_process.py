# SPDX-License-Identifier: Apache-2.0
"""A zone's workload as a process of its own: `python -m treetop.demo.workload_process`, started by `Worker`.

It works until SIGTERM or until its parent is gone, connects again when the zone comes back after a crash, and
writes what it did to a small JSON file: `{"transactions", "operations": {name: count}, "is_waiting"}`.
"""

import argparse
import json
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Final

from treetop.demo.workload import Workload
from treetop.demo.zone_database import Error, ZoneDatabase
from treetop.demo.zones import read_population
from treetop.model.source_url import parse_source_url
from treetop.model.zone import SourceUrl

_REPORT_SECONDS: Final = 0.2
_AGAIN_SECONDS: Final = 0.5


class _Progress:
    """What all connections to the zone together did, kept in a file."""

    def __init__(self, file: Path) -> None:
        self.current: Workload | None = None
        self._file = file
        self._transactions = 0
        self._operations: Counter[str] = Counter()

    def close_current(self) -> None:
        """Add up what the workload that ended did."""
        if self.current is not None:
            self._transactions += self.current.transactions
            self._operations += self.current.operations
            self.current = None

    def write(self) -> None:
        """Replace the file at once: a reader never sees half of it."""
        current = self.current
        operations = self._operations + (current.operations.copy() if current else Counter())
        report = {
            "transactions": self._transactions + (current.transactions if current else 0),
            "operations": dict(sorted(operations.items())),
            "is_waiting": current is None,
        }
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps(report))
        new.replace(self._file)


def main(argv: Sequence[str] | None = None) -> int:
    """Work until told to stop; return the exit status."""
    arguments = _parser().parse_args(argv)
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    progress = _Progress(arguments.report)
    watcher = threading.Thread(target=_watch, args=(progress, stop, arguments.parent), daemon=True)
    watcher.start()
    while not stop.is_set():
        try:
            _work(arguments, progress, stop)
        except Error as error:  # the zone is down: it was killed, or is not up yet
            print(f"{arguments.url}: {error}", file=sys.stderr, flush=True)  # noqa: T201 - its log file
            stop.wait(_AGAIN_SECONDS)
    watcher.join()
    progress.write()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="treetop.demo.workload_process", description="Change a demo zone.")
    parser.add_argument("--url", required=True, type=parse_source_url)
    parser.add_argument("--password-file", required=True, type=Path)
    parser.add_argument("--population", required=True, type=Path, help="population.json of the zone")
    parser.add_argument("--region-url", type=parse_source_url, help="the region's API database")
    parser.add_argument("--region-password-file", type=Path)
    parser.add_argument("--seed", required=True, type=int)
    parser.add_argument("--rate", required=True, type=float, help="transactions a second")
    parser.add_argument("--parent", required=True, type=int, help="process id; ends when this one is gone")
    parser.add_argument("--report", required=True, type=Path, help="JSON file to keep up to date")
    return parser


def _work(arguments: argparse.Namespace, progress: _Progress, stop: threading.Event) -> None:
    population = read_population(arguments.population)
    with ExitStack() as opened:
        database = opened.enter_context(_open(arguments.url, arguments.password_file))
        region = None
        if arguments.region_url is not None:
            region = opened.enter_context(_open(arguments.region_url, arguments.region_password_file))
        workload = Workload(database, population, seed=arguments.seed, region=region)
        progress.current = workload
        try:
            workload.run(stop, arguments.rate)
        finally:
            progress.close_current()


def _open(url: SourceUrl, password_file: Path) -> ZoneDatabase:
    return ZoneDatabase(url, password_file.read_text().splitlines()[0])


def _watch(progress: _Progress, stop: threading.Event, parent: int) -> None:
    while not stop.wait(_REPORT_SECONDS):
        progress.write()
        if os.getppid() != parent:  # whoever started us is gone, and nobody else will stop us
            stop.set()


if __name__ == "__main__":
    raise SystemExit(main())
