# SPDX-License-Identifier: Apache-2.0
"""Somebody waits for an idle zone's instant: its worker finds it out and writes it, without being due."""

import threading
from contextlib import contextmanager

import pytest

from tests.servers import wait_until
from tests.sync.running import LIVE, PATIENCE_SECONDS, Cell, Top
from treetop.store.hastening import hasten
from treetop.sync.applier import Limits
from treetop.sync.pipeline import WorkerSettings, run_zone

NEVER_SECONDS = 3600.0


@contextmanager
def worker_that_is_never_due(top: Top, zone):
    """A worker in this process that would write an idle zone's instant once an hour."""
    stop = threading.Event()
    settings = WorkerSettings(
        conninfo=top.dsn,
        owner="tests/1",
        suffix="hasten",
        servers_per_chunk=100,
        limits=Limits(heartbeat_seconds=NEVER_SECONDS),
        stopped_seconds=60.0,
    )
    thread = threading.Thread(target=run_zone, args=(zone, settings, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)


@pytest.fixture
def idle(top: Top, cell: Cell):
    """(top, zone) with a live worker that writes no instant by itself."""
    zone = top.add("cell1", cell.fill(3))
    with worker_that_is_never_due(top, zone):
        top.wait_for_state("cell1", LIVE)
        cell.mark("begun")
        top.wait_for_mark("cell1", "begun")
        yield top, zone


def test_who_waits_for_an_idle_zone_gets_its_present_instant(idle):
    top, zone = idle
    for _ in range(3):
        ((asked_at,),) = top.execute("SELECT clock_timestamp()")
        with top.connect() as connection:
            hasten(connection, [zone.id])

        wait_until_shown(top, asked_at)


def wait_until_shown(top, instant):
    wait_until("it is shown as of later", lambda: top.report("cell1").as_of > instant, PATIENCE_SECONDS)
