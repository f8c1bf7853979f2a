# SPDX-License-Identifier: Apache-2.0
"""The rows of the API database besides flavors: mappings, aggregates, groups, request specs, quotas. Pure.

`api_rows(made)` -> {table: rows}, for all servers of all cells. Rows of a table may differ in their columns.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final

from tests.conformance.region.flavors import access_rows, extra_spec_rows, flavor_rows
from tests.conformance.region.plan import ADMIN, CELL0, CELLS, FOURTH, HOSTS_PER_CELL, MEMBER, NOW, OTHER
from tests.conformance.region.servers import Made
from tests.conformance.region.special_servers import SPECIAL
from treetop.demo.catalogue import fixed_uuid
from treetop.demo.documents import public_key
from treetop.demo.population import host_name
from treetop.demo.row import Row
from treetop.demo.server_rows import Rows

_THEN: Final = NOW - timedelta(days=100)
_NEVER: Final[Row] = {"updated_at": None}

AGGREGATES: Final[Mapping[str, tuple[Mapping[str, str], tuple[str, ...]]]] = {
    # name -> (metadata, hosts)
    "az-north": (
        {"availability_zone": "north", "ssd": "true"},
        (host_name("cell1", 0), host_name("cell1", 1), host_name("cell2", 0)),
    ),
    "az-south": ({"availability_zone": "süd"}, (host_name("cell3", 0), host_name("cell3", 3))),
    "plain": ({"note": "x y"}, (host_name("cell1", 0), host_name("cell4", 0), "left-the-cell")),
    "empty": ({}, ()),
    "az-empty": ({"availability_zone": "nowhere"}, ()),
    "Disabled hosts": ({"availability_zone": "off"}, (host_name("cell2", 2), host_name("cell4", 2))),
}

GROUPS: Final[Mapping[str, tuple[str, str, str | None, str | None, tuple[str, ...]]]] = {
    # name -> (project, user, policy, rules, members)
    "spread": (
        MEMBER.id,
        MEMBER.users[0][0],
        "anti-affinity",
        '{"max_server_per_host": 3}',
        ("in_group", "in_group_too", "gone", "of_third"),
    ),
    "together": (MEMBER.id, MEMBER.users[1][0], "affinity", None, ("hinted",)),
    "soft 柔": (MEMBER.id, MEMBER.users[0][0], "soft-anti-affinity", "{}", ()),
    "of other": (OTHER.id, OTHER.users[0][0], "soft-affinity", None, ("of_other",)),
}


def api_rows(cells: Mapping[str, list[Made]]) -> Rows:
    """Every table of the API database that is not made by `databases` itself."""
    servers = [(cell, made) for cell, found in cells.items() for made in found]
    return {
        "host_mappings": list(_host_mappings()),
        "instance_mappings": list(_instance_mappings(servers)),
        "flavors": list(flavor_rows()),
        "flavor_extra_specs": list(extra_spec_rows()),
        "flavor_projects": list(access_rows()),
        **_aggregate_rows(),
        **_group_rows(),
        "request_specs": list(_request_specs(servers)),
        "key_pairs": list(_key_pairs()),
        **_quota_rows(),
    }


def _host_mappings() -> Iterator[Row]:
    hosts = [(cell, host_name(cell, number)) for cell in CELLS for number in range(HOSTS_PER_CELL)]
    for number, (cell, host) in enumerate(hosts, 1):
        yield {"id": number, "created_at": _THEN, "host": host, "cell_id": cell_id(cell)}


def cell_id(cell: str) -> int:
    """The id of a cell's mapping: cell0 is the first."""
    return (CELL0, *CELLS).index(cell) + 1


def _instance_mappings(servers: list[tuple[str, Made]]) -> Iterator[Row]:
    for number, (cell, made) in enumerate(_mapped(servers), 1):
        row = made.rows["instances"][0]
        yield {
            "id": number,
            "created_at": made.plan.created_at,
            **_NEVER,
            "instance_uuid": made.uuid,
            "cell_id": cell_id(cell),
            "project_id": row["project_id"] or "",
            "queued_for_delete": bool(row["deleted"]),
            "user_id": row["user_id"],
        }


def _mapped(servers: list[tuple[str, Made]]) -> list[tuple[str, Made]]:
    """Every server once; of one that is in two cells, the copy that is not hidden."""
    found: dict[str, tuple[str, Made]] = {}
    for cell, made in servers:
        if made.uuid not in found or found[made.uuid][1].rows["instances"][0]["hidden"]:
            found[made.uuid] = cell, made
    return list(found.values())


