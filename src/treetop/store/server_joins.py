# SPDX-License-Identifier: Apache-2.0
"""What mirrored tables say about the servers of a page: their hosts' availability zone and status, what they were
asked for with, and their group.

One statement each, by the keys of the page. A key that is not in a result is one of which nothing is known.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import psycopg

#: A host of a zone.
HostKey = tuple[int, str]

# Hosts are joined, not looked for in a list of a thousand: 1 instead of 7 ms for such a page. Only of regions whose
# aggregates are read whole: elsewhere "in no aggregate" would be a guess. The lowest aggregate comes last.
_AVAILABILITY_ZONES: Final = """
    SELECT wanted.zone_id, wanted.host, metadata.value
    FROM unnest(%(zones)s::smallint[], %(hosts)s::text[]) AS wanted (zone_id, host)
    JOIN zone AS cell ON cell.id = wanted.zone_id
    JOIN zone AS region ON region.region = cell.region AND region.kind = 'api' AND region.trust = 'full'
    JOIN zone_position ON zone_position.zone_id = region.id AND zone_position.is_loaded
    LEFT JOIN (
        nova_aggregate_hosts AS hosts
        JOIN nova_aggregate_metadata AS metadata
          ON metadata.zone_id = hosts.zone_id
         AND metadata.aggregate_id = hosts.aggregate_id
         AND metadata.key = 'availability_zone'
    ) ON hosts.zone_id = region.id AND hosts.host = wanted.host
    ORDER BY hosts.aggregate_id DESC
"""

# The newest heartbeat of a zone, one scan of its services (as many as hosts), is that zone's present: judged by
# another clock, a zone that is read late would look dead.
_STATUSES: Final = """
    SELECT services.zone_id, services.host,
           CASE WHEN services.forced_down THEN 'DOWN'
                WHEN services.disabled THEN 'MAINTENANCE'
                WHEN newest.seen - coalesce(services.last_seen_up, services.created_at)
                     <= %(down_seconds)s * interval '1 second' THEN 'UP'
                ELSE 'UNKNOWN'
           END
    FROM unnest(%(zones)s::smallint[], %(hosts)s::text[]) AS wanted (zone_id, host)
    JOIN nova_services AS services USING (zone_id, host)
    JOIN (
        SELECT zone_id, max(coalesce(last_seen_up, created_at)) AS seen
        FROM nova_services
        WHERE zone_id = ANY(%(their_zones)s::smallint[]) AND deleted = 0
        GROUP BY zone_id
    ) AS newest USING (zone_id)
    WHERE services."binary" = 'nova-compute' AND services.deleted = 0
    ORDER BY services.id DESC
"""

_REQUEST_SPECS: Final = """
    SELECT instance_uuid, availability_zone, scheduler_hints
    FROM nova_request_specs
    WHERE instance_uuid = ANY(%s::text[])
"""

# A server is in one group. Should it be in more, the first one is it, whoever may see that.
_GROUPS: Final = """
    SELECT member.instance_uuid, groups.uuid
    FROM (
        SELECT DISTINCT ON (instance_uuid) *
        FROM nova_instance_group_member
        WHERE instance_uuid = ANY(%(uuids)s::text[])
        ORDER BY instance_uuid, zone_id, id
    ) AS member
    JOIN nova_instance_groups AS groups ON groups.zone_id = member.zone_id AND groups.id = member.group_id
    WHERE %(project_id)s::text IS NULL
       OR groups.project_id = %(project_id)s
"""


def availability_zones(
    connection: psycopg.Connection, hosts: Collection[HostKey]
) -> Mapping[HostKey, str | None]:
    """The availability zone of each host by its aggregates; None: it is in none."""
    found = connection.execute(_AVAILABILITY_ZONES, _by_host(hosts)).fetchall()
    return {(zone_id, host): value for zone_id, host, value in found}


def host_statuses(
    connection: psycopg.Connection, hosts: Collection[HostKey], *, down_seconds: int
) -> Mapping[HostKey, str]:
    """UP, DOWN, MAINTENANCE or UNKNOWN per host. down_seconds: how long a service may be silent."""
    parameters = _by_host(hosts) | {"down_seconds": down_seconds}
    found = connection.execute(_STATUSES, parameters).fetchall()
    return {(zone_id, host): status for zone_id, host, status in found}


def request_specs(
    connection: psycopg.Connection, uuids: Sequence[str]
) -> Mapping[str, tuple[str | None, str | None]]:
    """uuid -> the availability zone that was asked for, and the scheduler hints as JSON text."""
    found = connection.execute(_REQUEST_SPECS, (list(uuids),)).fetchall()
    return {uuid: (zone, hints) for uuid, zone, hints in found}


def group_uuids(
    connection: psycopg.Connection, uuids: Sequence[str], *, project_id: str | None
) -> Mapping[str, str]:
    """uuid -> uuid of the server's group, if it is one of the project's (None: whoever's it is)."""
    parameters = {"uuids": list(uuids), "project_id": project_id}
    return dict(connection.execute(_GROUPS, parameters).fetchall())


def _by_host(hosts: Collection[HostKey]) -> dict[str, Any]:  # Any: what psycopg can send
    """The hosts as two arrays side by side, and each of their zones once."""
    zones = [zone_id for zone_id, _ in hosts]
    return {"zones": zones, "hosts": [host for _, host in hosts], "their_zones": sorted(set(zones))}
