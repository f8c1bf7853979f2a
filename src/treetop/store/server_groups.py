# SPDX-License-Identifier: Apache-2.0
"""Server groups out of the regions' own databases, in Nova's order: by row; with the members that are there.

A member is there while a zone has a live server of its uuid, or while it waits to be given to a cell.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg.rows import class_row

from treetop.model.zone import ZoneId
from treetop.store.server_filters import is_uuid

# A project's groups by index nova_instance_groups_project; all projects' only for administrators.
_READ: Final = """
    SELECT groups.zone_id, groups.id, groups.uuid, groups.name, groups.project_id, groups.user_id,
           policies.policy, policies.rules
    FROM nova_instance_groups AS groups
    LEFT JOIN LATERAL (
        SELECT policy, rules
        FROM nova_instance_group_policy AS policies
        WHERE policies.zone_id = groups.zone_id AND policies.group_id = groups.id
        ORDER BY id
        LIMIT 1
    ) AS policies ON true
    WHERE groups.zone_id = ANY(%(zones)s::smallint[])
      AND (%(project)s::text IS NULL OR groups.project_id = %(project)s)
      AND (%(uuid)s::text IS NULL OR groups.uuid = %(uuid)s)
    ORDER BY array_position(%(zones)s::smallint[], groups.zone_id), groups.id
    LIMIT %(limit)s
    OFFSET %(offset)s
"""
_MEMBERS: Final = """
    SELECT members.zone_id, members.group_id, members.instance_uuid
    FROM unnest(%s::smallint[], %s::bigint[]) AS wanted (zone_id, group_id)
    JOIN nova_instance_group_member AS members USING (zone_id, group_id)
    ORDER BY members.instance_uuid COLLATE "C"
"""
# Index look-ups per member: the primary key in each partition, nova_instance_mappings_instance.
_PRESENT: Final = """
    SELECT uuid::text
    FROM server
    WHERE uuid = ANY(%(uuids)s::uuid[])
      AND NOT deleted
      AND hidden IS NOT TRUE
      AND vm_state IS DISTINCT FROM 'soft-delete'
      AND (%(project)s::text IS NULL OR project_id = %(project)s)
    UNION
    SELECT instance_uuid
    FROM nova_instance_mappings
    WHERE instance_uuid = ANY(%(uuids)s::text[])
      AND cell_id IS NULL
"""
_COUNT: Final = """
    SELECT count(*)
    FROM nova_instance_groups
    WHERE zone_id = ANY(%(zones)s::smallint[])
      AND project_id = %(project)s
      AND (%(user)s::text IS NULL OR user_id = %(user)s)
"""

#: A group's zone and row.
GroupKey = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerGroup:
    """One group. rules: JSON text."""

    zone_id: int
    id: int
    uuid: str
    name: str | None
    project_id: str | None
    user_id: str | None
    policy: str | None
    rules: str | None


def list_server_groups(
    connection: psycopg.Connection,
    zone_ids: Sequence[ZoneId],
    *,
    project_id: str | None,
    limit: int,
    offset: int = 0,
) -> list[ServerGroup]:
    """A project's groups (None: everybody's). zone_ids: the regions' databases."""
    return _read(connection, zone_ids, project=project_id, uuid=None, limit=limit, offset=offset)


def read_server_group(
    connection: psycopg.Connection, zone_ids: Sequence[ZoneId], uuid: str, *, project_id: str | None
) -> ServerGroup | None:
    """The group with this uuid, of a project (None: of any); None if there is none."""
    found = _read(connection, zone_ids, project=project_id, uuid=uuid, limit=1, offset=0)
    return found[0] if found else None


def members_of(
    connection: psycopg.Connection, groups: Iterable[ServerGroup], *, project_id: str | None
) -> Mapping[GroupKey, Sequence[str]]:
    """The uuids of the members that are there, sorted (Nova's order is none); groups without any are not in it.

    project_id: whose servers are shown (None: every project's); of what no cell has yet, Nova shows all.
    """
    keys = [(group.zone_id, group.id) for group in groups]
    wanted = ([zone_id for zone_id, _ in keys], [group_id for _, group_id in keys])
    members = connection.execute(_MEMBERS, wanted).fetchall()
    uuids = [uuid for *_, uuid in members if is_uuid(uuid or "")]
    present = {uuid for (uuid,) in connection.execute(_PRESENT, {"uuids": uuids, "project": project_id})}
    result: defaultdict[GroupKey, list[str]] = defaultdict(list)
    for zone_id, group_id, uuid in members:
        if uuid is not None and uuid.lower() in present:
            result[zone_id, group_id].append(uuid)
    return result


def count_server_groups(
    connection: psycopg.Connection, zone_ids: Sequence[ZoneId], *, project_id: str, user_id: str | None
) -> int:
    """How many groups a project has, or a user in it."""
    parameters = {"zones": list(zone_ids), "project": project_id, "user": user_id}
    found = connection.execute(_COUNT, parameters).fetchone()
    return 0 if found is None else int(found[0])


def _read(
    connection: psycopg.Connection,
    zone_ids: Sequence[ZoneId],
    *,
    project: str | None,
    uuid: str | None,
    limit: int,
    offset: int,
) -> list[ServerGroup]:
    parameters = {"zones": list(zone_ids), "project": project, "uuid": uuid, "limit": limit}
    with connection.cursor(row_factory=class_row(ServerGroup)) as cursor:
        return cursor.execute(_READ, parameters | {"offset": offset}).fetchall()
