# SPDX-License-Identifier: Apache-2.0
"""`GET /os-hypervisors`, `/os-hypervisors/detail` and `/os-hypervisors/{id}`: nodes of cells that share their hosts.

Facts: Nova 34, api/openstack/compute/hypervisors.py and schemas/hypervisors.py.
"""

from typing import Final

import falcon
import psycopg
from psycopg_pool import ConnectionPool

from treetop.api.asked import Asked, read_request
from treetop.api.fault import Fault, bad_request, not_found
from treetop.api.hypervisor_view import UUID_SINCE, HypervisorShape
from treetop.api.json_answer import answer_json
from treetop.api.links import links_of
from treetop.api.options import ApiOptions
from treetop.api.parameters import (
    BOOLEAN_CHOICES,
    NO_PARAMETERS,
    Kind,
    Parameter,
    QuerySchema,
    is_truthy,
    is_uuid,
    page_rows,
    query_schema,
)
from treetop.api.permission import Permission
from treetop.api.stale_zones import shown_zones
from treetop.api.zone_choice import Zones, ids, open_cells
from treetop.errors import NotFound
from treetop.store.freshness import read_zones
from treetop.store.hypervisors import (
    Hypervisor,
    find_hypervisors,
    list_hypervisors,
    read_hypervisor,
    servers_of,
)
from treetop.store.pool import reading

_PAGED_SINCE: Final = 33
_WITH_SERVERS: Final = Parameter(
    name="with_servers", kind=Kind.CHOICE, choices=lambda _minor: BOOLEAN_CHOICES, is_single=True
)
_PAGES: Final = query_schema(
    Parameter(name="limit", kind=Kind.NUMBER, since=_PAGED_SINCE),
    Parameter(name="marker", since=_PAGED_SINCE),
)
_ALL: Final = query_schema(
    Parameter(name="limit", kind=Kind.NUMBER, is_single=True),
    Parameter(name="marker", is_single=True),
    Parameter(name="hypervisor_hostname_pattern", kind=Kind.HOST_NAME, is_single=True),
    _WITH_SERVERS,
    strict_since=UUID_SINCE,
)
_ONE: Final = query_schema(_WITH_SERVERS, strict_since=UUID_SINCE)


class HypervisorList:
    """The list in one of its two views."""

    def __init__(self, pool: ConnectionPool, options: ApiOptions, *, is_detail: bool) -> None:
        self._pool = pool
        self._options = options
        self._is_detail = is_detail

    def on_get(
        self, request: falcon.Request, response: falcon.Response, project_id: str | None = None
    ) -> None:
        """Answer one page, or all that match a name; all there are before 2.33."""
        permission = Permission.HYPERVISORS_LIST_DETAIL if self._is_detail else Permission.HYPERVISORS_LIST
        asked = read_request(request, _list_schema(request.context.minor), permission)
        is_paged = asked.minor >= _PAGED_SINCE
        limit = page_rows(asked.parameters, most=self._options.page_rows_max) if is_paged else None
        with reading(self._pool) as connection:
            zones = request.context.zones = open_cells(read_zones(connection))
            found = _find(connection, shown_zones(request, self._options, zones), asked, limit)
            servers = servers_of(connection, found) if _wants_servers(asked) else None
        shape = HypervisorShape(
            minor=asked.minor, options=self._options, is_detail=self._is_detail, servers=servers
        )
        documents = [shape.document(hypervisor) for hypervisor in found]
        body: dict[str, object] = {"hypervisors": documents}
        is_named = asked.last("hypervisor_hostname_pattern") is not None
        if documents and len(documents) == limit and not is_named:
            path = "os-hypervisors/detail" if self._is_detail else "os-hypervisors"
            links = links_of(request, self._options, project_id)
            body["hypervisors_links"] = links.next(path, asked.parameters, str(documents[-1]["id"]))
        answer_json(response, body)


class OneHypervisor:
    """One hypervisor by its uuid, or its number in older microversions."""

    def __init__(self, pool: ConnectionPool, options: ApiOptions) -> None:
        self._pool = pool
        self._options = options

    def on_get(
        self,
        request: falcon.Request,
        response: falcon.Response,
        hypervisor_id: str,
        project_id: str | None = None,
    ) -> None:
        """Answer its document."""
        schema = _ONE if request.context.minor >= UUID_SINCE else NO_PARAMETERS
        asked = read_request(request, schema, Permission.HYPERVISORS_SHOW)
        with reading(self._pool) as connection:
            zones = read_zones(connection)
            found = require_hypervisor(connection, open_cells(zones), hypervisor_id, asked.minor)
            request.context.zones = tuple(zone for zone in zones if zone.zone_id == found.zone_id)
            servers = servers_of(connection, [found]) if _wants_servers(asked) else None
        shape = HypervisorShape(minor=asked.minor, options=self._options, is_detail=True, servers=servers)
        answer_json(response, {"hypervisor": shape.document(found)})


def require_hypervisor(
    connection: psycopg.Connection, zones: Zones, hypervisor_id: str, minor: int
) -> Hypervisor:
    """The hypervisor that a path names. Raises Nova's 400 or 404 `Fault`."""
    found = None
    if minor >= UUID_SINCE:
        if not is_uuid(hypervisor_id):
            raise bad_request(f"Invalid uuid {hypervisor_id}")
        found = read_hypervisor(connection, ids(zones), uuid=hypervisor_id)
    else:
        try:
            found = read_hypervisor(connection, ids(zones), row_id=int(hypervisor_id))
        except ValueError:
            raise _unknown(hypervisor_id) from None
    if found is None:
        raise _unknown(hypervisor_id)
    return found


def _list_schema(minor: int) -> QuerySchema:
    return _ALL if minor >= UUID_SINCE else _PAGES


def _find(connection: psycopg.Connection, zones: Zones, asked: Asked, limit: int | None) -> list[Hypervisor]:
    name_part, marker = asked.last("hypervisor_hostname_pattern"), asked.last("marker")
    if name_part is not None:
        if asked.last("limit") is not None or marker:
            raise bad_request(
                "Paging over hypervisors with the hypervisor_hostname_pattern query parameter is not supported."
            )
        try:
            return find_hypervisors(connection, ids(zones), name_part)
        except NotFound as error:
            raise not_found(str(error)) from None
    try:
        return list_hypervisors(connection, ids(zones), limit=limit, marker=marker)
    except NotFound as error:
        raise bad_request(str(error)) from None


def _wants_servers(asked: Asked) -> bool:
    return is_truthy(asked.last("with_servers") or "")


def _unknown(hypervisor_id: str) -> Fault:
    return not_found(f"Hypervisor with ID '{hypervisor_id}' could not be found.")
