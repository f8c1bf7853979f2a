# SPDX-License-Identifier: Apache-2.0
"""The services and compute nodes of a cell as rows: up, disabled, forced down, not heard of, deleted. Pure."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from tests.conformance.region.plan import CELL0, HOSTS_PER_CELL, LONG_AGO, NOW
from treetop.demo.catalogue import fixed_uuid
from treetop.demo.documents import host_documents
from treetop.demo.population import host_name, node_name
from treetop.demo.row import Row

_SERVICE: Final[Row] = {
    "created_at": NOW - timedelta(days=400),
    "updated_at": NOW - timedelta(seconds=3),
    "deleted_at": None,
    "deleted": 0,
    "report_count": 1000,
    "disabled": False,
    "disabled_reason": None,
    "forced_down": False,
    "last_seen_up": NOW - timedelta(seconds=4),
    "version": 74,
}

#: What differs on host 0, 1, 2… of each cell; host 0 and 1 are plain.
_ON_HOST: Final[tuple[Row, ...]] = (
    {},
    {"updated_at": None},
    {"disabled": True, "disabled_reason": "Wartung – maintenance"},
    {"forced_down": True},
    {"last_seen_up": LONG_AGO},
)


def service_rows(cell: str) -> Iterator[Row]:
    """Rows of `services`."""
    compute = [
        (host_name(cell, number), "nova-compute", change)
        for number, change in enumerate(_ON_HOST)
        if cell != CELL0
    ]
    others: list[tuple[str, str, Row]] = [
        (f"{cell}-conductor", "nova-conductor", {}),
        (f"{cell}-scheduler", "nova-scheduler", {"disabled": True, "disabled_reason": None}),
        (f"{cell}-gone", "nova-compute", {"deleted": 99, "deleted_at": NOW}),
        (f"{cell}-never-heard", "nova-conductor", {"last_seen_up": None, "updated_at": None}),
    ]
    for number, (host, binary, change) in enumerate([*others, *compute], 1):
        yield {
            **_SERVICE,
            "id": number,
            "host": host,
            "binary": binary,
            "topic": binary.removeprefix("nova-"),
            "uuid": fixed_uuid(f"service {cell} {number}"),
            **change,
            "deleted": number if "deleted" in change else 0,
        }


def compute_node_rows(cell: str) -> Iterator[Row]:
    """Rows of `compute_nodes`: one per host, one deleted, one whose service is gone, two on the second host."""
    if cell == CELL0:
        return
    nodes = [(host_name(cell, number), node_name(cell, number)) for number in range(HOSTS_PER_CELL)]
    nodes.append((host_name(cell, 1), f"{cell}-ironic-1"))
    nodes.append((host_name(cell, 0), f"{cell}-deleted"))
    nodes.append((f"{cell}-gone", f"{cell}-gone.example.org"))
    for number, (host, node) in enumerate(nodes, 1):
        is_deleted = node.endswith("-deleted")
        yield {
            "created_at": NOW - timedelta(days=400),
            "updated_at": None if number == 2 else NOW - timedelta(seconds=30),
            "deleted_at": NOW if is_deleted else None,
            "id": number,
            "deleted": number if is_deleted else 0,
            "host": host,
            "hypervisor_hostname": node,
            "uuid": fixed_uuid(f"node {cell} {number}"),
            "mapped": 1,
            **_capacity(number),
            **host_documents(),
            "stats": json.dumps(_stats(number)),
        }


def _capacity(number: int) -> Row:
    return {
        "vcpus": 64,
        "memory_mb": 262_144,
        "local_gb": 4000,
        "vcpus_used": 3 * number,
        "memory_mb_used": 512 + 2048 * number,
        "local_gb_used": 20 * number,
        "hypervisor_type": "QEMU",
        "hypervisor_version": 8_002_002,
        "disk_available_least": None if number == 3 else 3900 - number,
        "free_ram_mb": 262_144 - 512 - 2048 * number,
        "free_disk_gb": 4000 - 20 * number,
        "current_workload": number % 2,
        "running_vms": number,
        "host_ip": None if number == 4 else f"192.0.2.{number}",
        "ram_allocation_ratio": "1.0",
        "cpu_allocation_ratio": "4.0",
        "disk_allocation_ratio": "1.0",
    }


def _stats(number: int) -> dict[str, str]:
    """Every host says how long it is up: Nova would ask one that does not by RPC, which nobody answers here."""
    stats = {"failed_builds": "0", "num_instances": str(number)}
    stats["uptime"] = f" 10:20:30 up {number} days,  1:02,  1 user,  load average: 0.00, 0.01, 0.05"
    return stats


assert len(_ON_HOST) == HOSTS_PER_CELL
