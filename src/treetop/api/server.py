# SPDX-License-Identifier: Apache-2.0
"""`GET /servers/{id}`: one server, from the top alone.

A name or anything else that is no uuid is a 404, as clients rely on; so are deleted servers and those of other
projects, unless an administrator asks.
"""

from collections.abc import Sequence
from typing import Any

import falcon
import psycopg
from psycopg_pool import ConnectionPool

from treetop.api.caller import Caller
from treetop.api.fault import Fault, not_found
from treetop.api.options import ApiOptions
from treetop.api.parameters import NO_PARAMETERS, parse_query, validate
from treetop.api.permission import Permission
from treetop.api.placeholders import PLACEHOLDERS_SINCE, placeholders
from treetop.api.server_documents import documents, page_of
from treetop.api.server_fields import View
from treetop.api.server_page import row_of
from treetop.api.server_view import server_view
from treetop.api.stale_zones import hidden_zones, not_shown
from treetop.store.build_requests import read_build_requests
from treetop.store.freshness import read_zones
from treetop.store.pool import reading
from treetop.store.server_filters import is_uuid
from treetop.store.servers import read_server

_OWNER = ("zone_id", "project_id")


class Server:
    """One server by its uuid."""

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
        """Answer its document. An administrator sees every project's servers, nobody sees deleted ones."""
        caller: Caller = request.context.caller
        minor: int = request.context.minor
        pairs = parse_query(request.query_string)
        validate(pairs, NO_PARAMETERS, minor=minor)
        view = server_view(View.SHOW, minor=minor, caller=caller)
        seen = None if caller.is_admin else caller.project_id
        with reading(self._pool) as connection:
            zones = request.context.zones = read_zones(connection)
            row = _row(connection, server_id, (*_OWNER, *view.columns), seen)
            zone_id, owner = row[:2]
            caller.require(Permission.SERVERS_SHOW, project_id=owner)
            others_view = server_view(View.SHOW, minor=minor, caller=caller, project_id=owner)
            if others_view is not view:  # the policy shows other fields of other projects' servers
                view = others_view
                row = _row(connection, server_id, (*_OWNER, *view.columns), seen)
            page = page_of(request, self._options, project_id, zones)
            shown = documents(connection, view, [row[2:]], page, self._options)
        own = request.context.zones = tuple(zone for zone in zones if zone.zone_id == zone_id)
        hidden = hidden_zones(request, self._options, own)
        if hidden.zones:
            if not hidden.has_placeholders or minor < PLACEHOLDERS_SINCE:
                raise not_shown(own[0])
            shown = placeholders(shown, View.SHOW)
        response.data = f'{{"server":{shown[0]}}}'.encode()
        response.content_type = "application/json"


def _row(
    connection: psycopg.Connection, server_id: str, columns: Sequence[str], project_id: str | None
) -> tuple[Any, ...]:  # Any: what the columns hold
    """The row of a server, or the one that it will be as soon as a cell has it; raises the 404 `Fault`."""
    row = read_server(connection, server_id, columns, project_id=project_id)
    if row is not None:
        return row
    waiting = (
        read_build_requests(connection, project_id=project_id, uuid=server_id) if is_uuid(server_id) else ()
    )
    for asked in waiting:
        return row_of(asked, columns)
    raise no_such_server(server_id)


def no_such_server(server_id: str) -> Fault:
    """The 404 in Nova's words."""
    return not_found(f"Instance {server_id} could not be found.")
