# SPDX-License-Identifier: Apache-2.0
"""What older microversions have about hypervisors beside their lists: statistics, search, servers, uptime.

`GET /os-hypervisors/statistics`, `/os-hypervisors/{part of a name}/search` and `…/servers`,
`/os-hypervisors/{id}/uptime`.
Facts: Nova 34, api/openstack/compute/hypervisors.py.
"""

from typing import Final

import falcon
from psycopg_pool import ConnectionPool

from treetop.api.asked import Asked, read_request
from treetop.api.fault import bad_request, no_resource, not_found
from treetop.api.hypervisor_view import UPTIME_SINCE, UUID_SINCE, HypervisorShape, uptime
from treetop.api.hypervisors import require_hypervisor
from treetop.api.json_answer import answer_json
from treetop.api.options import ApiOptions
from treetop.api.parameters import NO_PARAMETERS
from treetop.api.permission import Permission
from treetop.api.stale_zones import shown_zones
from treetop.api.zone_choice import ids, open_cells
from treetop.errors import NotFound
from treetop.store.freshness import read_zones
from treetop.store.hypervisors import find_hypervisors, servers_of, sum_hypervisors
from treetop.store.pool import reading

_SEARCHED_UNTIL: Final = UUID_SINCE
_EXTRAS_UNTIL: Final = UPTIME_SINCE


class HypervisorStatistics:
    """The sums over all hypervisors."""

    def __init__(self, pool: ConnectionPool, options: ApiOptions) -> None:
        self._pool = pool
        self._options = options

    def on_get(
        self, request: falcon.Request, response: falcon.Response, project_id: str | None = None
    ) -> None:
        """Answer them."""
        _read(request, Permission.HYPERVISORS_STATISTICS, until=_EXTRAS_UNTIL)
        with reading(self._pool) as connection:
            zones = request.context.zones = open_cells(read_zones(connection))
            sums = sum_hypervisors(connection, ids(shown_zones(request, self._options, zones)))
        answer_json(response, {"hypervisor_statistics": sums})


class HypervisorSearch:
    """The hypervisors whose names have a text in them, with their servers or without."""

    def __init__(self, pool: ConnectionPool, options: ApiOptions, *, has_servers: bool) -> None:
        self._pool = pool
        self._options = options
        self._has_servers = has_servers

    def on_get(
        self,
        request: falcon.Request,
        response: falcon.Response,
        hypervisor_id: str,
        project_id: str | None = None,
    ) -> None:
        """Answer them."""
        permission = Permission.HYPERVISORS_SERVERS if self._has_servers else Permission.HYPERVISORS_SEARCH
        asked = _read(request, permission, until=_SEARCHED_UNTIL)
        with reading(self._pool) as connection:
            zones = request.context.zones = open_cells(read_zones(connection))
            try:
                shown = shown_zones(request, self._options, zones)
                found = find_hypervisors(connection, ids(shown), hypervisor_id)
            except NotFound as error:
                raise not_found(str(error)) from None
            servers = servers_of(connection, found) if self._has_servers else None
        shape = HypervisorShape(minor=asked.minor, options=self._options, servers=servers)
        answer_json(response, {"hypervisors": [shape.document(hypervisor) for hypervisor in found]})


class HypervisorUptime:
    """How long a host has been up, as it last reported."""

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
        """Answer it; null if the host does not report it."""
        asked = _read(request, Permission.HYPERVISORS_UPTIME, until=_EXTRAS_UNTIL)
        with reading(self._pool) as connection:
            zones = request.context.zones = open_cells(read_zones(connection))
            found = require_hypervisor(connection, zones, hypervisor_id, asked.minor)
        if not found.is_up(self._options.service_down_seconds):
            raise bad_request(f"Compute service of {found.host} is unavailable at this time.")
        document = HypervisorShape(minor=asked.minor, options=self._options).document(found)
        answer_json(response, {"hypervisor": document | {"uptime": uptime(found)}})


def _read(request: falcon.Request, permission: Permission, *, until: int) -> Asked:
    if request.context.minor >= until:
        raise no_resource()
    return read_request(request, NO_PARAMETERS, permission)
