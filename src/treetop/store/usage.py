# SPDX-License-Identifier: Apache-2.0
"""Servers that ran within a window of time, deleted ones too, in Nova's order: by cell, project, uuid.

A zone is asked only while the page is not full. Raises `NotFound` for a marker that is no server.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from treetop.errors import NotFound
from treetop.model.zone import ZoneId

_ZONES: Final = "SELECT zone_id FROM cell_place WHERE zone_id = ANY(%s::smallint[]) ORDER BY place"

# A page of one partition's index server_owner: a project's servers, or everybody's from the marker on.
_READ: Final = """
    SELECT uuid::text, project_id, display_name, vm_state, launched_at, terminated_at, flavor_name, flavor,
           memory_mb, vcpus, root_gb, ephemeral_gb
    FROM server
    WHERE zone_id = %(zone)s
      AND (terminated_at IS NULL OR terminated_at > %(begin)s::timestamp)
      AND launched_at < %(end)s::timestamp
"""
_OF_PROJECT: Final = "AND project_id = %(project)s\n"
_AFTER_MARKER: Final = "AND (project_id, uuid) > (%(marker_project)s, %(marker)s::uuid)\n"
_IN_ORDER: Final = "ORDER BY project_id, uuid LIMIT %(limit)s"
_MARKER: Final = """
    SELECT server.zone_id, server.project_id
    FROM server
    JOIN cell_place USING (zone_id)
    WHERE uuid = %s
    ORDER BY place
    LIMIT 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedServer:
    """What a server used. launched_at, terminated_at: text, of UTC; flavor: JSON text as of microversion 2.47."""

    uuid: str
    project_id: str | None
    display_name: str | None
    vm_state: str | None
    launched_at: str
    terminated_at: str | None
    flavor_name: str | None
    flavor: str | None
    memory_mb: int | None
    vcpus: int | None
    root_gb: int | None
    ephemeral_gb: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageQuery:
    """A page that is asked for. begin, end: aware. project_id None: everybody's.

    marker: the uuid of the last server of the page before, any project's.
    """

    begin: datetime
    end: datetime
    project_id: str | None
    limit: int
    marker: str | None = None


def list_used_servers(
    connection: psycopg.Connection, zone_ids: Sequence[ZoneId], query: UsageQuery
) -> list[UsedServer]:
    """At most `query.limit` servers of these zones."""
    zones = [zone_id for (zone_id,) in connection.execute(_ZONES, (list(zone_ids),))]
    statement, parameters = _READ, {"begin": query.begin, "end": query.end}
    if query.project_id is not None:
        statement += _OF_PROJECT
    after = None if query.marker is None else _marker(connection, query.marker)
    if after is not None:
        zones = zones[zones.index(after[0]) :] if after[0] in zones else []
    found: list[UsedServer] = []
    with connection.cursor(row_factory=class_row(UsedServer)) as cursor:
        for zone_id in zones:
            if len(found) == query.limit:
                break
            is_first = after is not None and zone_id == after[0]
            values = parameters | {
                "zone": zone_id,
                "project": query.project_id,
                "limit": query.limit - len(found),
                "marker": query.marker,
                "marker_project": after[1] if after else None,
            }
            text = statement + (_AFTER_MARKER if is_first else "") + _IN_ORDER
            found.extend(cursor.execute(text, values).fetchall())
    return found


def _marker(connection: psycopg.Connection, uuid: str) -> tuple[int, str]:
    row = None
    with suppress(ValueError):
        row = connection.execute(_MARKER, (UUID(uuid),)).fetchone()
    if row is None:
        raise NotFound(f"Marker {uuid} could not be found.")
    zone_id, project_id = row
    return zone_id, project_id
