# SPDX-License-Identifier: Apache-2.0
"""`GET /servers/{id}`: one server, from the top alone.

A name or anything else that is no uuid is a 404, as clients rely on; so are deleted servers and those of other
projects, unless an administrator asks.
"""

import falcon
from psycopg_pool import ConnectionPool

from treetop.api.caller import Caller
from treetop.api.found_server import find_server, no_such_server
from treetop.api.options import ApiOptions
from treetop.api.parameters import NO_PARAMETERS, parse_query, validate
from treetop.api.permission import Permission
from treetop.api.placeholders import PLACEHOLDERS_SINCE, placeholders
from treetop.api.server_documents import documents, page_of
from treetop.api.server_fields import View
from treetop.api.server_view import server_view
from treetop.api.stale_zones import hidden_zones, not_shown
from treetop.api.zones_awaited import zones_of_one_server
from treetop.store.freshness import read_zones
from treetop.store.pool import reading


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
        with reading(self._pool) as connection:
            zones = request.context.zones = read_zones(connection)
            server = find_server(connection, server_id, caller, view.columns)
            if server is None:
                raise no_such_server(server_id)
            caller.require(Permission.SERVERS_SHOW, project_id=server.project_id)
            others_view = server_view(View.SHOW, minor=minor, caller=caller, project_id=server.project_id)
            if others_view is not view:  # the policy shows other fields of other projects' servers
                view = others_view
                server = find_server(connection, server_id, caller, view.columns) or server
            row = tuple(server.columns.get(name) for name in view.columns)
            page = page_of(request, self._options, project_id, zones)
            shown = documents(connection, view, [row], page, caller, self._options)
        request.context.zones = zones_of_one_server(zones, [server.zone_id])
        own = [zone for zone in zones if zone.zone_id == server.zone_id]
        hidden = hidden_zones(request, self._options, own)
        if hidden.zones:
            if not hidden.has_placeholders or minor < PLACEHOLDERS_SINCE:
                raise not_shown(own[0])
            shown = placeholders(shown, View.SHOW)
        response.data = f'{{"server":{shown[0]}}}'.encode()
        response.content_type = "application/json"
