# SPDX-License-Identifier: Apache-2.0
"""`GET /flavors`, `/flavors/detail` and `/flavors/{id}`.

Everybody sees public flavors and those given to the own project, administrators all. Nova checks no rule for that.
Facts: Nova 34, api/openstack/compute/flavors.py and schemas/flavors.py.
"""

from typing import Final

import falcon
from psycopg_pool import ConnectionPool

from treetop.api.caller import Caller
from treetop.api.fault import Fault, bad_request, not_found
from treetop.api.flavor_source import FlavorShelf
from treetop.api.flavor_view import FlavorShape
from treetop.api.json_answer import answer_json
from treetop.api.links import links_of
from treetop.api.options import ApiOptions
from treetop.api.parameters import (
    NO_PARAMETERS,
    Kind,
    Parameter,
    Parameters,
    last,
    page_rows,
    parse_flag,
    parse_query,
    query_schema,
    validate,
)
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
        caller: Caller = request.context.caller
        minor: int = request.context.minor
        parameters = validate(parse_query(request.query_string), FLAVOR_QUERY, minor=minor)
        query = _query(parameters, caller, page_rows_max=self._options.page_rows_max)
        with reading(self._pool) as connection:
            view, request.context.zones = self._shelf.view(connection, caller)
            try:
                flavors = list_flavors(connection, view, query)
            except NotFound as error:
                raise bad_request(str(error)) from None
        links = links_of(request, self._options, project_id)
        shape = FlavorShape(
            minor=minor,
            is_detail=self._is_detail,
            has_extra_specs=caller.may(Permission.EXTRA_SPECS_INDEX),
            links=links,
        )
        body: dict[str, object] = {"flavors": [shape.document(flavor) for flavor in flavors]}
        if flavors and len(flavors) == query.limit:
            path = "flavors/detail" if self._is_detail else "flavors"
            body["flavors_links"] = links.next(path, parameters, flavors[-1].id)
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
        caller: Caller = request.context.caller
        minor: int = request.context.minor
        validate(parse_query(request.query_string), NO_PARAMETERS, minor=minor)
        with reading(self._pool) as connection:
            view, request.context.zones = self._shelf.view(connection, caller)
            flavor = read_flavor(connection, view, flavor_id)
        if flavor is None:
            raise no_flavor(flavor_id)
        shape = FlavorShape(
            minor=minor,
            is_detail=True,
            has_extra_specs=caller.may(Permission.EXTRA_SPECS_INDEX),
            links=links_of(request, self._options, project_id),
        )
        answer_json(response, {"flavor": shape.document(flavor)})


def no_flavor(flavor_id: str) -> Fault:
    """The 404 for a flavor that is not there or not for the caller."""
    return not_found(f"Flavor {flavor_id} could not be found.")


def _query(parameters: Parameters, caller: Caller, *, page_rows_max: int) -> FlavorQuery:
    clauses = list(_publicity(parameters, caller))
    for name, column in (("minRam", "memory_mb"), ("minDisk", "root_gb")):
        text = last(parameters, name)
        if text is not None:
            clauses.append(at_least(column, _size(name, text)))
    pattern = last(parameters, "name")
    if pattern is not None:
        clauses.append(matches("name", pattern))
    return FlavorQuery(
        clauses=tuple(clauses),
        sort_key=last(parameters, "sort_key") or "flavorid",
        descending=last(parameters, "sort_dir") == "desc",
        limit=page_rows(parameters, most=page_rows_max),
        marker=last(parameters, "marker"),
    )


def _publicity(parameters: Parameters, caller: Caller) -> tuple[Clause, ...]:
    """Only administrators choose, and they see disabled flavors."""
    if not caller.is_admin:
        return (is_public(also_own=True), ENABLED)
    asked = last(parameters, "is_public")
    if asked is None:
        return (is_public(also_own=True),)
    if asked.lower() == "none":
        return ()
    try:
        wants_public = parse_flag(asked)
    except Fault:
        raise bad_request(f"Invalid is_public filter [{asked}]") from None
    return (is_public(also_own=True) if wants_public else NOT_PUBLIC,)


def _size(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise bad_request(f"Invalid {name} filter [{text}]") from None
