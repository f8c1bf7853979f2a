# SPDX-License-Identifier: Apache-2.0
"""Rows of the mirrored tables for tests: `a_region(…)` to have a place for them, `a_flavor(…)`, `a_service(…)`.

Each returns the row's id in its zone. What is not given has a sensible default or is NULL.
"""

import itertools
from datetime import datetime

from tests.store import builders
from tests.store.builders import PROJECT, USER, a_zone, uuid_of

REGION = 100  # the zone of the region's own database
START = datetime.fromisoformat("2026-01-01 12:00:00")
_numbers = itertools.count(1)


def a_region(connection, zone_id=REGION, *, name="region", **changes):
    """Register a zone that is a region's own database."""
    a_zone(connection, zone_id, name=name, kind="api", **changes)


def a_row(connection, table, **columns):
    """Write a row of a mirrored table, of the region unless told otherwise."""
    columns = {"zone_id": REGION, "id": next(_numbers)} | columns
    builders.a_row(connection, table, **columns)
    return columns["id"]


def a_flavor(connection, flavorid, *, extra_specs=None, projects=(), **changes):
    """Write a flavor, its extra specs and its projects."""
    columns = {
        "created_at": START,
        "flavorid": flavorid,
        "name": f"m1.{flavorid}",
        "memory_mb": 512,
        "vcpus": 1,
        "swap": 0,
        "root_gb": 1,
        "ephemeral_gb": 0,
        "rxtx_factor": 1.0,
        "disabled": False,
        "is_public": True,
    }
    row_id = a_row(connection, "flavors", **columns | changes)
    place = {"zone_id": changes.get("zone_id", REGION), "flavor_id": row_id}
    for key, value in (extra_specs or {}).items():
        a_row(connection, "flavor_extra_specs", key=key, value=value, **place)
    for project in projects:
        a_row(connection, "flavor_projects", project_id=project, **place)
    return row_id


def an_aggregate(connection, name, *, hosts=(), metadata=None, **changes):
    """Write an aggregate, its hosts and its metadata."""
    number = next(_numbers)
    columns = {"id": number, "created_at": START, "uuid": uuid_of(number), "name": name}
    row_id = a_row(connection, "aggregates", **columns | changes)
    place = {"zone_id": changes.get("zone_id", REGION), "aggregate_id": row_id}
    for host in hosts:
        a_row(connection, "aggregate_hosts", host=host, **place)
    for key, value in (metadata or {}).items():
        a_row(connection, "aggregate_metadata", key=key, value=value, **place)
    return row_id


def a_service(connection, host, binary="nova-compute", **changes):
    """Write a service of cell 1 that was seen just now."""
    number = next(_numbers)
    columns = {
        "zone_id": 1,
        "id": number,
        "uuid": uuid_of(number),
        "created_at": START,
        "updated_at": START,
        "last_seen_up": START,
        "host": host,
        "binary": binary,
        "disabled": False,
        "forced_down": False,
        "deleted": 0,
    }
    return a_row(connection, "services", **columns | changes)


def a_compute_node(connection, host, **changes):
    """Write a node of cell 1 on a host, named like it."""
    number = next(_numbers)
    columns = {
        "zone_id": 1,
        "id": number,
        "uuid": uuid_of(number),
        "host": host,
        "hypervisor_hostname": host,
        "hypervisor_type": "QEMU",
        "hypervisor_version": 8002002,
        "host_ip": "192.0.2.1",
        "cpu_info": '{"arch": "x86_64"}',
        "deleted": 0,
        "current_workload": 0,
        "running_vms": 2,
        "vcpus": 8,
        "vcpus_used": 2,
        "memory_mb": 8192,
        "memory_mb_used": 1024,
        "free_ram_mb": 7168,
        "local_gb": 100,
        "local_gb_used": 10,
        "free_disk_gb": 90,
        "disk_available_least": 80,
        "stats": '{"uptime": "up 3 days", "failed_builds": "0"}',
    }
    return a_row(connection, "compute_nodes", **columns | changes)


def a_cell_mapping(connection, name, **changes):
    """Write a region's entry for the cell of this name."""
    return a_row(connection, "cell_mappings", **{"name": name, "uuid": uuid_of(next(_numbers))} | changes)


def a_server_group(connection, name, *, members=(), policy="affinity", rules=None, **changes):
    """Write a server group of the builders' project."""
    number = next(_numbers)
    columns = {"id": number, "uuid": uuid_of(number), "name": name, "project_id": PROJECT, "user_id": USER}
    row_id = a_row(connection, "instance_groups", **columns | changes)
    a_row(connection, "instance_group_policy", group_id=row_id, policy=policy, rules=rules)
    for member in members:
        a_row(connection, "instance_group_member", group_id=row_id, instance_uuid=member)
    return row_id
