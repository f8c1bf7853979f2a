# SPDX-License-Identifier: Apache-2.0
"""Zones with rows in every mirrored table, and those rows as the zone and as the top have them, for tests."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from tests.sync.running import Cell, Top
from treetop.demo.row import Row
from treetop.demo.zone_database import ZoneDatabase
from treetop.model.zone import ZoneKind
from treetop.nova.mirrored_tables import MIRRORED_TABLES, top_table
from treetop.nova.table import Kind

NOW = datetime(2026, 11, 1, 10, 20, 30, tzinfo=UTC).replace(tzinfo=None)
HOST = "secret-host-7"


def a_spec(number: int, **fields: object) -> str:
    """A request spec as Nova stores it, of a realistic size."""
    data = {
        "availability_zone": None,
        "scheduler_hints": {},
        "force_hosts": [HOST],
        "flavor": {"nova_object.data": {"name": f"m{number}", "extra_specs": {"x": "y" * 3000}}},
    } | fields
    return json.dumps({"nova_object.name": "RequestSpec", "nova_object.data": data})


def fill_api_database(cell: Cell, servers: int = 3) -> Cell:
    """Make the tables of an API database with rows in each; `servers` of them where each server has one."""
    with cell.open() as zone:
        zone.create_tables(ZoneKind.API)
        with zone.transaction():
            _fill_tables(zone)
            for number in range(servers):
                add_server(zone, number)
    return cell


def _fill_tables(zone: ZoneDatabase) -> None:
    for table, row in (
        ("flavors", {"flavorid": "f1", "name": "m1.small", "memory_mb": 512, "vcpus": 1, "swap": 0,
                     "root_gb": 1, "rxtx_factor": 1.1, "disabled": False, "is_public": True}),
        ("flavor_extra_specs", {"flavor_id": 1, "key": "hw:cpu_policy", "value": "dedicated"}),
        ("flavor_projects", {"flavor_id": 1, "project_id": "p1"}),
        ("aggregates", {"uuid": "a1", "name": "rack ü"}),
        ("aggregate_hosts", {"aggregate_id": 1, "host": HOST}),
        ("aggregate_metadata", {"aggregate_id": 1, "key": "availability_zone", "value": "az1"}),
        ("cell_mappings", {"uuid": "c1", "name": "cell1", "database_connection": "mysql://nova:pw@db/x",
                           "transport_url": "rabbit://guest:pw@mq", "disabled": False}),
        ("host_mappings", {"cell_id": 1, "host": HOST}),
        ("quotas", {"project_id": "p1", "resource": "cores", "hard_limit": -1}),
        ("quota_classes", {"class_name": "default", "resource": "cores", "hard_limit": 20}),
        ("project_user_quotas", {"user_id": "u1", "project_id": "p1", "resource": "ram", "hard_limit": 1}),
        ("key_pairs", {"name": "k", "user_id": "u1", "fingerprint": "ab:cd", "public_key": "ssh-ed25519 A",
                       "type": "x509"}),
        ("instance_groups", {"uuid": "g1", "name": "group", "user_id": "u1", "project_id": "p1"}),
        ("instance_group_policy", {"group_id": 1, "policy": "anti-affinity", "rules": "{}"}),
    ):  # fmt: skip
        zone.insert(table, {"created_at": NOW, **row})


def add_server(zone: ZoneDatabase, number: int, **spec: object) -> None:
    """Insert what the API database has of one server."""
    uuid = f"00000000-0000-4000-8000-{number:012}"
    zone.insert("instance_group_member", {"group_id": 1, "instance_uuid": uuid})
    zone.insert("instance_mappings", {"instance_uuid": uuid, "project_id": "p1", "cell_id": 1,
                                      "queued_for_delete": False, "user_id": "u1"})  # fmt: skip
    zone.insert("request_specs", {"instance_uuid": uuid, "spec": a_spec(number, **spec)})
    zone.insert("build_requests", {"instance_uuid": uuid, "project_id": "p1", "created_at": NOW,
                                   "instance": _an_instance(uuid), "tags": "{}"})  # fmt: skip


def _an_instance(uuid: str) -> str:
    data = {"uuid": uuid, "display_name": "né", "host": HOST, "launched_on": HOST}
    return json.dumps({"nova_object.name": "Instance", "nova_object.data": data})


def fill_mirrored_cell_tables(zone: ZoneDatabase, hosts: Iterable[int] = range(3)) -> None:
    """Insert rows into every mirrored table of a cell; each table names `HOST` where one may."""
    for number in hosts:
        zone.insert("services", {"host": f"{HOST}-{number}", "binary": "nova-compute", "report_count": 1,
                                 "disabled": False, "forced_down": False, "version": 70, "deleted": 0,
                                 "updated_at": NOW, "last_seen_up": NOW, "uuid": f"s{number}"})  # fmt: skip
        zone.insert("compute_nodes", {"vcpus": 8, "memory_mb": 2048, "local_gb": 10, "vcpus_used": 1,
                                      "memory_mb_used": 512, "local_gb_used": 1, "hypervisor_type": "QEMU",
                                      "hypervisor_version": 8, "cpu_info": "{}", "host": f"{HOST}-{number}",
                                      "uuid": f"n{number}", "ram_allocation_ratio": 1.1,
                                      "cpu_allocation_ratio": 16.0, "disk_allocation_ratio": 0.9,
                                      "deleted": 0, "host_ip": "192.0.2.7", "mapped": 1})  # fmt: skip
    zone.insert("instance_actions", {"action": "create", "instance_uuid": None, "request_id": "req-1",
                                     "start_time": NOW, "deleted": 0})  # fmt: skip
    zone.insert("instance_actions_events", {"event": "compute__do_build", "action_id": None, "host": HOST,
                                            "traceback": f"on {HOST}", "details": f"{HOST} said no",
                                            "deleted": 0})  # fmt: skip
    zone.insert("migrations", {"source_compute": HOST, "dest_compute": HOST, "dest_host": HOST,
                               "source_node": HOST, "dest_node": HOST, "status": "done", "deleted": 0,
                               "migration_type": "live-migration", "hidden": False})  # fmt: skip


def rows_in_zone(cell: Cell, tables: Iterable[str]) -> dict[str, list[Row]]:
    """The rows of these tables as the zone has them, only columns that are mirrored as they are."""
    found = {}
    with cell.open() as zone:
        for name in tables:
            shared = MIRRORED_TABLES[name].shared_columns
            kinds = {each.name: each.kind for each in MIRRORED_TABLES[name].columns if each.name in shared}
            rows = zone.select(name, " ".join(kinds))
            found[name] = [{c: _canonical(kinds[c], value) for c, value in row.items()} for row in rows]
    return found


def rows_at_top(top: Top, tables: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """The same columns of the same tables as the top has them (one zone)."""
    found = {}
    for name in tables:
        shared = MIRRORED_TABLES[name].shared_columns
        kinds = {each.name: each.kind for each in MIRRORED_TABLES[name].columns if each.name in shared}
        listed = ", ".join(f'"{column}"' for column in kinds)
        rows = top.execute(f"SELECT {listed} FROM {top_table(name)} ORDER BY id")
        found[name] = [dict(zip(kinds, row, strict=True)) for row in rows]
    return found


def _canonical(kind: Kind, value: Any) -> Any:
    if value is None:
        return None
    if kind is Kind.BOOLEAN:
        return bool(value)
    return str(value) if kind is Kind.TEXT else value
