# SPDX-License-Identifier: Apache-2.0
"""A worker that has waited, and finds another top than the one it began with."""

import threading

import pytest

from tests.servers import wait_until
from tests.sync.running import PATIENCE_SECONDS, Cell, Top
from treetop.model.zone import ZoneState
from treetop.sync.applier import Limits
from treetop.sync.pipeline import WorkerSettings, run_zone


def test_a_worker_leaves_a_zone_of_a_newer_schema_alone(
    top: Top, mariadb_cell: Cell, caplog: pytest.LogCaptureFixture
) -> None:
    """It would load what it knows, and the newer worker after it would take that for all."""
    zone = top.add("west", mariadb_cell.fill(1))
    top.execute("INSERT INTO schema_version (version, name) VALUES (9999, 'newer')")
    settings = WorkerSettings(
        conninfo=top.dsn,
        owner="tests/1",
        suffix="former",
        servers_per_chunk=100,
        limits=Limits(),
        stopped_seconds=60.0,
    )
    stop = threading.Event()
    thread = threading.Thread(target=run_zone, args=(zone, settings, stop))
    thread.start()
    try:
        wait_until("it refuses", lambda: "this program knows only" in caplog.text, PATIENCE_SECONDS)
    finally:
        stop.set()
        thread.join(30)

    report = top.report("west")
    assert (report.state, report.position, report.loaded_upto) == (ZoneState.NEW, None, None)
