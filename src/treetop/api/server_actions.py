# SPDX-License-Identifier: Apache-2.0
"""`GET /servers/{id}/os-instance-actions` and `/os-instance-actions/{request_id}`: what was done to a server.

From 2.21 on of deleted servers, too. Facts: Nova 34, api/openstack/compute/instance_actions.py.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import falcon
import orjson
import psycopg
from psycopg_pool import ConnectionPool

from treetop.api.asked import Asked, read_request
from treetop.api.changes_window import changes_window
from treetop.api.fault import bad_request, not_found
from treetop.api.found_server import FoundServer, server_of_path
from treetop.api.json_answer import answer_json
from treetop.api.json_text import stamp
from treetop.api.links import links_of
from treetop.api.options import ApiOptions
from treetop.api.parameters import NO_PARAMETERS, Kind, Parameter, page_rows, query_schema
from treetop.api.permission import Permission
from treetop.errors import NotFound
from treetop.nova.trust import host_id
from treetop.store.pool import reading
from treetop.store.server_actions import (
    Action,
    ActionEvent,
    ActionQuery,
    list_actions,
    read_action,
    read_events,
)

_DELETED_SINCE: Final = 21
_EVENTS_FOR_ALL_SINCE: Final = 51
_PAGED_SINCE: Final = 58
_HOSTS_SINCE: Final = 62
_DETAILS_SINCE: Final = 84
_LIST: Final = query_schema(
    Parameter(name="limit", kind=Kind.NUMBER, since=_PAGED_SINCE, is_single=True),
    Parameter(name="marker", since=_PAGED_SINCE, is_single=True),
    Parameter(name="changes-since", kind=Kind.TIME, since=_PAGED_SINCE, is_single=True),
    Parameter(name="changes-before", kind=Kind.TIME, since=66, is_single=True),
    strict_since=_PAGED_SINCE,
)
_COLLECTION: Final = "os-instance-actions"


class ServerActionList:
    """The list: whole before 2.58, a page from there on."""

    def __init__(self, pool: ConnectionPool, options: ApiOptions) -> None:
        self._pool = pool
        self._options = options

    def on_get(
        self,
        request: falcon.Request,
        response: falcon.Response,
        server_id: str,
        project_id: str | None = None,
    ) -> None:
        """Answer it."""
        asked = read_request(request, _LIST)
        limit = page_rows(asked.parameters, most=self._options.page_rows_max)
        with reading(self._pool) as connection:
            server = _server(connection, request, self._options, server_id, asked)
            asked.caller.require(Permission.ACTIONS_LIST, project_id=server.project_id)
            actions = _actions(connection, _query(server, asked, limit))
        body: dict[str, Any] = {"instanceActions": [_shown(action, asked.minor) for action in actions]}
        if asked.minor >= _PAGED_SINCE and actions and len(actions) == limit:
            links = links_of(request, self._options, project_id)
            path = f"servers/{server_id}/{_COLLECTION}"
            body["links"] = links.next(path, asked.parameters, actions[-1].request_id or "")
        answer_json(response, body)


class ServerAction:
    """One action by the id of the request that led to it, with its steps."""

    def __init__(self, pool: ConnectionPool, options: ApiOptions) -> None:
        self._pool = pool
        self._options = options

    def on_get(
        self,
        request: falcon.Request,
        response: falcon.Response,
        server_id: str,
        request_id: str,
        project_id: str | None = None,
    ) -> None:
        """Answer its document."""
        asked = read_request(request, NO_PARAMETERS)
        with reading(self._pool) as connection:
            server = _server(connection, request, self._options, server_id, asked)
            asked.caller.require(Permission.ACTIONS_SHOW, project_id=server.project_id)
            action = read_action(
                connection, zone_id=server.zone_id, server_id=server.uuid, request_id=request_id
            )
            if action is None:
                raise not_found(f"Action {request_id} not found")
            events = read_events(connection, zone_id=server.zone_id, action_id=action.id)
        document = _shown(action, asked.minor)
        sees_all = asked.caller.may(Permission.ACTIONS_EVENTS, project_id=server.project_id)
        if sees_all or asked.minor >= _EVENTS_FOR_ALL_SINCE:
            owner = action.project_id or server.project_id
            sees_details = asked.minor >= _DETAILS_SINCE and asked.caller.may(
                Permission.ACTIONS_EVENTS_DETAILS, project_id=server.project_id
            )
            document["events"] = [
                _event(event, asked.minor, owner, sees_all=sees_all, sees_details=sees_details)
                for event in events
            ]
        answer_json(response, {"instanceAction": document})


def _server(
    connection: psycopg.Connection,
    request: falcon.Request,
    options: ApiOptions,
    server_id: str,
    asked: Asked,
) -> FoundServer:
    return server_of_path(connection, request, options, server_id, with_deleted=asked.minor >= _DELETED_SINCE)


def _actions(connection: psycopg.Connection, query: ActionQuery) -> Sequence[Action]:
    try:
        return list_actions(connection, query) if query.limit != 0 else ()
    except NotFound as error:
        raise bad_request(str(error)) from None


def _query(server: FoundServer, asked: Asked, limit: int) -> ActionQuery:
    if asked.minor < _PAGED_SINCE:
        return ActionQuery(zone_id=server.zone_id, server_id=server.uuid)
    since, before = changes_window(asked.parameters)
    return ActionQuery(
        zone_id=server.zone_id,
        server_id=server.uuid,
        since=since,
        before=before,
        limit=limit,
        marker=asked.last("marker") or None,
    )


def _shown(action: Action, minor: int) -> dict[str, Any]:
    document = {
        "action": action.action,
        "instance_uuid": action.server_id,
        "request_id": action.request_id,
        "user_id": action.user_id,
        "project_id": action.project_id,
        "start_time": _time(action.start_time),
        "message": action.message,
    }
    return document | {"updated_at": _time(action.updated_at)} if minor >= _PAGED_SINCE else document


def _event(
    event: ActionEvent, minor: int, project_id: str | None, *, sees_all: bool, sees_details: bool
) -> Mapping[str, Any]:
    document: dict[str, Any] = {
        "event": event.event,
        "start_time": _time(event.start_time),
        "finish_time": _time(event.finish_time),
        "result": event.result,
    }
    if sees_all:
        document["traceback"] = event.traceback
    if minor >= _HOSTS_SINCE:
        document["hostId"] = host_id(project_id, event.host)
        if sees_all:
            document["host"] = event.host
    if sees_details:
        document["details"] = event.details
    return document


def _time(value: str | None) -> orjson.Fragment:
    return orjson.Fragment(stamp(value))
