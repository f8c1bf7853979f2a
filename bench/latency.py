# SPDX-License-Identifier: Apache-2.0
"""From a commit in the zone to a `GET /v2.1/servers/detail` that shows it, at 200 transactions a second.

Real servers, the real worker, the real API over HTTP on one kept connection. Other servers of the zone change at
the wanted rate; every so often one server is renamed, and the answer is asked for until it shows the name. The
reference is the rename's own commit, as its writer waits for it.
"""

import http.client
import json
import statistics
import subprocess
import threading
import time
from urllib.parse import quote

from bench.figure import Figure
from bench.pipeline import command, demo_zone, engines, registered, wait_for
from treetop.demo.zone_database import ZoneDatabase
from treetop.demo.zones import DemoZone
from treetop.model.zone import Engine
from treetop.store.daemon import free_port

NAME = "latency"
SERVERS = 2_000
RATE = 200.0
SAMPLES = 300


def run() -> list[Figure]:
    """Measure; takes about a minute."""
    return [figure for engine in engines() for figure in _measure(engine)]


def _measure(engine: Engine) -> list[Figure]:
    port = free_port()
    with (
        demo_zone(engine, servers=SERVERS) as zone,
        registered(zone) as top,
        command(top, "sync", "--zone", zone.name),
        command(top, "serve", "--port", str(port)) as api,
    ):
        wait_for(top, lambda report: report.is_loaded and report.state == "live")
        seen, commits = _sample(zone, port, api)
    seen.sort()
    commits.sort()
    note = f"{SERVERS:,} servers, {RATE:g} transactions/s, {len(seen)} renames"
    return [
        Figure(
            name=f"latency: commit to list, {engine}, {label}",
            value=_at(seen, share),
            unit="ms",
            target=target,
            reference_name=f"ms, the commit itself, {label}",
            reference_value=_at(commits, share),
            note=note,
        )
        for label, share, target in (("p50", 0.50, 5.0), ("p99", 0.99, 50.0))
    ]


def _at(values: list[float], share: float) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[round(share * 100) - 1]


def _sample(zone: DemoZone, port: int, api: "subprocess.Popen[bytes]") -> tuple[list[float], list[float]]:
    """Return (milliseconds until seen, milliseconds of the commits)."""
    stop = threading.Event()
    with zone.open_as_nova() as database:
        uuids = [str(row["uuid"]) for row in database.select("instances", "uuid", deleted=0)]
    traffic = threading.Thread(target=_traffic, args=(zone, uuids[10:], stop), daemon=True)
    connection = _connect(port, api)
    seen: list[float] = []
    commits: list[float] = []
    with zone.open_as_nova() as database:
        traffic.start()
        time.sleep(1.0)
        for number in range(SAMPLES):
            uuid, name = uuids[number % 10], f"renamed-{number}"
            began = time.perf_counter()
            with database.transaction():
                database.update("instances", {"display_name": name}, uuid=uuid)
            committed = time.perf_counter()
            while _name(connection, uuid) != name:
                assert time.perf_counter() - committed < 10
            seen.append((time.perf_counter() - committed) * 1e3)
            commits.append((committed - began) * 1e3)
            time.sleep(0.02)
    stop.set()
    traffic.join()
    return seen, commits


def _traffic(zone: DemoZone, uuids: list[str], stop: threading.Event) -> None:
    with zone.open_as_nova() as database:
        _change_for_ever(database, uuids, stop)


def _change_for_ever(database: ZoneDatabase, uuids: list[str], stop: threading.Event) -> None:
    began, done = time.perf_counter(), 0
    while not stop.is_set():
        with database.transaction():
            state = "powering-off" if done // len(uuids) % 2 == 0 else None
            database.update("instances", {"task_state": state}, uuid=uuids[done % len(uuids)])
        done += 1
        stop.wait(max(0.0, began + done / RATE - time.perf_counter()))


def _connect(port: int, api: "subprocess.Popen[bytes]") -> http.client.HTTPConnection:
    deadline = time.monotonic() + 20
    while True:
        assert api.poll() is None
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.connect()
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return connection


def _name(connection: http.client.HTTPConnection, uuid: str) -> str:
    connection.request("GET", f"/v2.1/servers/detail?all_tenants=1&uuid={quote(uuid)}")
    servers = json.loads(connection.getresponse().read())["servers"]
    return str(servers[0]["name"])
