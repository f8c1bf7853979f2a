# SPDX-License-Identifier: Apache-2.0
"""The rows of a demo region's API database: what it offers, its cells, and what it keeps of every server. Pure.

`offer_rows(region)` -> {table: rows} for flavors, aggregates, groups, key pairs, quotas and mappings of cells and
hosts; `request_rows(plan, cell)` -> the rows of one server. Every row of a table has the same columns.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from treetop.demo.catalogue import FLAVORS, PROJECTS, fixed_hex, fixed_uuid
from treetop.demo.documents import FLAVORS_CREATED_AT, public_key
from treetop.demo.population import Population, ServerPlan, availability_zone, host_name
from treetop.demo.region_catalogue import GROUPS, plan_request
from treetop.demo.request_documents import request_spec_document
from treetop.demo.row import Row
from treetop.demo.server_rows import Rows
from treetop.nova.cell_mapping import CELL0_UUID

KEYS_PER_USER: Final = 5  # as many as `plan_server` draws from
_BEGAN: Final = datetime.fromisoformat(FLAVORS_CREATED_AT).replace(tzinfo=None)
#: Aggregates across zones, by every how manyth host they take.
_AGGREGATES: Final = (("ssd", 3, {"ssd": "true"}), ("größe-l", 7, {"pinned": "yes", "note": "naïve"}))
_DEFAULT_LIMITS: Final = {"instances": 50, "cores": 200, "ram": 1_024_000, "server_groups": 20}
_PROJECT_LIMITS: Final = {"instances": 400, "cores": -1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cell as the API database knows it. id: in `cell_mappings`. connection: SQLAlchemy URL, password and all."""

    id: int
    population: Population
    connection: str

    @property
    def name(self) -> str:
        """Its name, which is also its zone's."""
        return self.population.zone


def offer_rows(cells: tuple[Cell, ...]) -> Rows:
    """All that is there before a server is asked for, parents before children."""
    return {
        "flavors": [_flavor(flavor.id) for flavor in FLAVORS],
        "flavor_extra_specs": list(_extra_specs()),
        "flavor_projects": [
            _made({"flavor_id": flavor.id, "project_id": project.id})
            for flavor in FLAVORS
            if not flavor.is_public
            for project in PROJECTS[:3]
        ],
        "cell_mappings": [_cell_mapping(cell) for cell in cells],
        "host_mappings": [
            _made({"cell_id": cell.id, "host": host_name(cell.name, host)})
            for cell in cells
            for host in range(cell.population.hosts)
        ],
        **_aggregates(cells),
        "key_pairs": [
            _key_pair(user_id, f"key-{number}")
            for project in PROJECTS
            for user_id, _ in project.users
            for number in range(KEYS_PER_USER)
        ],
        "quota_classes": [
            _made({"class_name": "default", "resource": resource, "hard_limit": limit})
            for resource, limit in _DEFAULT_LIMITS.items()
        ],
        "quotas": [
            _made({"project_id": project.id, "resource": resource, "hard_limit": limit})
            for project in PROJECTS[::4]
            for resource, limit in _PROJECT_LIMITS.items()
        ],
        "project_user_quotas": [
            _made({"user_id": PROJECTS[0].users[0][0], "project_id": PROJECTS[0].id, "resource": "instances",
                   "hard_limit": 30})
        ],
        "instance_groups": [
            _made({"id": group.id, "user_id": group.user_id, "project_id": group.project.id, "uuid": group.uuid,
                   "name": group.name})
            for group in GROUPS
        ],
        "instance_group_policy": [
            _made({"policy": group.policy, "group_id": group.id, "rules": json.dumps(dict(group.rules))})
            for group in GROUPS
        ],
    }  # fmt: skip


def request_rows(plan: ServerPlan, cell: Cell) -> Rows:
    """What is kept of a server in `cell`: its request spec, its mapping, its group."""
    request = plan_request(plan)
    times: Row = {"created_at": plan.created_at, "updated_at": plan.created_at}
    mapping: Row = {
        **times,
        "instance_uuid": plan.uuid,
        "cell_id": cell.id,
        "project_id": plan.project.id,
        "queued_for_delete": plan.deleted_at is not None,
        "user_id": plan.user[0],
    }
    spec: Row = {**times, "instance_uuid": plan.uuid, "spec": request_spec_document(plan, request)}
    members: list[Row] = []
    if request.group is not None:
        members = [{**times, "instance_uuid": plan.uuid, "group_id": request.group.id}]
    return {"instance_mappings": [mapping], "request_specs": [spec], "instance_group_member": members}


def _made(row: Row) -> Row:
    return {"created_at": _BEGAN, **row}


def _flavor(flavor_id: int) -> Row:
    flavor = FLAVORS[flavor_id - 1]
    return _made(
        {
            "id": flavor.id,
            "name": flavor.name,
            "memory_mb": flavor.memory_mb,
            "vcpus": flavor.vcpus,
            "swap": flavor.swap,
            "vcpu_weight": 0,
            "flavorid": flavor.flavorid,
            "rxtx_factor": 1,
            "root_gb": flavor.root_gb,
            "ephemeral_gb": flavor.ephemeral_gb,
            "disabled": False,
            "is_public": flavor.is_public,
            "description": None if flavor.is_public else "ask for it: größere Rechner",
        }
    )


def _extra_specs() -> Iterator[Row]:
    for flavor in FLAVORS:
        for key, value in flavor.extra_specs.items():
            yield _made({"flavor_id": flavor.id, "key": key, "value": value})


def _cell_mapping(cell: Cell) -> Row:
    is_cell0 = not cell.population.hosts
    return _made(
        {
            "id": cell.id,
            "uuid": CELL0_UUID if is_cell0 else fixed_uuid(f"cell {cell.name}"),
            "name": cell.name,
            "transport_url": "none:///" if is_cell0 else f"rabbit://nova@mq.example.org/{cell.name}",
            "database_connection": cell.connection,
            "disabled": False,
        }
    )


def _aggregates(cells: tuple[Cell, ...]) -> Rows:
    """An aggregate for each availability zone, with its hosts; and some across the cells."""
    hosts = [(cell.name, host) for cell in cells for host in range(cell.population.hosts)]
    named: dict[str, tuple[dict[str, str], list[str]]] = {}
    for zone, host in hosts:
        name = availability_zone(zone, host)
        named.setdefault(name, ({"availability_zone": name}, []))[1].append(host_name(zone, host))
    for name, every, metadata in _AGGREGATES:
        named[name] = metadata, [host_name(zone, host) for zone, host in hosts[::every]]
    rows: Rows = {"aggregates": [], "aggregate_hosts": [], "aggregate_metadata": []}
    for number, (name, (metadata, members)) in enumerate(named.items(), 1):
        rows["aggregates"].append(
            _made({"id": number, "uuid": fixed_uuid(f"aggregate {name}"), "name": name})
        )
        rows["aggregate_hosts"] += [_made({"host": host, "aggregate_id": number}) for host in members]
        rows["aggregate_metadata"] += [
            _made({"aggregate_id": number, "key": key, "value": value}) for key, value in metadata.items()
        ]
    return rows


def _key_pair(user_id: str, name: str) -> Row:
    digits = fixed_hex(f"{user_id} {name}")
    return _made(
        {
            "name": name,
            "user_id": user_id,
            "fingerprint": ":".join(digits[place : place + 2] for place in range(0, 32, 2)),
            "public_key": public_key(name),
            "type": "ssh",
        }
    )
