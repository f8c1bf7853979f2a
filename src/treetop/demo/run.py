# SPDX-License-Identifier: Apache-2.0
"""The demo from start to end: a region of three cells at work, the top, a verification, a clean end.

Everything is in one private folder and ends with this process, also by `kill -9`; what a killed demo left is
removed by the next one. The servers are started side by side, in threads that live as long as the demo does,
because a server ends with the thread that started it.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from uuid import UUID

import psycopg

from treetop.demo.population import Population
from treetop.demo.region import DemoRegion
from treetop.demo.top import DemoTop
from treetop.demo.worker import Worker
from treetop.demo.zones import DemoZone, plan_zones
from treetop.errors import Refuse, Retry, TreetopError
from treetop.model.zone import Trust, ZoneName, ZoneState
from treetop.store.daemon import FolderLock, is_port_free
from treetop.store.session import open_session
from treetop.store.verifications import Verification, find_verification, request_verification
from treetop.store.zones import ZoneReport, report_zones

HOSTS = 20
SEED = 1
LOAD_SECONDS = 120.0
CATCH_UP_SECONDS = 60.0
VERIFY_SECONDS = 120.0
LOCK_NAME = "owner.lock"  # FolderLock's file: shows that the folder is a demo's
_LOOK_SECONDS = 0.2
_SERVERS_PER_FAILURE = 25  # one server in cell0 for so many elsewhere
_CELL0_RATE = 0.25  # of the others'


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
    """A running demo, made by `running_demo`. stop: ends its waiting, by `KeyboardInterrupt`, when set."""

    def __init__(self, settings: DemoSettings, stop: Event) -> None:
        self.top = DemoTop(settings.folder, bin_dir=settings.bin_dir, port=settings.port)
        self.region = DemoRegion(plan_zones(settings.folder, dies_with_parent=True))
        self.zones: Sequence[DemoZone] = self.region.zones
        self._settings = settings
        self._stop = stop
        self._workers: list[Worker] = []
        self._threads = ThreadPoolExecutor(max_workers=3 * len(self.zones), thread_name_prefix="demo")
        self._starting: list[Future[None]] = []

    def start(self) -> None:
        """Start everything; returns when every zone is loaded and live."""
        submit, region = self._threads.submit, self.region
        populations = self._populations()
        database = submit(self.top.start)
        servers = [submit(zone.start) for zone in region.cells]
        servers.append(submit(self._start_guest, region.cell0, servers[0]))
        api = submit(self._start_region, populations, servers, database)
        self._starting = [database, submit(self._start_daemons, database), *servers, api]
        for zone, server in zip((*region.cells, region.cell0), servers, strict=True):
            self._starting.append(
                submit(self._start_work, zone, populations[zone.name], server, database, api)
            )
        waiting = set(self._starting)
        while waiting:
            done, waiting = wait(waiting, timeout=_LOOK_SECONDS, return_when=FIRST_EXCEPTION)
            self._obey_stop()  # Ctrl-C reaches the programs that make databases, too: it is no fault of theirs
            for future in done:
                future.result()
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
                self._obey_stop()
                if time.monotonic() > deadline:
                    raise Retry(f"the zones were not compared within {VERIFY_SECONDS:g} s")
                for zone, request in asked:
                    found = find_verification(conn, zone.id, request)
                    if found is not None and found.is_finished:
                        results[request] = found
                time.sleep(0.05)
        return list(results.values())

    def remove(self) -> None:
        """Stop and delete everything of this demo, or what one that was killed left, as far as it goes."""
        wait(self._starting)
        for worker in self._workers:
            with suppress(TreetopError):
                worker.stop()
        self.top.stop_daemons()
        removes = [self.top.remove, *(zone.remove for zone in self.zones)]
        for removing in [self._threads.submit(remove) for remove in removes]:
            with suppress(TreetopError):
                removing.result()
        for zone in self.zones:
            with suppress(OSError):
                zone.folder.rmdir()

    def close(self) -> None:
        """End the threads, and with them any server that `remove` could not stop."""
        self._threads.shutdown()

    def _start_daemons(self, database: Future[None]) -> None:
        database.result()
        self.top.start_daemons()

    def _populations(self) -> dict[ZoneName, Population]:
        """Who will live in each cell: known before it is there."""
        servers, now = self._settings.servers_per_zone, datetime.now(UTC).replace(tzinfo=None)
        sizes = dict.fromkeys(self.region.cells, (servers, HOSTS))
        sizes[self.region.cell0] = (max(1, servers // _SERVERS_PER_FAILURE), 0)
        return {
            zone.name: Population(zone=zone.name, seed=SEED, servers=count, hosts=hosts, loaded_at=now)
            for zone, (count, hosts) in sizes.items()
        }

    def _start_guest(self, zone: DemoZone, server: Future[None]) -> None:
        server.result()
        zone.start()

    def _start_region(
        self,
        populations: Mapping[ZoneName, Population],
        servers: Sequence[Future[None]],
        database: Future[None],
    ) -> None:
        self._start_guest(self.region.api, servers[0])
        for server in servers:  # the mappings name where each of them is
            server.result()
        self._obey_stop()
        self.region.fill(populations)
        database.result()
        self.top.register(self.region.api, Trust.FULL)

    def _start_work(
        self,
        zone: DemoZone,
        population: Population,
        server: Future[None],
        database: Future[None],
        api: Future[None],
    ) -> None:
        server.result()
        self._obey_stop()
        zone.fill(population)
        database.result()
        # The last cell shares no hosts, to show what that looks like.
        self.top.register(zone, Trust.SERVERS if zone is self.region.cells[-1] else Trust.FULL)
        api.result()  # the work is written there, too
        rate = self._settings.rate * (_CELL0_RATE if population.is_cell0 else 1)
        worker = Worker(zone, seed=SEED, transactions_per_second=rate, region=self.region.api)
        worker.start()
        self._workers.append(worker)

    def _obey_stop(self) -> None:
        if self._stop.is_set():
            raise KeyboardInterrupt

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection]:
        with open_session(self.top.conninfo, name="demo") as conn:
            conn.autocommit = True
            yield conn

    def _wait_until(self, fits: Callable[[list[ZoneReport]], bool], seconds: float, what: str) -> None:
        deadline = time.monotonic() + seconds
        while not fits(reports := self.reports()):
            self._obey_stop()
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
def running_demo(settings: DemoSettings, stop: Event) -> Iterator[Demo]:
    """Start a demo and end it with the block, leaving nothing behind.

    Raises `Refuse` when another demo runs in the folder, the folder holds something else, or the port is taken;
    `KeyboardInterrupt` when `stop` is set while it starts or waits.
    """
    with _own_folder(settings.folder):
        if not is_port_free(settings.port):
            raise Refuse(
                f"port {settings.port} of 127.0.0.1 is taken",
                hint=f"treetop demo --port PORT; `ss -ltnp 'sport = :{settings.port}'` shows who has it",
            )
        demo = Demo(settings, stop)
        try:
            demo.remove()
            demo.start()
            yield demo
        finally:
            demo.remove()
            demo.close()


@contextmanager
def _own_folder(folder: Path) -> Iterator[None]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark = folder / LOCK_NAME
    if not mark.exists() and any(folder.iterdir()):
        raise Refuse(
            f"{folder} holds something that is not a demo's",
            hint="treetop demo --folder PATH, a new or empty one",
        )
    lock = FolderLock(folder)
    try:
        lock.acquire()
    except Refuse:
        raise Refuse(
            f"a demo runs in {folder} already",
            hint="stop it with Ctrl-C, or run a second one: treetop demo --folder PATH --port PORT",
        ) from None
    try:
        yield
    finally:
        if {entry.name for entry in folder.iterdir()} == {LOCK_NAME}:
            mark.unlink()
            with suppress(PermissionError):  # a folder given to us, in one that is not ours, stays, empty
                folder.rmdir()
        lock.release()
