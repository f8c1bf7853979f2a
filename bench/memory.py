# SPDX-License-Identifier: Apache-2.0
"""A worker's memory: live at 20,000 servers, and at its most while it applies one transaction of 1,000,000 rows.

The large transaction updates every row of a watched table of small rows, which the log carries one by one.
"""

import subprocess
import sys

from bench.figure import Figure
from bench.pipeline import command, demo_zone, engines, memory_mb, registered, wait_for
from treetop.demo.zones import DemoZone
from treetop.model.zone import Engine

NAME = "memory"
SERVERS = 20_000
ROWS = 1_000_000
_MODULES = ("treetop.cli.main", "treetop.cli.daemon", "treetop.capture.mysql", "treetop.capture.postgres")


def run() -> list[Figure]:
    """Measure; takes some minutes."""
    return [figure for engine in engines() for figure in _measure(engine)]


def _imports() -> float:
    """What a worker takes before it does anything."""
    process = subprocess.Popen(
        [sys.executable, "-c", f"import {', '.join(_MODULES)}; print(flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    imports = memory_mb(process, "VmRSS")
    process.communicate(b"\n")
    return imports


def _measure(engine: Engine) -> list[Figure]:
    imports = _imports()
    with demo_zone(engine, servers=SERVERS) as zone:
        rows = _make_metadata(zone)
        with registered(zone) as top, command(top, "sync", "--zone", zone.name) as worker:
            before = wait_for(top, lambda report: report.is_loaded and report.state == "live")
            live = memory_mb(worker, "VmRSS")
            with zone.open_as_admin() as database, database.transaction():
                database.update("instance_metadata", {"value": "changed"}, deleted=0)
            wait_for(top, lambda report: report.changes >= before.changes + rows)
            most = memory_mb(worker, "VmHWM")
    return [
        Figure(
            name=f"memory: worker, {name}, {engine}",
            value=value,
            unit="MB",
            target=target,
            reference_name="MB, a process with the same imports",
            reference_value=imports,
            note=note,
        )
        for name, value, target, note in (
            ("live", live, 80.0, f"{SERVERS:,} servers"),
            (f"most, one transaction of {rows:,} rows", most, 200.0, "VmHWM, the first load included"),
        )
    ]


def _make_metadata(zone: DemoZone) -> int:
    """Give the zone many metadata rows, by doubling; return how many are live."""
    with zone.open_as_admin() as database:
        while (count := database.count("instance_metadata", deleted=0)) < ROWS:
            missing = ROWS - count
            database.run_script(
                "INSERT INTO instance_metadata (created_at, instance_uuid, "
                + ('"key"' if zone.engine is Engine.POSTGRESQL else "`key`")
                + ", value, deleted) SELECT created_at, instance_uuid, "
                + ('"key"' if zone.engine is Engine.POSTGRESQL else "`key`")
                + f", value, 0 FROM instance_metadata WHERE deleted = 0 LIMIT {missing};"
            )
    return count