def _aggregate_rows() -> Rows:
    aggregates: list[Row] = []
    hosts: list[Row] = []
    metadata: list[Row] = []
    for number, (name, (items, members)) in enumerate(AGGREGATES.items(), 1):
        at = _THEN + timedelta(hours=number)
        updated = None if number % 2 else at + timedelta(minutes=5)
        aggregates.append(
            {"id": number, "created_at": at, "updated_at": updated, "uuid": fixed_uuid(name), "name": name}
        )
        hosts += [{"created_at": at, "host": host, "aggregate_id": number} for host in members]
        metadata += [
            {"created_at": at, "aggregate_id": number, "key": key, "value": value}
            for key, value in items.items()
        ]
    return {"aggregates": aggregates, "aggregate_hosts": hosts, "aggregate_metadata": metadata}


def _group_rows() -> Rows:
    groups: list[Row] = []
    policies: list[Row] = []
    members: list[Row] = []
    for number, (name, (project, user, policy, rules, names)) in enumerate(GROUPS.items(), 1):
        groups.append(
            {
                "id": number,
                "created_at": _THEN,
                **_NEVER,
                "uuid": group_uuid(name),
                "name": name,
                "project_id": project,
                "user_id": user,
            }
        )
        policies.append({"created_at": _THEN, "group_id": number, "policy": policy, "rules": rules})
        uuids = [SPECIAL[each] for each in names] + [fixed_uuid(f"never was in {name}")]
        members += [{"created_at": _THEN, "group_id": number, "instance_uuid": uuid} for uuid in uuids]
    return {
        "instance_groups": groups,
        "instance_group_policy": policies,
        "instance_group_member": members,
    }


def group_uuid(name: str) -> str:
    """The uuid of a server group."""
    return fixed_uuid(f"group {name}")


def _request_specs(servers: list[tuple[str, Made]]) -> Iterator[Row]:
    number = 0
    for cell, made in _mapped(servers):
        if made.uuid == SPECIAL["without_spec"]:
            continue
        number += 1
        pinned: str | None = {0: "north", 1: f"{cell}-az1"}.get(made.plan.number % 7)
        hints: dict[str, list[str]] | None = {}
        if made.uuid == SPECIAL["pinned"]:
            pinned = "süd"
        if made.uuid == SPECIAL["null_hints"]:
            hints = None
        if made.uuid == SPECIAL["hinted"]:
            hints = {
                "group": [group_uuid("together")],
                "different_host": [SPECIAL["tagged"], SPECIAL["gone"]],
            }
        yield {
            "id": number,
            "created_at": made.plan.created_at,
            **_NEVER,
            "instance_uuid": made.uuid,
            "spec": request_spec(made.uuid, made.plan.project.id, pinned, hints),
        }


def request_spec(
    uuid: str, project_id: str, pinned: str | None, hints: Mapping[str, list[str]] | None
) -> str:
    """A request spec as Nova's object is kept, with what readers of it look at."""
    data = {
        "numa_topology": None,
        "project_id": project_id,
        "availability_zone": pinned,
        "num_instances": 1,
        "force_hosts": None,
        "force_nodes": None,
        "retry": None,
        "limits": None,
        "instance_group": None,
        "scheduler_hints": hints,
        "instance_uuid": uuid,
    }
    return json.dumps(
        {
            "nova_object.name": "RequestSpec",
            "nova_object.namespace": "nova",
            "nova_object.version": "1.15",
            "nova_object.data": data,
        }
    )


def _key_pairs() -> Iterator[Row]:
    owners = [ADMIN.user_id] * 5 + [OTHER.users[0][0]] * 2
    for number, user in enumerate(owners, 1):
        name = ("zeta", "alpha", "Mid", "key-ü", "x509", "alpha", "theirs")[number - 1]
        yield {
            "id": number,
            "created_at": _THEN + timedelta(hours=number),
            "updated_at": None if number % 2 else _THEN,
            "name": name,
            "user_id": user,
            "fingerprint": ":".join([f"{number:02x}"] * 16),
            "public_key": public_key(name),
            "type": "x509" if name == "x509" else "ssh",
        }


def _quota_rows() -> Rows:
    def quotas(**limits: int) -> list[Row]:
        return [{"resource": name, "hard_limit": limit} for name, limit in limits.items()]

    return {
        "quotas": [
            row | {"created_at": _THEN, "project_id": project}
            for project, rows in (
                (MEMBER.id, quotas(instances=500, cores=-1, ram=10_000_000, server_groups=7, key_pairs=9)),
                (FOURTH.id, quotas(instances=0)),
            )
            for row in rows
        ],
        "quota_classes": [
            row | {"created_at": _THEN, "class_name": "default"}
            for row in quotas(instances=20, cores=40, metadata_items=64)
        ],
        "project_user_quotas": [
            row | {"created_at": _THEN, "project_id": MEMBER.id, "user_id": MEMBER.users[0][0]}
            for row in quotas(instances=400)
        ],
    }
