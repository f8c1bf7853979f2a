# SPDX-License-Identifier: Apache-2.0
"""What it costs to read row updates of Nova's `instances` from a PostgreSQL zone's log.

A private PostgreSQL gets a table of servers and transactions of three updates each; the same stretch of its
log is then read again and again: thrown away undecoded, decoded to 22 columns, decoded as Treetop does. CPU
of this process only, wire included.
"""

import select
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import psycopg

from bench.figure import Figure
from treetop.capture.lsn import parse_lsn
from treetop.capture.pgoutput import Decoder
from treetop.capture.postgres import PostgresLog
from treetop.capture.postgres_session import connect
from treetop.capture.postgres_slot import slot_name
from treetop.capture.postgres_stream import WalStream
from treetop.model.zone import Engine, PasswordReference, SourceUrl, Trust, Zone, ZoneId, ZoneName
from treetop.nova.table import Table
from treetop.nova.tables import CELL_TABLES, INSTANCES
from treetop.store.embedded import EmbeddedPostgres

NAME = "pgoutput"
SERVERS = 2_000
UPDATES = 30_000
ROUNDS = 3
_SETTINGS = {"wal_level": "logical", "fsync": "off", "full_page_writes": "off", "wal_sender_timeout": "0"}
_LOG_DATA = ord("w")

_SERVERS = """
INSERT INTO instances (
  uuid, project_id, user_id, display_name, hostname, vm_state, power_state, progress, deleted,
  created_at, updated_at, launched_at, host, node, availability_zone, image_ref, kernel_id, ramdisk_id,
  key_name, key_data, instance_type_id, launch_index, memory_mb, vcpus, root_gb, ephemeral_gb,
  reservation_id, root_device_name, config_drive, user_data, locked, auto_disk_config, hidden, launched_on,
  cleaned)
SELECT gen_random_uuid()::text, md5('p' || g %% 50), md5('u' || g %% 50), 'server ' || g, 'server-' || g,
  'active', 1, 0, 0,
  now(), now(), now(), 'compute-' || g %% 100, 'compute-' || g %% 100, 'az1', gen_random_uuid()::text, '', '',
  'key', repeat('k', 380), 3, 0, 2048, 2, 20, 0,
  'r-12345678', '/dev/vda', '', repeat('d', 200), false, false, false, 'compute-' || g %% 100,
  0
  FROM generate_series(1, %s) g
"""
_UPDATE = """
UPDATE instances
   SET task_state = CASE WHEN task_state IS NULL THEN 'powering-off' END, updated_at = clock_timestamp()
 WHERE id = ANY(%s)
"""


def run() -> list[Figure]:
    """Measure; takes about 20 seconds. Raises `Refuse` where no PostgreSQL programs are found."""
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedPostgres(folder=Path(folder) / "pg", settings=_SETTINGS, dies_with_parent=True)
        server.start()
        try:
            return _measure(server)
        finally:
            server.stop()


def _measure(server: EmbeddedPostgres) -> list[Figure]:
    whole = _backlog(server, "whole", with_column_list=False)
    listed = _backlog(server, "listed", with_column_list=True)
    few = {"instances": replace(INSTANCES, columns=INSTANCES.columns[:22], computed=())}
    undecoded = _best(lambda: _read(*whole, None))
    undecoded_listed = _best(lambda: _read(*listed, None))
    wanted = len(INSTANCES.columns)
    note = f"{UPDATES} updates, 3 a transaction, ~1 KB a row, best of {ROUNDS}"

    def figure(name: str, value: float, target: float | None, reference: float) -> Figure:
        return Figure(
            name=f"pgoutput: {name}",
            value=value,
            unit="µs CPU per row update",
            target=target,
            reference_name="the same stream undecoded",
            reference_value=reference,
            note=note,
        )

    return [
        figure("22 of 54 columns", _best(lambda: _read(*whole, few)), 25.0, undecoded),
        figure(
            f"Treetop's {wanted} of 54 columns", _best(lambda: _read(*whole, CELL_TABLES)), None, undecoded
        ),
        figure(
            f"{wanted} columns by column list",
            _best(lambda: _read(*listed, CELL_TABLES)),
            None,
            undecoded_listed,
        ),
    ]


def _backlog(server: EmbeddedPostgres, name: str, *, with_column_list: bool) -> tuple[Zone, int, int]:
    """Make a zone with updates in its log; return it, where they begin and how far they reach."""
    with psycopg.connect(server.conninfo(), autocommit=True) as conn:
        conn.execute(f'CREATE DATABASE "{name}"')
    url = SourceUrl(
        engine=Engine.POSTGRESQL, user="treetop", host="127.0.0.1", port=server.port, database=name
    )
    zone = Zone(
        id=ZoneId(1),
        name=ZoneName(name),
        region="bench",
        trust=Trust.FULL,
        url=url,
        password=PasswordReference(kind="file", name=str(server.password_file)),
    )
    with psycopg.connect(server.conninfo(name), autocommit=True) as conn:
        conn.execute((files("treetop.demo") / "schema" / "postgresql.sql").read_text())
        conn.execute(_SERVERS, (SERVERS,))
        if not with_column_list:
            conn.execute(f"CREATE PUBLICATION treetop FOR TABLE {', '.join(CELL_TABLES)}")
        log = PostgresLog(zone)
        begin = parse_lsn(log.begin())
        for first in range(0, UPDATES, 3):
            conn.execute(_UPDATE, ([1 + (first + offset) % SERVERS for offset in range(3)],))
        row = conn.execute("SELECT pg_current_wal_flush_lsn()::text").fetchone()
    assert row is not None
    return zone, begin, parse_lsn(row[0])


def _best(read: Callable[[], float]) -> float:
    return min(read() for _ in range(ROUNDS)) / UPDATES * 1e6


def _read(zone: Zone, begin: int, end: int, tables: dict[str, Table] | None) -> float:
    """Read the stretch; return CPU seconds. tables: None leaves the messages undecoded."""
    stream = WalStream(connect(zone, purpose="bench", replication=True))
    decoder = Decoder(
        trust=Trust.FULL,
        after=begin,
        near_transaction_id=1000,
        tables=CELL_TABLES if tables is None else tables,
    )
    poll = select.poll()
    poll.register(stream.fileno, select.POLLIN)
    stream.start(slot_name(zone.name), begin)
    started, rows, deadline = time.process_time(), 0, time.monotonic() + 60
    while rows < UPDATES and time.monotonic() < deadline:
        for payload in stream.receive(poll, 0.1):
            if payload[0] != _LOG_DATA:
                continue
            if tables is None:
                rows += payload[25] == 85  # an update
                continue
            transaction = decoder.decode(payload, 25)
            if transaction is not None:
                rows += len(transaction.changes)
    seconds = time.process_time() - started
    stream.close()
    assert rows == UPDATES
    return seconds
