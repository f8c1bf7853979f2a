# SPDX-License-Identifier: Apache-2.0
"""In front of Nova: what is not answered here goes to the nova-api of its region, and Nova's answer comes back.

That is every request below `/v2.1` without a resource or with a method that its resource lacks; and, by option, a
read that demands fresher zones than there are. The caller is not judged here: with Keystone an invalid token was
refused around this API, everything else Nova judges. The region is the server's that the path names, as the top knows
it, else the one that the header names, else the only one; see `nova_endpoints`.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import falcon
from psycopg_pool import ConnectionPool

from treetop.api.fault import Fault
from treetop.api.faults import answer_not_routed
from treetop.api.forwarded_headers import MOST_HOPS, hops
from treetop.api.forwarder import Forwarded
from treetop.api.links import base_url
from treetop.api.not_held import WRITING
from treetop.api.nova_endpoints import REGION_HEADER, NovaEndpoint
from treetop.api.options import ApiOptions
from treetop.api.own_writes import OwnWrites
from treetop.api.proxy import Proxy
from treetop.api.raw_target import raw_target
from treetop.errors import StoreUnavailable
from treetop.model.zone import ZoneId
from treetop.store.freshness import ZoneView, read_zones
from treetop.store.pool import reading
from treetop.store.server_zones import zones_of_server

_LOOP: Final = 508
_SERVER: Final = re.compile(r"/v2\.1(?:/[0-9a-f-]+)?/servers/([^/]+)(?:/.*)?")


class PassThrough:
    """Middleware for methods that a resource lacks, and a sink for paths without one."""

    def __init__(
        self, pool: ConnectionPool, proxy: Proxy, own_writes: OwnWrites, options: ApiOptions
    ) -> None:
        self._pool = pool
        self._endpoints = proxy.endpoints
        self._forwarder = proxy.forwarder
        self._own_writes = own_writes
        self._options = options

    def process_resource(
        self, request: falcon.Request, response: falcon.Response, resource: object, _params: Mapping[str, Any]
    ) -> None:
        """Pass the request on if the resource has no such method."""
        is_here = request.method == "OPTIONS" or hasattr(resource, f"on_{request.method.lower()}")
        if not is_here and request.path.startswith("/v2.1"):
            self.answer(request, response)

    def sink(self, req: falcon.Request, resp: falcon.Response, **_kwargs: Any) -> None:  # Any: Falcon's
        """Pass on what no resource answers."""
        self.answer(req, resp)

    def answer(self, request: falcon.Request, response: falcon.Response) -> None:
        """Give the answer of the region's Nova. Raises `Fault`."""
        target = raw_target(request.env)
        if target is None:
            answer_not_routed(response)
            response.complete = True
            return
        if hops(request.env) >= MOST_HOPS:
            raise Fault(_LOOP, "[proxy] nova_endpoint leads back to this API instead of to a nova-api.")
        endpoint = self._endpoint(request)
        forwarded = self._forwarder.forward(
            request, endpoint, target, public_url=base_url(request, self._options)
        )
        if forwarded.is_success and request.method in WRITING:
            self._own_writes.note(request, lambda: self._zones_about(request, endpoint))
        _hand_back(forwarded, response)

    def answers_instead(self, request: falcon.Request, response: falcon.Response) -> bool:
        """Give Nova's answer to a read that could be answered here; False: no one Nova has it all."""
        is_of_nova = request.path.startswith("/v2.1")
        try:
            self._endpoint(request)
        except Fault:
            return False
        if is_of_nova:
            self.answer(request, response)
        return is_of_nova

    def _endpoint(self, request: falcon.Request) -> NovaEndpoint:
        """The Nova of the region. The top is asked only if there are several, and a single one needs no top."""
        asked_region = request.get_header(REGION_HEADER)
        if self._endpoints.anywhere is not None:
            return self._endpoints.choose(server_region=None, asked_region=asked_region)
        try:
            zones = self._zones_of_server(request)
        except StoreUnavailable:
            if asked_region is None and len(self._endpoints.by_region) > 1:
                raise
            zones = ()
        server_region = zones[0].region if zones else None
        return self._endpoints.choose(server_region=server_region, asked_region=asked_region)

    def _zones_about(self, request: falcon.Request, endpoint: NovaEndpoint) -> tuple[ZoneId, ...]:
        """The zones that a write may have changed: the server's that the path names, else all of the region."""
        zones = self._zones_of_server(request)
        if not zones:
            with reading(self._pool) as connection:
                zones = tuple(
                    zone for zone in read_zones(connection) if endpoint.region in (None, zone.region)
                )
        return tuple(zone.zone_id for zone in zones)

    def _zones_of_server(self, request: falcon.Request) -> tuple[ZoneView, ...]:
        """The zones that know the server that the path names, the one that shows it first; nothing: none does."""
        match = _SERVER.fullmatch(request.path)
        if match is None:
            return ()
        with reading(self._pool) as connection:
            zone_ids = zones_of_server(connection, match[1], project_id=None)
            known = {zone.zone_id: zone for zone in read_zones(connection)} if zone_ids else {}
        return tuple(known[zone_id] for zone_id in zone_ids if zone_id in known)


def _hand_back(forwarded: Forwarded, response: falcon.Response) -> None:
    """Make Nova's answer ours, and nothing else of ours with it."""
    for name in tuple(response.headers):
        response.delete_header(name)
    for name, value in forwarded.headers:
        response.append_header(name, value)
    response.status = f"{forwarded.status} {forwarded.reason}".rstrip()
    response.stream = forwarded.body
    response.complete = True
