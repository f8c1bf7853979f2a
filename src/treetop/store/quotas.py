# SPDX-License-Identifier: Apache-2.0
"""What a project may use and what it uses: quotas out of the regions' own databases, counts out of the servers.

Where two regions have a quota for the same resource, the first one's is it; what is used is counted over all.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import psycopg

from treetop.model.zone import ZoneId

# Tens of rows, by indexes on the project; the class is a few rows in all.
_OF_PROJECT: Final = """
    SELECT resource, hard_limit
    FROM nova_quotas
    WHERE zone_id = ANY(%(zones)s::smallint[])
      AND project_id = %(project)s
    ORDER BY array_position(%(zones)s::smallint[], zone_id) DESC
"""
_OF_USER: Final = """
    SELECT resource, hard_limit
    FROM nova_project_user_quotas
    WHERE zone_id = ANY(%(zones)s::smallint[])
      AND project_id = %(project)s
      AND user_id = %(user)s
    ORDER BY array_position(%(zones)s::smallint[], zone_id) DESC
"""
_OF_EVERYBODY: Final = """
    SELECT resource, hard_limit
    FROM nova_quota_classes
    WHERE zone_id = ANY(%(zones)s::smallint[])
      AND class_name = 'default'
    ORDER BY array_position(%(zones)s::smallint[], zone_id) DESC
"""

# A project's live servers, by index server_project.
_USED: Final = """
    SELECT count(*), coalesce(sum(vcpus), 0)::bigint, coalesce(sum(memory_mb), 0)::bigint
    FROM server
    WHERE NOT deleted
      AND project_id = %(project)s
      AND (%(user)s::text IS NULL OR user_id = %(user)s)
      AND hidden IS NOT TRUE
      AND vm_state IS DISTINCT FROM 'soft-delete'
"""

#: Resource -> most of it; -1: no limit.
Limits = Mapping[str, int]


def read_default_limits(connection: psycopg.Connection, zone_ids: Sequence[ZoneId]) -> Limits:
    """What the regions give to everybody, as far as it differs from Nova's own defaults."""
    return dict(connection.execute(_OF_EVERYBODY, {"zones": list(zone_ids)}).fetchall())


def read_limits(
    connection: psycopg.Connection, zone_ids: Sequence[ZoneId], project_id: str, *, user_id: str | None = None
) -> Limits:
    """What was set for a project, or for a user in it where it was."""
    parameters = {"zones": list(zone_ids), "project": project_id, "user": user_id}
    limits: dict[str, int] = dict(connection.execute(_OF_PROJECT, parameters).fetchall())
    if user_id is not None:
        limits |= dict(connection.execute(_OF_USER, parameters).fetchall())
    return limits


def count_used(
    connection: psycopg.Connection, project_id: str, *, user_id: str | None = None
) -> Mapping[str, int]:
    """How many servers a project (or a user in it) has, and their cores and MB of memory."""
    found = connection.execute(_USED, {"project": project_id, "user": user_id}).fetchone()
    return dict(zip(("instances", "cores", "ram"), found or (0, 0, 0), strict=True))
