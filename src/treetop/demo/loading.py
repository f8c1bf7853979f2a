# SPDX-License-Identifier: Apache-2.0
"""Fill a zone with servers and hosts, fast: whole tables of text through COPY or LOAD DATA.

`Population` -> rows in an empty zone, a chunk of servers per transaction. The log gets every row, as if Nova
had written them. Not resumable: a load that failed leaves whole chunks, drop the database and load again.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeAlias

from treetop.demo.catalogue import fixed_uuid
from treetop.demo.documents import host_documents, host_stats
from treetop.demo.population import Population, ServerPlan, host_name, node_name, plan_server
from treetop.demo.row import Row, Value
from treetop.demo.server_rows import server_rows
from treetop.demo.zone_database import ZoneDatabase

CHUNK_SERVERS: Final = 2000  # about 6 MB of text a table: enough to hide the round trips, little memory
HOST_VCPUS: Final = 256
HOST_MEMORY_MB: Final = 1_031_000
HOST_DISK_GB: Final = 20_000
_RESERVED_MEMORY_MB: Final = 512  # Nova's default for a host's own needs
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})

#: Table -> how many rows, their columns, their text.
_Batch: TypeAlias = dict[str, tuple[int, tuple[str, ...], bytes]]


@dataclass(slots=True)
class _Usage:
    """What the servers of one host take."""

    servers: int = 0
    active: int = 0
    vcpus: int = 0
    memory_mb: int = 0
    disk_gb: int = 0

    def add(self, plan: ServerPlan) -> None:
        """Count one server."""
        self.servers += 1
        self.active += plan.state.vm_state == "active"
        self.vcpus += plan.flavor.vcpus
        self.memory_mb += plan.flavor.memory_mb
        self.disk_gb += plan.flavor.root_gb + plan.flavor.ephemeral_gb


def load_zone(database: ZoneDatabase, population: Population) -> int:
    """Insert all servers and hosts of a population into empty tables; return the number of rows written.

    The connection must be allowed to switch foreign key checks off (a superuser on PostgreSQL).
    """
    usage: dict[int, _Usage] = defaultdict(_Usage)
    tables: set[str] = set()
    rows = 0
    database.bulk(is_on=True)
    try:
        with ThreadPoolExecutor(max_workers=1) as maker:  # makes a chunk while the zone takes the one before
            for batch in _one_ahead(maker, _batches(population, usage)):
                rows += _write(database, batch)
                tables.update(batch)
        hosts = _text(_host_rows(population, usage))
        rows += _write(database, hosts)
        database.adjust_sequences(sorted((tables | set(hosts)) - {"tags"}))
    finally:
        database.bulk(is_on=False)
    return rows


def copy_lines(rows: Sequence[Row]) -> bytes:
    """Write rows as lines of tab-separated values, the form that COPY and LOAD DATA both read by default."""
    return "".join("\t".join(map(_field, row.values())) + "\n" for row in rows).encode()


def _field(value: Value) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, str):
        return value.translate(_ESCAPES) if "\\" in value or not value.isprintable() else value
    if value is True:
        return "1"
    if value is False:
        return "0"
    return str(value)


def _batches(population: Population, usage: dict[int, _Usage]) -> Iterator[_Batch]:
    for first in range(1, population.servers + 1, CHUNK_SERVERS):
        batch: dict[str, list[Row]] = defaultdict(list)
        for number in range(first, min(first + CHUNK_SERVERS, population.servers + 1)):
            plan = plan_server(population, number)
            if plan.host_number is not None and plan.deleted_at is None:
                usage[plan.host_number].add(plan)
            for table, found in server_rows(plan).items():
                batch[table] += found
        yield _text(batch)


def _text(batch: Mapping[str, list[Row]]) -> _Batch:
    return {table: (len(rows), tuple(rows[0]), copy_lines(rows)) for table, rows in batch.items() if rows}


def _one_ahead(maker: ThreadPoolExecutor, batches: Iterator[_Batch]) -> Iterator[_Batch]:
    coming = maker.submit(next, batches, None)
    while (batch := coming.result()) is not None:
        coming = maker.submit(next, batches, None)
        yield batch


def _write(database: ZoneDatabase, batch: _Batch) -> int:
    with database.transaction():
        for table, (_, columns, lines) in batch.items():
            database.copy(table, columns, lines)
    return sum(count for count, _, _ in batch.values())


def _host_rows(population: Population, usage: dict[int, _Usage]) -> dict[str, list[Row]]:
    services = [_service(population, 1, f"{population.zone}-conductor", "nova-conductor")]
    if population.is_cell0:  # nova.conf of the region's own services names cell0 as their database
        services.append(_service(population, 2, f"{population.zone}-scheduler", "nova-scheduler"))
    services += [
        _service(population, host + 2, host_name(population.zone, host), "nova-compute")
        for host in range(population.hosts)
    ]
    nodes = [_compute_node(population, host, usage[host]) for host in range(population.hosts)]
    return {"services": services, "compute_nodes": nodes}


def _service(population: Population, number: int, host: str, binary: str) -> Row:
    return {
        "created_at": population.loaded_at - timedelta(days=400),
        "updated_at": population.loaded_at,
        "id": number,
        "host": host,
        "binary": binary,
        "topic": binary.removeprefix("nova-"),
        "report_count": 3_456_000,
        "disabled": False,
        "deleted": 0,
        "last_seen_up": population.loaded_at,
        "forced_down": False,
        "version": 74,
        "uuid": fixed_uuid(f"{population.seed}/{population.zone}/service/{number}"),
    }


def _compute_node(population: Population, host: int, usage: _Usage) -> Row:
    memory_used = usage.memory_mb + _RESERVED_MEMORY_MB
    return {
        "created_at": population.loaded_at - timedelta(days=400),
        "updated_at": population.loaded_at,
        "id": host + 1,
        "vcpus": HOST_VCPUS,
        "memory_mb": HOST_MEMORY_MB,
        "local_gb": HOST_DISK_GB,
        "vcpus_used": usage.vcpus,
        "memory_mb_used": memory_used,
        "local_gb_used": usage.disk_gb,
        "hypervisor_type": "QEMU",
        "hypervisor_version": 8_002_002,
        "disk_available_least": HOST_DISK_GB - usage.disk_gb,
        "free_ram_mb": HOST_MEMORY_MB - memory_used,
        "free_disk_gb": HOST_DISK_GB - usage.disk_gb,
        "current_workload": 0,
        "running_vms": usage.servers,
        "hypervisor_hostname": node_name(population.zone, host),
        "deleted": 0,
        "host_ip": f"192.0.2.{host % 254 + 1}",
        "stats": host_stats(usage.servers, usage.active),
        "host": host_name(population.zone, host),
        "ram_allocation_ratio": "1.0",
        "cpu_allocation_ratio": "4.0",
        "disk_allocation_ratio": "1.0",
        "uuid": fixed_uuid(f"{population.seed}/{population.zone}/node/{host}"),
        "mapped": 1,
        **host_documents(),
    }
