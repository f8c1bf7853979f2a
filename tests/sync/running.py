# SPDX-License-Identifier: Apache-2.0
"""A top, its zones and their worker processes for tests: start, wait for a state, kill, compare row by row.

Cell: a Nova cell on a test's database server.   Top: the top's database and what a person asks of it.
WorkerProcess: `treetop sync …` as a process, its log in a file.   Work: Nova's work on a cell, as a process.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from tests.servers import MariaDBDatabase, PostgresDatabase, wait_until
from treetop.demo.loading import load_zone
from treetop.demo.population import Population
from treetop.demo.zone_database import ZoneDatabase
from treetop.model.zone import (
    Engine,
    PasswordReference,
    SourceUrl,
    Trust,
    Zone,
    ZoneKind,
    ZoneState,
    parse_zone_name,
)
from treetop.nova.mirrored_tables import MIRRORED_TABLES, top_table
from treetop.store.migrate import sync_schema
from treetop.store.verifications import Verification, find_verification, request_verification
from treetop.store.zones import ZoneReport, add_zone, report_zones

LIVE = ZoneState.LIVE
PATIENCE_SECONDS = 40.0  # for what takes one or two seconds on a machine that does nothing else


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A Nova cell. folder: for what its work leaves."""

    database: MariaDBDatabase | PostgresDatabase
    folder: Path

    @property
    def engine(self) -> Engine:
        return Engine.MARIADB if isinstance(self.database, MariaDBDatabase) else Engine.POSTGRESQL

    def open(self) -> ZoneDatabase:
        password = Path(self.database.password.name).read_text().splitlines()[0]
        return ZoneDatabase(self.database.source_url(), password)

    def fill(self, servers: int) -> "Cell":
        """Make Nova's tables and this many servers."""
        population = Population(
            zone=self.database.name,
            seed=1,
            servers=servers,
            hosts=4,
            loaded_at=datetime.now(UTC).replace(tzinfo=None) - timedelta(hours=1),
        )
        with self.open() as zone:
            zone.create_tables()
            if servers:
                load_zone(zone, population)
        self.population.write_text(json.dumps(asdict(population), default=str))
        return self

    @property
    def population(self) -> Path:
        return self.folder / f"{self.database.name}.population.json"

    def execute(self, sql: str, arguments: Any = None) -> list[tuple[Any, ...]]:
        return self.database.execute(sql, arguments)

    def rename_servers(self, name: str) -> None:
        """One transaction that changes every server."""
        self.execute("UPDATE instances SET display_name = %s", (name,))

    def mark(self, name: str) -> None:
        """One transaction that is seen at the top by `Top.wait_for_mark`."""
        self.execute(
            "UPDATE instances SET display_name = %s WHERE id = (SELECT id FROM"
            " (SELECT min(id) AS id FROM instances) AS first)",
            (name,),
        )


