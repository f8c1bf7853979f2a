# SPDX-License-Identifier: Apache-2.0
"""`GET /servers/{id}/ips` and `/ips/{label}`: a server's addresses by network, while it builds, too.

Facts: Nova 34, api/openstack/compute/ips.py, views/ips.py.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import falcon
import orjson
from psycopg_pool import ConnectionPool

from treetop.api.asked import read_request
from treetop.api.fault import not_found
from treetop.api.found_server import server_of_path
from treetop.api.json_answer import answer_json
from treetop.api.options import ApiOptions
from treetop.api.permission import Permission
from treetop.store.pool import reading

_Address = Mapping[str, Any]  # Any: as Nova's JSON had it


class ServerIps:
    """The addresses on all networks, or on one."""

    def __init__(self, pool: ConnectionPool, options: ApiOptions) -> None:
        self._pool = pool
        self._options = options

    def on_get(
        self,
        request: falcon.Request,
        response: falcon.Response,
        server_id: str,
        label: str | None = None,
        project_id: str | None = None,
    ) -> None:
        """Answer them. label: the network's, if the path names one."""
        asked = read_request(request)
        with reading(self._pool) as connection:
            server = server_of_path(connection, request, self._options, server_id, ("addresses",))
        permission = Permission.IPS_INDEX if label is None else Permission.IPS_SHOW
        asked.caller.require(permission, project_id=server.project_id)
        networks: Mapping[str, Iterable[_Address]] = orjson.loads(server.columns["addresses"] or "{}")
        if label is None:
            answer_json(response, {"addresses": {name: _shown(found) for name, found in networks.items()}})
        elif label in networks:
            answer_json(response, {label: _shown(networks[label])})
        else:
            raise not_found("Instance is not a member of specified network")


def _shown(addresses: Iterable[_Address]) -> list[dict[str, Any]]:
    return [{"version": address["version"], "addr": address["addr"]} for address in addresses]
