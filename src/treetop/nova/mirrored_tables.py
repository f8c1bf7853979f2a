# SPDX-License-Identifier: Apache-2.0
"""Which tables are kept at the top row by row, as the zone has them: of a region's API database, and of a cell.

A mirrored table `NAME` is table `nova_NAME` at the top, with `zone_id` before the shared columns and the key
(zone_id, id). Answers join them when they are read, for the rows of one page. What names a host is read only of
zones that share everything; passwords and URLs (`cell_mappings`) are not read at all. Facts: schema of Nova 34
(made by `nova-manage api_db sync` and `db sync`); columns that older releases lack are not `required`.
"""

from types import MappingProxyType
from typing import Final

from treetop.model.zone import Trust
from treetop.nova.table import Column, Kind, Table, columns_of

ID_PLACE: Final = 0  # every row of a mirrored table begins with its id (and one of `instances` does)

_TIMES: Final = "created_at updated_at"


def _mirrored(
    name: str,
    *columns: tuple[Column, ...],
    computed: tuple[str, ...] = (),
    dropped: frozenset[str] = frozenset(),
    trust: Trust = Trust.SERVERS,
) -> Table:
    return Table(
        name=name,
        columns=(*columns_of(Kind.INTEGER, "id"), *(column for group in columns for column in group)),
        key=("id",),
        computed=computed,
        dropped=dropped,
        trust=trust,
    )


FLAVORS: Final = _mirrored(
    "flavors",
    columns_of(Kind.TIMESTAMP, _TIMES),
    columns_of(Kind.TEXT, "flavorid name"),
    columns_of(Kind.INTEGER, "memory_mb vcpus swap vcpu_weight root_gb ephemeral_gb"),
    columns_of(Kind.REAL, "rxtx_factor"),
    columns_of(Kind.BOOLEAN, "disabled is_public"),
    columns_of(Kind.TEXT, "description", required=False),  # since Rocky
)
FLAVOR_EXTRA_SPECS: Final = _mirrored(
    "flavor_extra_specs", columns_of(Kind.INTEGER, "flavor_id"), columns_of(Kind.TEXT, "key value")
)
FLAVOR_PROJECTS: Final = _mirrored(
    "flavor_projects", columns_of(Kind.INTEGER, "flavor_id"), columns_of(Kind.TEXT, "project_id")
)
AGGREGATES: Final = _mirrored(
    "aggregates", columns_of(Kind.TIMESTAMP, _TIMES), columns_of(Kind.TEXT, "uuid name")
)
AGGREGATE_HOSTS: Final = _mirrored(
    "aggregate_hosts",
    columns_of(Kind.INTEGER, "aggregate_id"),
    columns_of(Kind.TEXT, "host"),
    trust=Trust.FULL,
)
AGGREGATE_METADATA: Final = _mirrored(
    "aggregate_metadata", columns_of(Kind.INTEGER, "aggregate_id"), columns_of(Kind.TEXT, "key value")
)
INSTANCE_GROUPS: Final = _mirrored(
    "instance_groups",
    columns_of(Kind.TIMESTAMP, _TIMES),
    columns_of(Kind.TEXT, "uuid name user_id project_id"),
)
INSTANCE_GROUP_MEMBER: Final = _mirrored(
    "instance_group_member", columns_of(Kind.INTEGER, "group_id"), columns_of(Kind.TEXT, "instance_uuid")
)
INSTANCE_GROUP_POLICY: Final = _mirrored(
    "instance_group_policy",
    columns_of(Kind.INTEGER, "group_id"),
    columns_of(Kind.TEXT, "policy"),
    columns_of(Kind.TEXT, "rules", required=False),  # since Rocky
)
#: Of a request spec (3 kB of JSON, which names hosts) only what servers show: the zone and the hints asked for.
REQUEST_SPECS: Final = _mirrored(
    "request_specs",
    columns_of(Kind.TEXT, "instance_uuid spec"),
    computed=("availability_zone", "scheduler_hints"),
    dropped=frozenset({"spec"}),
)
BUILD_REQUESTS: Final = _mirrored(
    "build_requests",
    columns_of(Kind.TIMESTAMP, _TIMES),
    columns_of(Kind.TEXT, "project_id instance_uuid instance"),
    columns_of(Kind.TEXT, "tags", required=False),  # since Pike
)
INSTANCE_MAPPINGS: Final = _mirrored(
    "instance_mappings",
    columns_of(Kind.TIMESTAMP, _TIMES),
    columns_of(Kind.TEXT, "instance_uuid project_id"),
    columns_of(Kind.INTEGER, "cell_id"),
    columns_of(Kind.TEXT, "user_id", required=False),  # since Rocky
    columns_of(Kind.BOOLEAN, "queued_for_delete", required=False),  # since Rocky
)
CELL_MAPPINGS: Final = _mirrored(
    "cell_mappings",
    columns_of(Kind.TEXT, "uuid name"),
    columns_of(Kind.BOOLEAN, "disabled", required=False),  # since Rocky
)
HOST_MAPPINGS: Final = _mirrored(
    "host_mappings",
    columns_of(Kind.INTEGER, "cell_id"),
    columns_of(Kind.TEXT, "host"),
    trust=Trust.FULL,
)
KEY_PAIRS: Final = _mirrored(
    "key_pairs",
    columns_of(Kind.TIMESTAMP, _TIMES),
    columns_of(Kind.TEXT, "name user_id fingerprint public_key type"),
)
QUOTAS: Final = _mirrored(
    "quotas", columns_of(Kind.TEXT, "project_id resource"), columns_of(Kind.INTEGER, "hard_limit")
)
QUOTA_CLASSES: Final = _mirrored(
    "quota_classes", columns_of(Kind.TEXT, "class_name resource"), columns_of(Kind.INTEGER, "hard_limit")
)
PROJECT_USER_QUOTAS: Final = _mirrored(
    "project_user_quotas",
    columns_of(Kind.TEXT, "user_id project_id resource"),
    columns_of(Kind.INTEGER, "hard_limit"),
)

