# SPDX-License-Identifier: Apache-2.0
"""A demo zone, a top, and the real commands between them, for benchmarks of the whole way."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from bench.top import private_top
from treetop.demo.mariadb_install import find_mariadbd
from treetop.demo.population import Population
from treetop.demo.zones import DemoZone
from treetop.model.zone import Engine, Trust, ZoneName
from treetop.store.embedded import EmbeddedPostgres
from treetop.store.zones import ZoneReport, add_zone, report_zones

PATIENCE_SECONDS = 900.0


def engines() -> list[Engine]:
    """The engines that this machine can run."""
    return [Engine.POSTGRESQL, *([Engine.MARIADB] if find_mariadbd() else [])]


@contextmanager
def demo_zone(engine: Engine, *, servers: int) -> Iterator[DemoZone]:
    """A running zone with this many servers; removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="treetop-bench-") as folder:
        zone = DemoZone(
            name=ZoneName("west"), engine=engine, folder=Path(folder) / "west", dies_with_parent=True
        )
        zone.start()
        try:
            now = datetime.now(UTC).replace(tzinfo=None)
            zone.fill(Population(zone=zone.name, seed=1, servers=servers, hosts=100, loaded_at=now))
            yield zone
        finally:
            zone.remove()


@contextmanager
def registered(zone: DemoZone) -> Iterator[EmbeddedPostgres]:
    """A top that knows the zone; nothing reads it yet."""
    with private_top() as top:
        with psycopg.connect(top.conninfo(), autocommit=True) as conn:
            add_zone(
                conn,
                name=zone.name,
                region="bench",
                trust=Trust.FULL,
                url=zone.source_url(),
                password=zone.password,
            )
        yield top


@contextmanager
def command(top: EmbeddedPostgres, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A `treetop` command that runs beside the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "treetop", *arguments, "--with-parent"],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OS_STORE__CONNECTION": top.conninfo()},
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=10)
        assert process.stdin is not None
        process.stdin.close()


def wait_for(top: EmbeddedPostgres, fits: Callable[[ZoneReport], bool]) -> ZoneReport:
    """Wait until the one zone's report fits; fail after `PATIENCE_SECONDS`."""
    (report,) = wait_for_zones(top, fits)
    return report


def wait_for_zones(top: EmbeddedPostgres, fits: Callable[[ZoneReport], bool]) -> list[ZoneReport]:
    """Wait until every zone's report fits; fail after `PATIENCE_SECONDS`."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    with psycopg.connect(top.conninfo(), autocommit=True) as conn:
        while time.monotonic() < deadline:
            reports = list(report_zones(conn))
            if all(map(fits, reports)):
                return reports
            time.sleep(0.02)
    raise AssertionError(f"not every zone got there: {[report for report in reports if not fits(report)]}")


def memory_mb(process: subprocess.Popen[bytes], what: str) -> float:
    """A process's memory in MB. what: VmRSS (now) or VmHWM (the most so far)."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"no {what} of process {process.pid}")


def cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
