# SPDX-License-Identifier: Apache-2.0
"""What it costs to read row updates of Nova's `instances` from a MariaDB zone's log.

A private MariaDB gets servers and transactions of one to five updates of one row each, as Nova makes them; the
same stretch of its log is then read by Treetop (22 of the 54 columns, then all that it wants, with checksums
verified and trust applied) and by mysql-replication, which takes a shorter stretch because it is slow. CPU of
this process only, wire included.
"""

import random
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from pymysqlreplication import BinLogStreamReader
from pymysqlreplication.row_event import UpdateRowsEvent

from bench.figure import Figure
from treetop.capture.mysql import MysqlLog
from treetop.demo.mariadb import PrivateMariaDB
from treetop.model.change import Op, Position, Transaction
from treetop.model.zone import Engine, PasswordReference, SourceUrl, Trust, Zone, ZoneId, ZoneName
from treetop.nova.table import Table
from treetop.nova.tables import CELL_TABLES, INSTANCES

NAME = "binlog"
SERVERS = 2_000
UPDATES = 20_000
REFERENCE_UPDATES = 1_500
ROUNDS = 3
DATABASE = "nova_cell1"

_COLUMNS = (
    "id uuid project_id user_id display_name hostname vm_state task_state power_state progress deleted created_at "
    "updated_at launched_at terminated_at host node availability_zone image_ref key_name instance_type_id locked"
)
_SERVERS = """
INSERT INTO instances (
  uuid, project_id, user_id, display_name, hostname, vm_state, power_state, progress, deleted,
  created_at, updated_at, launched_at, host, node, availability_zone, image_ref, kernel_id, ramdisk_id,
  key_name, key_data, instance_type_id, launch_index, memory_mb, vcpus, root_gb, ephemeral_gb,
  reservation_id, root_device_name, config_drive, user_data, locked, auto_disk_config, hidden, launched_on,
  cleaned)
SELECT UUID(), MD5(CONCAT('p', seq MOD 50)), MD5(CONCAT('u', seq MOD 50)), CONCAT('server ', seq),
  CONCAT('server-', seq), 'active', 1, 0, 0,
  NOW(), NOW(), NOW(), CONCAT('compute-', seq MOD 100), CONCAT('compute-', seq MOD 100), 'az1', UUID(), '', '',
  'key', REPEAT('k', 380), 3, 0, 2048, 2, 20, 0,
  'r-12345678', '/dev/vda', '', REPEAT('d', 200), 0, 0, 0, CONCAT('compute-', seq MOD 100),
  0
FROM seq_1_to_{servers}
"""
_UPDATE = """
UPDATE instances
SET task_state = IF(task_state IS NULL, 'powering-off', NULL), updated_at = NOW() + INTERVAL %s SECOND
WHERE id = %s
"""


def run() -> list[Figure]:
    """Measure; takes about 20 seconds. Raises `Refuse` where no MariaDB is installed."""
    with tempfile.TemporaryDirectory(prefix="treetop-bench-") as folder:
        settings = {"innodb_flush_log_at_trx_commit": "0", "sync_binlog": "0"}
        server = PrivateMariaDB(folder=Path(folder) / "zone", settings=settings, dies_with_parent=True)
        server.start()
        try:
            return _measure(server)
        finally:
            server.remove()


def _measure(server: PrivateMariaDB) -> list[Figure]:
    zone = _zone(server)
    _make_servers(server)
    start = MysqlLog(zone).begin()
    _update(server, UPDATES)
    chosen = set(_COLUMNS.split())
    columns = tuple(column for column in INSTANCES.columns if column.name in chosen)
    assert len(columns) == 22
    few = replace(INSTANCES, columns=columns, computed=())
    reference = _cost(REFERENCE_UPDATES, lambda: _read_reference(server, start))
    return [
        Figure(
            name=f"binlog row update, {what}",
            value=min(_cost(UPDATES, partial(_read, zone, start, tables)) for _ in range(ROUNDS)),
            unit="µs CPU",
            target=target,
            reference_name="mysql-replication 1.0.17",
            reference_value=reference,
            note=f"{UPDATES:,} updates of a ~1 kB row with 54 columns, FULL metadata, best of {ROUNDS}",
        )
        for what, tables, target in (
            ("22 of 54 columns", {INSTANCES.name: few}, 40.0),
            (f"{len(INSTANCES.columns)} of 54 columns", CELL_TABLES, None),
        )
    ]


def _cost(rows: int, read: Callable[[], None]) -> float:
    """Microseconds of this process's CPU for one row."""
    began = time.process_time()
    read()
    return (time.process_time() - began) / rows * 1e6


def _read(zone: Zone, start: Position, tables: Mapping[str, Table]) -> None:
    found = 0
    log = MysqlLog(zone, tables=tables)
    for event in log.stream(start):
        if isinstance(event, Transaction):
            found += sum(change.op is Op.UPDATE for change in event.changes)
            if found >= UPDATES:
                break
    log.close()


def _read_reference(server: PrivateMariaDB, start: Position) -> None:
    password = server.password_file.read_text().splitlines()[0]
    login: dict[str, Any] = {"host": "127.0.0.1", "port": server.port, "user": "root", "password": password}
    stream = BinLogStreamReader(
        connection_settings=login,
        server_id=4711,
        is_mariadb=True,
        auto_position=start.split()[0],  # the GTIDs, without the place in the log
        only_events=[UpdateRowsEvent],
        only_schemas=[DATABASE],
        only_tables=[INSTANCES.name],
    )
    found = 0
    for event in stream:
        found += len(event.rows)
        if found >= REFERENCE_UPDATES:
            break
    stream.close()


def _zone(server: PrivateMariaDB) -> Zone:
    return Zone(
        id=ZoneId(1),
        name=ZoneName("bench"),
        region="bench",
        trust=Trust.FULL,
        url=SourceUrl(
            engine=Engine.MARIADB, user="root", host="127.0.0.1", port=server.port, database=DATABASE
        ),
        password=PasswordReference(kind="file", name=str(server.password_file)),
    )


def _make_servers(server: PrivateMariaDB) -> None:
    layout = (files("treetop.demo") / "schema" / "mariadb.sql").read_text()
    with server.root_connection() as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb3")
        cursor.execute(f"USE {DATABASE}")
        cursor.execute("SET foreign_key_checks = 0")
        for statement in filter(str.strip, layout.split(";\n")):
            cursor.execute(statement)
        cursor.execute(_SERVERS.format(servers=SERVERS))


def _update(server: PrivateMariaDB, updates: int) -> None:
    chance = random.Random(1)
    with server.root_connection(DATABASE, autocommit=False) as connection, connection.cursor() as cursor:
        done = 0
        while done < updates:
            for _ in range(min(chance.randint(1, 5), updates - done)):
                done += 1
                cursor.execute(_UPDATE, (done, chance.randint(1, SERVERS)))
            connection.commit()