SERVICES: Final = _mirrored(
    "services",
    columns_of(Kind.TIMESTAMP, _TIMES),
    columns_of(Kind.TEXT, "host binary disabled_reason"),
    columns_of(Kind.BOOLEAN, "disabled forced_down"),
    columns_of(Kind.TIMESTAMP, "last_seen_up"),
    columns_of(Kind.INTEGER, "version deleted"),
    columns_of(Kind.TEXT, "uuid", required=False),  # since Pike
    trust=Trust.FULL,
)
COMPUTE_NODES: Final = _mirrored(
    "compute_nodes",
    columns_of(Kind.TIMESTAMP, _TIMES),
    columns_of(Kind.TEXT, "uuid host hypervisor_hostname hypervisor_type host_ip cpu_info"),
    columns_of(Kind.INTEGER, "service_id hypervisor_version deleted current_workload running_vms"),
    columns_of(Kind.INTEGER, "vcpus vcpus_used memory_mb memory_mb_used free_ram_mb"),
    columns_of(Kind.INTEGER, "local_gb local_gb_used free_disk_gb disk_available_least"),
    columns_of(Kind.REAL, "ram_allocation_ratio cpu_allocation_ratio disk_allocation_ratio"),
    columns_of(Kind.TEXT, "supported_instances pci_stats metrics stats numa_topology"),
    trust=Trust.FULL,
)
#: Where a server went is emptied for zones that keep their hosts to themselves (`nova.trust`).
MIGRATIONS: Final = _mirrored(
    "migrations",
    columns_of(Kind.TIMESTAMP, _TIMES),
    columns_of(Kind.TEXT, "instance_uuid status migration_type"),
    columns_of(Kind.TEXT, "source_compute source_node dest_compute dest_node dest_host"),
    columns_of(Kind.INTEGER, "old_instance_type_id new_instance_type_id deleted"),
    columns_of(Kind.BOOLEAN, "hidden"),
    columns_of(Kind.INTEGER, "memory_total memory_processed memory_remaining"),
    columns_of(Kind.INTEGER, "disk_total disk_processed disk_remaining"),
    columns_of(Kind.TEXT, "uuid user_id project_id", required=False),  # since Queens, Ussuri
)
INSTANCE_ACTIONS: Final = _mirrored(
    "instance_actions",
    columns_of(Kind.TIMESTAMP, f"{_TIMES} start_time finish_time"),
    columns_of(Kind.TEXT, "instance_uuid action request_id user_id project_id message"),
    columns_of(Kind.INTEGER, "deleted"),
)
#: host, traceback and details are emptied for zones that keep their hosts to themselves (`nova.trust`).
INSTANCE_ACTIONS_EVENTS: Final = _mirrored(
    "instance_actions_events",
    columns_of(Kind.TIMESTAMP, "created_at start_time finish_time"),
    columns_of(Kind.INTEGER, "action_id deleted"),
    columns_of(Kind.TEXT, "event result host traceback"),
    columns_of(Kind.TEXT, "details", required=False),  # since Victoria
)

#: Of the API database, by name: small tables first, so that a load shows flavors and aggregates at once.
MIRRORED_API_TABLES: Final = MappingProxyType(
    {
        table.name: table
        for table in (
            FLAVORS,
            FLAVOR_EXTRA_SPECS,
            FLAVOR_PROJECTS,
            AGGREGATES,
            AGGREGATE_HOSTS,
            AGGREGATE_METADATA,
            CELL_MAPPINGS,
            HOST_MAPPINGS,
            QUOTAS,
            QUOTA_CLASSES,
            PROJECT_USER_QUOTAS,
            KEY_PAIRS,
            INSTANCE_GROUPS,
            INSTANCE_GROUP_POLICY,
            INSTANCE_GROUP_MEMBER,
            BUILD_REQUESTS,
            INSTANCE_MAPPINGS,
            REQUEST_SPECS,
        )
    }
)

#: Of a cell, beside the tables of its servers (`nova.tables`), by name.
MIRRORED_CELL_TABLES: Final = MappingProxyType(
    {
        table.name: table
        for table in (SERVICES, COMPUTE_NODES, MIGRATIONS, INSTANCE_ACTIONS, INSTANCE_ACTIONS_EVENTS)
    }
)

#: All of them.
MIRRORED_TABLES: Final = MappingProxyType({**MIRRORED_API_TABLES, **MIRRORED_CELL_TABLES})


def top_table(name: str) -> str:
    """The name at the top of a mirrored table."""
    return f"nova_{name}"
