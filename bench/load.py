# SPDX-License-Identifier: Apache-2.0
"""The first load of a zone, from its registration being opened to the last chunk's commit, per engine.

The real worker process against real servers; the reference is PostgreSQL's COPY of the finished rows into an
equal table with the same indexes.
"""

import time

import psycopg

from bench.figure import Figure
from bench.pipeline import command, cpu_seconds, demo_zone, engines, registered, wait_for
from treetop.model.zone import Engine
from treetop.store.embedded import EmbeddedPostgres

NAME = "load"
SERVERS = 100_000


def run() -> list[Figure]:
    """Measure; takes about three minutes, most of it to fill the zones."""
    return [_measure(engine) for engine in engines()]


def _measure(engine: Engine) -> Figure:
    with demo_zone(engine, servers=SERVERS) as zone, registered(zone) as top:
        with command(top, "sync", "--zone", zone.name) as worker:
            wait_for(top, lambda report: report.state != "new")
            started, cpu = time.perf_counter(), cpu_seconds(worker)
            report = wait_for(top, lambda report: report.is_loaded)
            seconds, cpu = time.perf_counter() - started, cpu_seconds(worker) - cpu
        copied = _copy(top)
    return Figure(
        name=f"load: first load of {SERVERS:,} servers, {engine}",
        value=SERVERS / seconds,
        unit="servers/s",
        target=5_000,
        reference_name="COPY of the same rows, servers/s",
        reference_value=copied,
        note=f"{report.servers:,} live; worker CPU {cpu / SERVERS * 1e6:.0f} µs a server",
    )


def _copy(top: EmbeddedPostgres) -> float:
    with psycopg.connect(top.conninfo()) as conn:
        conn.execute("CREATE TABLE again (LIKE server INCLUDING ALL)")
        rows = conn.execute("SELECT count(*) FROM server").fetchone()
        started = time.perf_counter()
        with (
            psycopg.connect(top.conninfo()) as reader,
            reader.cursor().copy("COPY server_z1 TO STDOUT") as source,
            conn.cursor().copy("COPY again FROM STDIN") as target,
        ):
            for block in source:
                target.write(block)
        conn.commit()
        seconds = time.perf_counter() - started
    assert rows is not None
    return float(rows[0]) / seconds