@dataclass(frozen=True, kw_only=True)
class Top:
    """The top's database. folder: for the logs of its workers."""

    dsn: str
    folder: Path

    def prepare(self) -> "Top":
        sync_schema(self.dsn)
        return self

    @contextmanager
    def connect(self) -> Iterator["psycopg.Connection[tuple[Any, ...]]"]:
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            yield conn

    def execute(self, sql: str, arguments: Any = None) -> list[tuple[Any, ...]]:
        with self.connect() as conn:
            cursor = conn.execute(sql, arguments)  # type: ignore[call-overload]
            return list(cursor.fetchall()) if cursor.description else []

    def add(
        self,
        name: str,
        cell: Cell,
        *,
        url: SourceUrl | None = None,
        password: PasswordReference | None = None,
        trust: Trust = Trust.FULL,
        kind: ZoneKind = ZoneKind.CELL,
    ) -> Zone:
        with self.connect() as conn:
            return add_zone(
                conn,
                name=parse_zone_name(name),
                region="test",
                trust=trust,
                url=url or cell.database.source_url(),
                password=password or cell.database.password,
                kind=kind,
            )

    def report(self, name: str) -> ZoneReport:
        with self.connect() as conn:
            (report,) = report_zones(conn, name)
        return report

    def wait_for_state(self, name: str, state: ZoneState, seconds: float = PATIENCE_SECONDS) -> ZoneReport:
        seen: list[ZoneReport] = []

        def is_there() -> bool:
            seen[:] = [self.report(name)]
            return seen[0].state is state

        try:
            wait_until(f"zone {name} is {state}", is_there, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}: {seen}") from None
        return seen[0]

    def wait_until_begun(self, name: str) -> None:
        """Wait until the zone's worker has a position: what is committed from now on is in its stream."""
        wait_until(f"zone {name} is begun", lambda: self.report(name).position, PATIENCE_SECONDS)

    def wait_until_applied(self, name: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until the zone is live and shown as of a moment after this call."""
        ((now,),) = self.execute("SELECT now()")

        def is_applied() -> bool:
            report = self.report(name)
            return report.state is LIVE and report.as_of is not None and report.as_of > now

        wait_until(f"zone {name} is applied ({self.report(name)})", is_applied, seconds)

    def wait_for_mark(self, name: str, mark: str, seconds: float = PATIENCE_SECONDS) -> None:
        query = (
            "SELECT 1 FROM server JOIN zone ON zone.id = zone_id WHERE zone.name = %s AND display_name = %s"
        )
        wait_until(f"{mark!r} is seen in {name}", lambda: bool(self.execute(query, (name, mark))), seconds)

    def rows(self, name: str) -> int:
        """Servers at the top, deleted ones counted."""
        ((rows,),) = self.execute(
            "SELECT count(*) FROM server JOIN zone ON zone.id = zone_id WHERE zone.name = %s", (name,)
        )
        return int(rows)

    def all_rows(self, name: str) -> int:
        """Servers and mirrored rows at the top: what a comparison speaks of."""
        counts = " + ".join(
            f"(SELECT count(*) FROM {top_table(t)} WHERE zone_id = z.id)" for t in MIRRORED_TABLES
        )
        ((rows,),) = self.execute(f"SELECT {counts} FROM zone AS z WHERE name = %s", (name,))
        return self.rows(name) + int(rows)

    def verify(self, name: str, *, repair: bool = False, seconds: float = PATIENCE_SECONDS) -> Verification:
        """Have the zone's running worker compare it, and return the result."""
        with self.connect() as conn:
            zone_id = self.report(name).zone.id
            request = request_verification(conn, zone_id, repair=repair)

            def finished() -> Verification | None:
                found = find_verification(conn, zone_id, request)
                return found if found is not None and found.is_finished else None

            result = wait_until(f"zone {name} is compared", finished, seconds)
        assert result is not None
        return result

    def require_equal(self, name: str) -> None:
        """Compare row by row and fail with the first differences."""
        result = self.verify(name)
        assert result.differences == 0, result.examples
        assert result.rows == self.all_rows(name)

    def command(
        self, *arguments: str, settings: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run `treetop …` to its end."""
        return subprocess.run(
            [sys.executable, "-m", "treetop", *arguments],
            env=self.environment(settings or {}),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            stdin=subprocess.DEVNULL,
        )

    def environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        """settings: sync options, e.g. {"chunk_servers": "5"}."""
        options = {f"OS_SYNC__{name.upper()}": value for name, value in settings.items()}
        return {**os.environ, "OS_STORE__CONNECTION": self.dsn, **options}

    def worker(self, name: str, *, supervisor: str = "tests", **settings: str) -> "WorkerProcess":
        """Start one zone's worker. One with the same `supervisor` takes over at once from a killed one."""
        return self._start("--zone", name, "--supervisor", supervisor, log=f"{name}.log", settings=settings)

    def supervisor(self, **settings: str) -> "WorkerProcess":
        """Start `treetop sync` for all zones."""
        return self._start(log="supervisor.log", settings=settings)

    def _start(self, *arguments: str, log: str, settings: Mapping[str, str]) -> "WorkerProcess":
        path = self.folder / log
        with path.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "treetop", "sync", "--with-parent", *arguments],
                env=self.environment(settings),
                stdin=subprocess.PIPE,  # ends with this process: no worker outlives the tests
                stdout=output,
                stderr=output,
            )
        return WorkerProcess(process=process, path=path)


@dataclass(frozen=True, kw_only=True)
class WorkerProcess:
    """A running `treetop sync`. As a context manager it is stopped with the block."""

    process: "subprocess.Popen[bytes]"
    path: Path

    def __enter__(self) -> "WorkerProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def log(self) -> str:
        return self.path.read_text()

    def kill(self) -> None:
        """Kill it as a crash would (SIGKILL)."""
        self.process.kill()
        self._reap()

    def stop(self) -> float:
        """End it by SIGTERM; return how many seconds that took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self._reap()
        return time.monotonic() - began

    def children(self) -> list[int]:
        """The processes that it started and that run."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [pid for pid in map(int, path.read_text().split()) if is_alive(pid)]

    def peak_memory_mb(self) -> float:
        """The most memory it ever had resident."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
        raise AssertionError("the worker has ended")

    def _reap(self) -> None:
        try:
            self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"it did not end within 15 s: {self.log[-2000:]}") from None
        finally:
            assert self.process.stdin is not None
            self.process.stdin.close()


@dataclass(kw_only=True)
class Work:
    """Nova's work on a filled cell, as a process. A context manager."""

    cell: Cell
    rate: float = 250.0
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    def __enter__(self) -> "Work":
        cell = self.cell
        with (cell.folder / f"{cell.database.name}.work.log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "treetop.demo.workload_process"),
                    *("--url", str(cell.database.source_url())),
                    *("--password-file", cell.database.password.name),
                    *("--population", str(cell.population)),
                    *("--seed", "1"),
                    *("--rate", str(self.rate)),
                    *("--parent", str(os.getpid())),
                    *("--report", str(self._report)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_until("the work has begun", lambda: self.transactions > 0, PATIENCE_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def transactions(self) -> int:
        """How many it committed, at most about 0.2 s ago."""
        try:
            return int(json.loads(self._report.read_text())["transactions"])
        except FileNotFoundError:
            return 0

    def stop(self) -> int:
        """End it between two operations; return how many transactions it committed. Idempotent."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            process.wait(timeout=20)
        return self.transactions

    @property
    def _report(self) -> Path:
        return self.cell.folder / f"{self.cell.database.name}.work.json"


def is_alive(pid: int) -> bool:
    """Say whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
