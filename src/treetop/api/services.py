# SPDX-License-Identifier: Apache-2.0
"""`GET /os-services`: the services of all cells that share their hosts.

A service is alive by the clock of its own zone (`store.services`). Facts: Nova 34, api/openstack/compute/services.py.
"""

from typing import Any, Final

import falcon
import orjson
from psycopg_pool import ConnectionPool

from treetop.api.asked import read_request
from treetop.api.json_answer import answer_json
from treetop.api.json_text import stamp
from treetop.api.options import ApiOptions
from treetop.api.parameters import Parameter, query_schema
from treetop.api.permission import Permission
from treetop.api.stale_zones import hidden_zones
from treetop.api.zone_choice import ids, open_cells, region_databases
from treetop.store.freshness import read_zones
from treetop.store.pool import reading
from treetop.store.services import COMPUTE, Service, list_services

#: What answers the API is no service to Nova's lists.
API_BINARIES: Final = ("nova-osapi_compute", "nova-metadata")

_QUERY: Final = query_schema(Parameter(name="host"), Parameter(name="binary"))
_FORCED_DOWN_SINCE: Final = 11
UUID_SINCE: Final = 53
_PLACEHOLDERS_SINCE: Final = 69


class ServiceList:
    """The list, whole."""

    def __init__(self, pool: ConnectionPool, options: ApiOptions) -> None:
        self._pool = pool
        self._options = options

    def on_get(
        self, request: falcon.Request, response: falcon.Response, project_id: str | None = None
    ) -> None:
        """Answer it."""
        asked = read_request(request, _QUERY, Permission.SERVICES_LIST)
        with reading(self._pool) as connection:
            zones = read_zones(connection)
            cells = open_cells(zones)
            # A region's aggregates say in which availability zone a host is.
            request.context.zones = (*region_databases(zones), *cells)
            hidden = hidden_zones(request, self._options, cells)
            services = list_services(
                connection,
                ids(cells),
                host=asked.last("host") or None,
                binary=asked.last("binary") or None,
                hidden=API_BINARIES,
            )
        documents = []
        for service in services:
            if service.zone_id not in hidden.zones:
                documents.append(service_document(service, asked.minor, self._options))
            elif hidden.has_placeholders and service.binary == COMPUTE and asked.minor >= _PLACEHOLDERS_SINCE:
                documents.append({"binary": COMPUTE, "host": service.host, "status": "UNKNOWN"})
        answer_json(response, {"services": documents})


def service_document(service: Service, minor: int, options: ApiOptions) -> dict[str, Any]:  # Any: JSON
    """The document of a service. Pure."""
    document = {
        "binary": service.binary,
        "host": service.host,
        "id": service.uuid if minor >= UUID_SINCE else service.id,
        "zone": service.zone_name(
            default=options.default_availability_zone, internal=options.internal_availability_zone
        ),
        "status": "disabled" if service.is_disabled else "enabled",
        "state": "up" if service.is_up(options.service_down_seconds) else "down",
        "updated_at": orjson.Fragment(stamp(service.updated_at)),
        "disabled_reason": service.disabled_reason,
    }
    if minor >= _FORCED_DOWN_SINCE:
        document["forced_down"] = service.is_forced_down
    return document
