# SPDX-License-Identifier: Apache-2.0
"""Hypervisors (Nova's compute nodes) with the service that runs them, in Nova's order: by cell, then by row.

Only zones that share their hosts have any. A node whose service was deleted is not there. Raises `NotFound` for a
marker that is no node.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from treetop.errors import NotFound
from treetop.model.zone import ZoneId
from treetop.store.clause import Clause, Conditions
from treetop.store.services import COMPUTE, is_alive

_NODE: Final = """
    zone_id id uuid host hypervisor_hostname hypervisor_type hypervisor_version host_ip cpu_info current_workload
    running_vms vcpus vcpus_used memory_mb memory_mb_used free_ram_mb local_gb local_gb_used free_disk_gb
    disk_available_least stats
"""

# At most as many rows as hosts; the services of the zones are read whole, for their newest heartbeats.
_SELECT: Final = """
SELECT {columns}, services.id AS service_id, services.uuid AS service_uuid, services.disabled_reason,
       services.disabled IS TRUE AS is_disabled, services.forced_down IS TRUE AS is_forced_down,
       services.silent_seconds::float8 AS silent_seconds
FROM nova_compute_nodes AS node
JOIN live_service AS services
  ON services.zone_id = node.zone_id AND services.host = node.host AND services."binary" = {compute}
JOIN cell_place ON cell_place.zone_id = node.zone_id
WHERE {conditions}
ORDER BY cell_place.place, node.id
LIMIT {limit}
"""
_MARKER: Final = """
    SELECT cell_place.place, node.id
    FROM nova_compute_nodes AS node
    JOIN cell_place ON cell_place.zone_id = node.zone_id
    WHERE node.deleted = 0
      AND node.zone_id = ANY(%(zones)s::smallint[])
      AND (lower(node.uuid) = lower(%(marker)s) OR node.id::text = %(marker)s)
    ORDER BY cell_place.place
    LIMIT 1
"""
_IS_NAMED: Final = """
    SELECT EXISTS (
        SELECT FROM nova_compute_nodes
        WHERE deleted = 0
          AND zone_id = ANY(%s::smallint[])
          AND hypervisor_hostname ILIKE %s
    )
"""
_SERVERS: Final = """
    SELECT zone_id, host, source_id, uuid
    FROM server
    WHERE NOT deleted
      AND zone_id = ANY(%s::smallint[])
      AND host = ANY(%s::text[])
    ORDER BY zone_id, source_id
"""
_SUMMED: Final = (
    *("current_workload", "disk_available_least", "free_disk_gb", "free_ram_mb", "local_gb", "local_gb_used"),
    *("memory_mb", "memory_mb_used", "running_vms", "vcpus", "vcpus_used"),
)
# A node's service is found by the host's name or, as old nodes name it, by its row: an index look-up each.
_STATISTICS: Final = """
SELECT count(*) AS count, {sums}
FROM nova_compute_nodes AS node
CROSS JOIN LATERAL (
    SELECT id, "binary", deleted, disabled
    FROM nova_services AS services
    WHERE services.zone_id = node.zone_id AND services.host = node.host
    UNION
    SELECT id, "binary", deleted, disabled
    FROM nova_services AS services
    WHERE services.zone_id = node.zone_id AND services.id = node.service_id
) AS services
WHERE services."binary" = {compute}
  AND services.deleted = 0
  AND services.disabled IS NOT TRUE
  AND node.deleted = 0
  AND node.zone_id = ANY(%s::smallint[])
