# SPDX-License-Identifier: Apache-2.0
"""`GET /flavors`, `/flavors/detail` and `/flavors/{id}`.

Everybody sees public flavors and those given to the own project, administrators all. Nova checks no rule for that.
Facts: Nova 34, api/openstack/compute/flavors.py and schemas/flavors.py.
"""

from typing import Final

import falcon
from psycopg_pool import ConnectionPool

from treetop.api.asked import Asked, read_request
from treetop.api.fault import Fault, bad_request, not_found
from treetop.api.flavor_source import FlavorShelf
from treetop.api.flavor_view import FlavorShape
from treetop.api.json_answer import answer_json
from treetop.api.links import Links, links_of
from treetop.api.options import ApiOptions
from treetop.api.parameters import Kind, Parameter, page_rows, parse_flag, query_schema
from treetop.api.permission import Permission
from treetop.errors import NotFound
from treetop.store.clause import Clause
from treetop.store.flavors import (
    ENABLED,
    NOT_PUBLIC,
    SORT_KEYS,
    FlavorQuery,
    at_least,
    is_public,
    list_flavors,
    read_flavor,
)
from treetop.store.pool import reading
from treetop.store.server_filters import matches

_FACTOR_UNTIL: Final = 102


def _sort_keys(minor: int) -> list[str]:
    return [key for key in SORT_KEYS if key != "rxtx_factor" or minor < _FACTOR_UNTIL]


FLAVOR_QUERY: Final = query_schema(
    Parameter(name="limit", kind=Kind.NUMBER),
    Parameter(name="marker"),
    Parameter(name="is_public"),
    Parameter(name="minRam"),
    Parameter(name="minDisk"),
    Parameter(name="name", since=102),
    Parameter(name="sort_key", kind=Kind.CHOICE, choices=_sort_keys),
    Parameter(name="sort_dir", kind=Kind.CHOICE, choices=lambda _minor: ["asc", "desc"]),
)


class FlavorList:
    """The list in one of its two views."""

    def __init__(
        self, shelf: FlavorShelf, pool: ConnectionPool, options: ApiOptions, *, is_detail: bool
    ) -> None:
        self._shelf = shelf
        self._pool = pool
        self._options = options
        self._is_detail = is_detail

    def on_get(
        self, request: falcon.Request, response: falcon.Response, project_id: str | None = None
    ) -> None:
        """Answer one page."""
        asked = read_request(request, FLAVOR_QUERY)
        query = _query(asked, page_rows_max=self._options.page_rows_max)
        with reading(self._pool) as connection:
            view, request.context.zones = self._shelf.view(connection, asked)
            try:
                flavors = list_flavors(connection, view, query)
            except NotFound as error:
                raise bad_request(str(error)) from None
        links = links_of(request, self._options, project_id)
        shape = _shape(asked, links, is_detail=self._is_detail)
        body: dict[str, object] = {"flavors": [shape.document(flavor) for flavor in flavors]}
        if flavors and len(flavors) == query.limit:
            path = "flavors/detail" if self._is_detail else "flavors"
            body["flavors_links"] = links.next(path, asked.parameters, flavors[-1].id)
        answer_json(response, body)


class Flavor:
    """One flavor by its id."""

    def __init__(self, shelf: FlavorShelf, pool: ConnectionPool, options: ApiOptions) -> None:
        self._shelf = shelf
        self._pool = pool
        self._options = options

    def on_get(
        self,
        request: falcon.Request,
        response: falcon.Response,
        flavor_id: str,
        project_id: str | None = None,
    ) -> None:
        """Answer its document."""
        asked = read_request(request)
        with reading(self._pool) as connection:
            view, request.context.zones = self._shelf.view(connection, asked)
            flavor = read_flavor(connection, view, flavor_id)
        if flavor is None:
            raise no_flavor(flavor_id)
        shape = _shape(asked, links_of(request, self._options, project_id), is_detail=True)
        answer_json(response, {"flavor": shape.document(flavor)})


def no_flavor(flavor_id: str) -> Fault:
    """The 404 for a flavor that is not there or not for the caller."""
    return not_found(f"Flavor {flavor_id} could not be found.")


def _shape(asked: Asked, links: Links, *, is_detail: bool) -> FlavorShape:
    has_extra_specs = asked.caller.may(Permission.EXTRA_SPECS_INDEX)
    return FlavorShape(minor=asked.minor, is_detail=is_detail, has_extra_specs=has_extra_specs, links=links)


def _query(asked: Asked, *, page_rows_max: int) -> FlavorQuery:
    clauses = list(_publicity(asked))
    for name, column in (("minRam", "memory_mb"), ("minDisk", "root_gb")):
        text = asked.last(name)
        if text is not None:
            clauses.append(at_least(column, _size(name, text)))
    pattern = asked.last("name")
    if pattern is not None:
        clauses.append(matches("name", pattern))
    return FlavorQuery(
        clauses=tuple(clauses),
        sort_key=asked.last("sort_key") or "flavorid",
        descending=asked.last("sort_dir") == "desc",
        limit=page_rows(asked.parameters, most=page_rows_max),
        marker=asked.last("marker"),
    )


def _publicity(asked: Asked) -> tuple[Clause, ...]:
    """Only administrators choose, and they see disabled flavors."""
    if not asked.caller.is_admin:
        return (is_public(also_own=True), ENABLED)
    wanted = asked.last("is_public")
    if wanted is None:
        return (is_public(also_own=True),)
    if wanted.lower() == "none":
        return ()
    try:
        wants_public = parse_flag(wanted)
    except Fault:
        raise bad_request(f"Invalid is_public filter [{wanted}]") from None
    return (is_public(also_own=True) if wants_public else NOT_PUBLIC,)


def _size(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise bad_request(f"Invalid {name} filter [{text}]") from None
