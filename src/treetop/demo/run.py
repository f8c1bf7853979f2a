# SPDX-License-Identifier: Apache-2.0
"""The demo from start to end: three zones at work, the top, counts while it runs, a verification, a clean end.

Everything is in one private folder and ends with this process, also by `kill -9`; what a killed demo left is
removed by the next one.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg

from treetop.demo.top import DemoTop
from treetop.demo.worker import Worker
from treetop.demo.zones import DemoZone, plan_zones
from treetop.errors import Refuse, Retry, TreetopError
from treetop.model.zone import ZoneState
from treetop.store.daemon import FolderLock, is_port_free
from treetop.store.session import open_session
from treetop.store.verifications import Verification, find_verification, request_verification
from treetop.store.zones import ZoneReport, report_zones

HOSTS = 20
SEED = 1
LOAD_SECONDS = 120.0
CATCH_UP_SECONDS = 60.0
VERIFY_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSettings:
    """What can be chosen. rate: transactions a second in each zone."""

    folder: Path
    bin_dir: Path | None
    port: int
    servers_per_zone: int
    rate: float


def default_folder() -> Path:
    """`$XDG_STATE_HOME/treetop/demo`, or the same under `~/.local/state`."""
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state) / "treetop" / "demo"


class Demo:
    """A running demo, made by `running_demo`."""

    def __init__(self, settings: DemoSettings) -> None:
        self.top = DemoTop(settings.folder, bin_dir=settings.bin_dir, port=settings.port)
        self.zones: Sequence[DemoZone] = plan_zones(settings.folder, dies_with_parent=True)
        self._settings = settings
        self._workers: list[Worker] = []

    def start(self) -> None:
        """Start everything; returns when every zone is loaded and live."""
        self.top.start()
        for zone in self.zones:
            zone.start()
            zone.fill(servers=self._settings.servers_per_zone, hosts=HOSTS, seed=SEED)
        self.top.register(self.zones)
        self.top.start_daemons()
        for zone in self.zones:
            worker = Worker(zone, seed=SEED, transactions_per_second=self._settings.rate)
            worker.start()
            self._workers.append(worker)
        self._wait_until(_all_live, LOAD_SECONDS, "load every zone")

    def reports(self) -> list[ZoneReport]:
        """How the zones stand at the top. Raises `Retry` when a daemon died."""
        self.top.require_daemons()
        with self._connected() as conn:
            return report_zones(conn)

    def stop_changes(self) -> dict[str, int]:
        """End the work on the zones; return how many transactions each saw."""
        return {worker.zone.name: worker.stop().transactions for worker in self._workers}

    def wait_until_applied(self) -> None:
        """Wait until the top shows every zone as of a moment after the last change."""
        with self._connected() as conn:
            row = conn.execute("SELECT now()").fetchone()
        assert row is not None
        self._wait_until(
            lambda reports: all(report.as_of and report.as_of > row[0] for report in reports),
            CATCH_UP_SECONDS,
            "apply everything",
        )

    def verify(self) -> list[Verification]:
        """Compare every zone row by row."""
        with self._connected() as conn:
            asked = [
                (report.zone, request_verification(conn, report.zone.id, repair=False))
                for report in report_zones(conn)
            ]
            deadline = time.monotonic() + VERIFY_SECONDS
            results: dict[UUID, Verification] = {}
            while len(results) < len(asked):
                if time.monotonic() > deadline:
                    raise Retry(f"the zones were not compared within {VERIFY_SECONDS:g} s")
                for zone, request in asked:
                    found = find_verification(conn, zone.id, request)
                    if found is not None and found.is_finished:
                        results[request] = found
                time.sleep(0.05)
        return list(results.values())

    def stop(self) -> None:
        """Stop and delete everything, as far as it goes, whatever happened before."""
        for worker in self._workers:
            with suppress(TreetopError):
                worker.stop()
        for stopping in (self.top.stop, *(zone.stop for zone in self.zones)):
            with suppress(TreetopError):
                stopping()
        self.remove()

    def remove(self) -> None:
        """Delete what this demo or one that was killed left, its servers stopped."""
        self.top.remove()
        for zone in self.zones:
            zone.remove()

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection]:
        with open_session(self.top.conninfo, name="demo") as conn:
            conn.autocommit = True
            yield conn

    def _wait_until(self, fits: Callable[[list[ZoneReport]], bool], seconds: float, what: str) -> None:
        deadline = time.monotonic() + seconds
        while not fits(reports := self.reports()):
            if time.monotonic() > deadline:
                states = ", ".join(f"{report.zone.name} is {report.state}" for report in reports)
                raise Retry(f"the demo could not {what} within {seconds:g} s: {states}")
            time.sleep(0.1)


def _all_live(reports: list[ZoneReport]) -> bool:
    for report in reports:
        if report.state is ZoneState.STOPPED:
            raise Retry(f"zone {report.zone.name} stopped: {report.reason}", hint=report.hint)
    return all(report.state is ZoneState.LIVE for report in reports)


@contextmanager
def running_demo(settings: DemoSettings) -> Iterator[Demo]:
    """Start a demo and end it with the block, leaving nothing behind.

    Raises `Refuse` when another demo runs in the folder or the port is taken.
    """
    settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = FolderLock(settings.folder)
    try:
        lock.acquire()
    except Refuse:
        raise Refuse(
            f"a demo runs in {settings.folder} already",
            hint="stop it with Ctrl-C, or run a second one: treetop demo --folder PATH --port PORT",
        ) from None
    if not is_port_free(settings.port):
        raise Refuse(
            f"port {settings.port} of 127.0.0.1 is taken", hint=f"treetop demo --port {settings.port + 1}"
        )
    demo = Demo(settings)
    demo.remove()
    try:
        demo.start()
        yield demo
    finally:
        demo.stop()
        lock.release()
        shutil.rmtree(settings.folder, ignore_errors=True)