"""

#: A host of a zone.
HostKey = tuple[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypervisor:
    """One node: columns of Nova's table, then what is known of its service (`live_service`).

    cpu_info, stats: JSON text.
    """

    zone_id: int
    id: int
    uuid: str | None
    host: str
    hypervisor_hostname: str | None
    hypervisor_type: str | None
    hypervisor_version: int | None
    host_ip: str | None
    cpu_info: str | None
    current_workload: int | None
    running_vms: int | None
    vcpus: int | None
    vcpus_used: int | None
    memory_mb: int | None
    memory_mb_used: int | None
    free_ram_mb: int | None
    local_gb: int | None
    local_gb_used: int | None
    free_disk_gb: int | None
    disk_available_least: int | None
    stats: str | None
    service_id: int
    service_uuid: str | None
    disabled_reason: str | None
    is_disabled: bool
    is_forced_down: bool
    silent_seconds: float | None

    def is_up(self, down_seconds: int) -> bool:
        """Say whether its service is alive. down_seconds: how long it may be silent."""
        return is_alive(self.silent_seconds, down_seconds) and not self.is_forced_down


def list_hypervisors(
    connection: psycopg.Connection,
    zone_ids: Sequence[ZoneId],
    *,
    limit: int | None,
    marker: str | None = None,
) -> list[Hypervisor]:
    """At most `limit` (None: all) nodes of these zones after `marker`.

    marker: the uuid or row id of the last one of the page before.
    """
    clauses = []
    if marker is not None:
        found = connection.execute(_MARKER, {"zones": list(zone_ids), "marker": marker}).fetchone()
        if found is None:
            raise NotFound(f"marker [{marker}] not found")
        clauses.append(Clause(template="(cell_place.place, node.id) > ({0}, {1})", values=tuple(found)))
    return _read(connection, zone_ids, clauses, limit=limit)


def find_hypervisors(
    connection: psycopg.Connection, zone_ids: Sequence[ZoneId], name_part: str
) -> list[Hypervisor]:
    """The nodes whose hostname has `name_part` in it, in any case; `_` and `%` as in LIKE, as in Nova.

    Raises `NotFound` if there is none, with a service or without.
    """
    pattern = f"%{name_part}%"
    found = connection.execute(_IS_NAMED, (list(zone_ids), pattern)).fetchone()
    if found is None or not found[0]:
        raise NotFound(f"No hypervisor matching '{name_part}' could be found.")
    named = Clause(template="node.hypervisor_hostname ILIKE {0}", values=(pattern,))
    return _read(connection, zone_ids, [named], limit=None)


def read_hypervisor(
    connection: psycopg.Connection, zone_ids: Sequence[ZoneId], *, uuid: str | None = None, row_id: int = 0
) -> Hypervisor | None:
    """The first node with this uuid, or with this row id where no uuid is given; None if there is none."""
    clause = Clause(template="node.id = {0}::numeric", values=(str(row_id),))
    if uuid is not None:
        clause = Clause(template="lower(node.uuid) = lower({0})", values=(uuid,))
    found = _read(connection, zone_ids, [clause], limit=1)
    return found[0] if found else None


def servers_of(
    connection: psycopg.Connection, hypervisors: Iterable[Hypervisor]
) -> Mapping[HostKey, list[tuple[int, str]]]:
    """(row id, uuid) of each live server on the hosts of these nodes; hosts without any are not in it."""
    hosts = {(hypervisor.zone_id, hypervisor.host) for hypervisor in hypervisors}
    zone_ids, names = [zone_id for zone_id, _ in hosts], [name for _, name in hosts]
    result: defaultdict[HostKey, list[tuple[int, str]]] = defaultdict(list)
    for zone_id, host, source_id, uuid in connection.execute(_SERVERS, (zone_ids, names)):
        result[zone_id, host].append((source_id, uuid))
    return result


def sum_hypervisors(connection: psycopg.Connection, zone_ids: Sequence[ZoneId]) -> Mapping[str, int]:
    """How many nodes have an enabled service, and the sums of what they have."""
    statement = sql.SQL(_STATISTICS).format(
        sums=sql.SQL(", ").join(
            sql.SQL("coalesce(sum({0}), 0)::bigint AS {0}").format(sql.Identifier(name)) for name in _SUMMED
        ),
        compute=sql.Literal(COMPUTE),
    )
    found = connection.execute(statement, (list(zone_ids),)).fetchone()
    assert found is not None
    return dict(zip(("count", *_SUMMED), found, strict=True))


def _read(
    connection: psycopg.Connection,
    zone_ids: Sequence[ZoneId],
    clauses: Sequence[Clause],
    *,
    limit: int | None,
) -> list[Hypervisor]:
    conditions = Conditions()
    conditions.add(
        (
            Clause(template="node.deleted = 0"),
            Clause(template="node.zone_id = ANY({0}::smallint[])", values=(list(zone_ids),)),
            *clauses,
        )
    )
    statement = sql.SQL(_SELECT).format(
        columns=sql.SQL(", ").join(sql.Identifier("node", name) for name in _NODE.split()),
        compute=sql.Literal(COMPUTE),
        conditions=conditions.joined(),
        limit=sql.Literal(limit),
    )
    with connection.cursor(row_factory=class_row(Hypervisor)) as cursor:
        return cursor.execute(statement, conditions.parameters).fetchall()
