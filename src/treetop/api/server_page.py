# SPDX-License-Identifier: Apache-2.0
"""The rows of one page of servers: first those that no cell has yet, then the cells' own.

At most four statements: build requests, the marker, and the rows, in two ranges if NULLs divide them. Raises a 400
`Fault` for a marker that is no server, and what `store.servers` raises.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import psycopg

from treetop.api.build_requests import may_be_listed, page_of_build_requests
from treetop.api.caller import Caller
from treetop.api.fault import bad_request
from treetop.api.server_listing import ServerListing
from treetop.api.server_query import server_query
from treetop.api.stale_zones import Hidden
from treetop.errors import NotFound
from treetop.store.build_requests import read_build_requests
from treetop.store.freshness import ZoneView
from treetop.store.patterns import matching_values
from treetop.store.servers import ServerQuery, ServerRow, list_servers, narrowed


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRows:
    """unknown: rows of zones that are hidden, to be shown as placeholders, before the others.

    next_marker: the uuid after which the next page begins; None: there is none.
    """

    rows: Sequence[ServerRow]
    unknown: Sequence[ServerRow] = ()
    next_marker: str | None = None


NO_ROWS: Final = PageRows(rows=())


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """What a page is read with. columns: of `server`, the uuid among them; has_unknown: hidden zones' rows too."""

    listing: ServerListing
    columns: tuple[str, ...]
    caller: Caller
    zones: Sequence[ZoneView]
    hidden: Hidden
    has_unknown: bool


def read_page(connection: psycopg.Connection, request: PageRequest) -> PageRows:
    """The page."""
    listing = request.listing
    early, has_marker = _build_requests(connection, request)
    flavors_of = None if request.caller.is_admin or listing.is_of_all else request.caller.project_id
    query = server_query(
        replace(listing, marker=None) if has_marker else listing,
        request.columns,
        request.zones,
        flavors_of=flavors_of,
    )
    left = listing.limit - len(early)
    rows = _servers(connection, narrowed(query, request.hidden.outside(), rows=left))
    left -= len(rows)
    unknown: Sequence[ServerRow] = ()
    if request.has_unknown and left > 0:
        unknown = list_servers(connection, narrowed(query, request.hidden.inside(), rows=left))
    place = request.columns.index("uuid")
    taken = {row[place] for row in rows}  # a cell may have got it since the build requests were read
    shown = [*(row for row in early if row[place] not in taken), *rows]
    is_full = listing.limit > 0 and left == len(unknown)
    last = [*unknown, *shown][-1:]
    return PageRows(rows=shown, unknown=unknown, next_marker=last[0][place] if last and is_full else None)


def _servers(connection: psycopg.Connection, query: ServerQuery) -> Sequence[ServerRow]:
    try:
        return list_servers(connection, query)
    except NotFound as error:
        raise bad_request(str(error)) from None


def _build_requests(connection: psycopg.Connection, request: PageRequest) -> tuple[Sequence[ServerRow], bool]:
    """Rows of the servers that no cell has yet, and whether the marker is one of them."""
    if not may_be_listed(request.listing):
        return (), False
    found = read_build_requests(connection, project_id=request.listing.filters.get("project_id"))
    seen = [asked for asked in found if asked.zone_id not in request.hidden.zones]
    chosen, has_marker = page_of_build_requests(seen, request.listing, partial(matching_values, connection))
    return [asked.row(request.columns) for asked in chosen], has_marker
