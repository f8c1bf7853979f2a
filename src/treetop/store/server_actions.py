# SPDX-License-Identifier: Apache-2.0
"""What was done to a server: Nova's actions, the newest first, and the steps (events) of one.

Raises `NotFound` for a marker that is no action of the server.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import psycopg
from psycopg.rows import class_row

from treetop.errors import NotFound

# One server's actions (tens) by index nova_instance_actions_instance. In the zone that has the server: another one's
# are of before it was moved there.
_ACTIONS: Final = """
    SELECT id, action, instance_uuid AS server_id, request_id, user_id, project_id, start_time, message, updated_at
    FROM nova_instance_actions
    WHERE zone_id = %(zone_id)s
      AND instance_uuid = %(server_id)s
      AND deleted = 0
      AND (%(request_id)s::text IS NULL OR request_id = %(request_id)s)
      AND (%(since)s::timestamp IS NULL OR updated_at >= %(since)s)
      AND (%(before)s::timestamp IS NULL OR updated_at <= %(before)s)
      AND (%(marker)s::bigint IS NULL OR (created_at, id) < (
          SELECT created_at, id FROM nova_instance_actions WHERE zone_id = %(zone_id)s AND id = %(marker)s))
    ORDER BY created_at DESC NULLS LAST, id DESC
    LIMIT %(limit)s
"""
_EVENTS: Final = """
    SELECT event, start_time, finish_time, result, traceback, host, details
    FROM nova_instance_actions_events
    WHERE zone_id = %s
      AND action_id = %s
      AND deleted = 0
    ORDER BY created_at DESC NULLS LAST, id DESC
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """id: in its zone. Times as `store.pool` gives them."""

    id: int
    action: str | None
    server_id: str
    request_id: str | None
    user_id: str | None
    project_id: str | None
    start_time: str | None
    message: str | None
    updated_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionEvent:
    """host, traceback, details: None where the zone keeps its hosts to itself."""

    event: str | None
    start_time: str | None
    finish_time: str | None
    result: str | None
    traceback: str | None
    host: str | None
    details: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionQuery:
    """since, before: naive UTC. limit: None: all. marker: the request id of the last one of the page before."""

    zone_id: int
    server_id: str
    since: datetime | None = None
    before: datetime | None = None
    limit: int | None = None
    marker: str | None = None


def list_actions(connection: psycopg.Connection, query: ActionQuery) -> Sequence[Action]:
    """At most `limit` actions."""
    marker = None
    if query.marker is not None:
        found = _read(connection, ActionQuery(zone_id=query.zone_id, server_id=query.server_id), query.marker)
        if not found:
            raise NotFound(f"Marker {query.marker} could not be found.")
        marker = found[0].id
    return _read(connection, query, None, marker)


def read_action(
    connection: psycopg.Connection, *, zone_id: int, server_id: str, request_id: str
) -> Action | None:
    """The newest action that a request led to."""
    found = _read(connection, ActionQuery(zone_id=zone_id, server_id=server_id, limit=1), request_id)
    return found[0] if found else None


def read_events(connection: psycopg.Connection, *, zone_id: int, action_id: int) -> Sequence[ActionEvent]:
    """The steps of an action."""
    with connection.cursor(row_factory=class_row(ActionEvent)) as cursor:
        return cursor.execute(_EVENTS, (zone_id, action_id)).fetchall()


def _read(
    connection: psycopg.Connection, query: ActionQuery, request_id: str | None, marker: int | None = None
) -> Sequence[Action]:
    parameters = {
        "zone_id": query.zone_id,
        "server_id": query.server_id,
        "request_id": request_id,
        "since": query.since,
        "before": query.before,
        "marker": marker,
        "limit": query.limit,
    }
    with connection.cursor(row_factory=class_row(Action)) as cursor:
        return cursor.execute(_ACTIONS, parameters).fetchall()
