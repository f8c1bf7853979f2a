# SPDX-License-Identifier: Apache-2.0
"""`GET /servers` and `/servers/detail`: Nova's list of servers, over all zones, from the top alone.

One page is a few statements: freshness, the rows (`server_page`), and one for each thing that other tables say about
them. Raises what `server_listing` and `server_page` raise; `faults` turns it into Nova's answers.
"""

from collections.abc import Iterable

import falcon
import orjson
from psycopg_pool import ConnectionPool

from treetop.api.caller import Caller
from treetop.api.links import links_of
from treetop.api.options import ApiOptions
from treetop.api.parameters import parse_query
from treetop.api.placeholders import may_list_placeholders, placeholders
from treetop.api.server_documents import documents, page_of
from treetop.api.server_fields import View
from treetop.api.server_listing import ListRequest, server_listing
from treetop.api.server_page import NO_ROWS, PageRequest, read_page
from treetop.api.server_view import server_view
from treetop.api.stale_zones import hidden_zones
from treetop.store.freshness import read_zones
from treetop.store.pool import reading

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
        asked = ListRequest(
            minor=minor,
            caller=caller,
            is_detail=self._view is View.DETAIL,
            page_rows_max=self._options.page_rows_max,
        )
        listing = server_listing(pairs, asked)
        view = server_view(self._view, minor=minor, caller=caller)
        with reading(self._pool) as connection:
            zones = request.context.zones = read_zones(connection)
            hidden = hidden_zones(request, self._options, zones)
            page = page_of(request, self._options, project_id, zones)
            read = NO_ROWS
            if listing is not None:
                has_unknown = hidden.has_placeholders and may_list_placeholders(
                    pairs, minor=minor, caller=caller
                )
                read = read_page(
                    connection,
                    PageRequest(
                        listing=listing,
                        columns=view.columns,
                        caller=caller,
                        zones=zones,
                        hidden=hidden,
                        has_unknown=has_unknown,
                    ),
                )
            shown = documents(connection, view, read.rows, page, caller, self._options)
            stale = documents(connection, view, read.unknown, page, caller, self._options)
        links: object = None
        if listing is not None and read.next_marker is not None:
            path = "servers/detail" if self._view is View.DETAIL else "servers"
            links = links_of(request, self._options, project_id).next(path, listing.sent, read.next_marker)
        response.data = _body([*placeholders(stale, self._view), *shown], links)
        response.content_type = _JSON


def _body(shown: Iterable[str], links: object) -> bytes:
    """The whole answer. links: as orjson takes them, or None.

    Each document is encoded by itself and copied once: a page is megabytes, and as one text it would be copied four
    times, in two bytes a character as soon as a single one is not ASCII.
    """
    documents = [document.encode() for document in shown] or [b""]
    documents[0] = b'{"servers":[' + documents[0]
    documents[-1] += b"]}" if links is None else b'],"servers_links":' + orjson.dumps(links) + b"}"
    return b",".join(documents)
