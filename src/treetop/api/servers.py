# SPDX-License-Identifier: Apache-2.0
"""`GET /servers`, `/servers/detail` and `/servers/{id}`: Nova's list of servers, over all zones, from the top
alone.

One page is at most three statements: freshness, the marker, the rows. Raises what `server_listing` and
`store.servers` raise; `faults` turns it into Nova's answers.
"""

import falcon
import orjson
from psycopg_pool import ConnectionPool

from treetop.api.caller import Caller
from treetop.api.fault import bad_request, not_found
from treetop.api.links import base_url, next_page
from treetop.api.options import ApiOptions
from treetop.api.parameters import parse_query
from treetop.api.placeholders import PLACEHOLDERS_SINCE, may_list_placeholders, placeholders
from treetop.api.server_fields import View
from treetop.api.server_listing import ListRequest, server_query
from treetop.api.server_view import Page, server_view
from treetop.api.stale_zones import hidden_zones, not_shown
from treetop.errors import NotFound
from treetop.model.zone import Trust
from treetop.store.freshness import ZoneView, read_zones
from treetop.store.pool import reading
from treetop.store.servers import ServerRow, list_servers, narrowed, read_server

_JSON = "application/json"


class ServerList:
    """The list in one of its two views."""

    def __init__(self, pool: ConnectionPool, options: ApiOptions, view: View) -> None:
        self._pool = pool
        self._options = options
        self._view = view

    def on_get(
        self, request: falcon.Request, response: falcon.Response, project_id: str | None = None
    ) -> None:
        """Answer one page."""
        minor: int = request.context.minor
        caller: Caller = request.context.caller
        pairs = parse_query(request.query_string)
        view = server_view(self._view, minor=minor, caller=caller)
        with reading(self._pool) as connection:
            zones = request.context.zones = read_zones(connection)
            hidden = hidden_zones(request, self._options, zones)
            query = server_query(
                pairs,
                ListRequest(
                    minor=minor,
                    caller=caller,
                    is_detail=self._view is View.DETAIL,
                    page_rows_max=self._options.page_rows_max,
                    columns=("uuid", *view.columns),
                    zones=zones,
                ),
            )
            try:
                rows = list_servers(connection, narrowed(query, hidden.outside()))
            except NotFound as error:
                raise bad_request(str(error)) from None
            unknown: list[ServerRow] = []
            if hidden.has_placeholders and may_list_placeholders(pairs, minor=minor, caller=caller):
                left = narrowed(query, hidden.inside(), rows=query.limit - len(rows))
                unknown = list_servers(connection, left)
        page = _page(request, self._options, project_id, zones)
        documents = placeholders(view.render([row[1:] for row in unknown], page), self._view)
        body = [",".join([*documents, *view.render([row[1:] for row in rows], page)])]
        rows = unknown + rows
        if rows and len(rows) == query.limit:
            suffix = "/detail" if self._view is View.DETAIL else ""
            url = f"{page.base_url}/v2.1{_prefix(project_id)}/servers{suffix}"
            link = {"rel": "next", "href": next_page(url, pairs, rows[-1][0])}
            body.append(f'],"servers_links":[{orjson.dumps(link).decode()}')
        response.data = f'{{"servers":[{"".join(body)}]}}'.encode()
        response.content_type = _JSON


class Server:
    """One server by its uuid; a name or anything else is not found, as clients rely on."""

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
        view = server_view(View.SHOW, minor=request.context.minor, caller=caller)
        with reading(self._pool) as connection:
            zones = request.context.zones = read_zones(connection)
            row = read_server(
                connection,
                server_id,
                ("zone_id", *view.columns),
                project_id=None if caller.is_admin else caller.project_id,
            )
        if row is None:
            raise not_found(f"Instance {server_id} could not be found.")
        own = request.context.zones = tuple(zone for zone in zones if zone.zone_id == row[0])
        page = _page(request, self._options, project_id, zones)
        documents = view.render([row[1:]], page)
        hidden = hidden_zones(request, self._options, own)
        if hidden.zones:
            if not hidden.has_placeholders or request.context.minor < PLACEHOLDERS_SINCE:
                raise not_shown(own[0])
            documents = placeholders(documents, View.SHOW)
        response.data = f'{{"server":{documents[0]}}}'.encode()
        response.content_type = _JSON


def _page(
    request: falcon.Request, options: ApiOptions, project_id: str | None, zones: tuple[ZoneView, ...]
) -> Page:
    return Page(
        base_url=base_url(request, options),
        project_id=project_id,
        open_zones=frozenset(zone.zone_id for zone in zones if zone.trust is Trust.FULL),
    )


def _prefix(project_id: str | None) -> str:
    return "" if project_id is None else f"/{project_id}"
