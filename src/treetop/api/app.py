# SPDX-License-Identifier: Apache-2.0
"""The API as one WSGI application: which path leads where, and what every request goes through.

Stateless and read-only: run as many as wanted. Nova's paths also exist with a project id, as old catalogs
have them.
"""

import re
from typing import Final

import falcon
from falcon.routing import BaseConverter
from psycopg_pool import ConnectionPool

from treetop.api.aggregates import AggregateList, OneAggregate
from treetop.api.auth import Authenticator
from treetop.api.availability_zones import AvailabilityZoneList
from treetop.api.extensions import Extension, ExtensionList, read_extensions
from treetop.api.faults import add_error_handlers
from treetop.api.flavor_access import FlavorAccess
from treetop.api.flavor_extra_specs import ExtraSpec, ExtraSpecs
from treetop.api.flavor_source import FlavorShelf
from treetop.api.flavors import Flavor, FlavorList
from treetop.api.freshness_gate import FreshnessGate
from treetop.api.hypervisor_extras import HypervisorSearch, HypervisorStatistics, HypervisorUptime
from treetop.api.hypervisors import HypervisorList, OneHypervisor
from treetop.api.keypairs import KeyPairList, OneKeyPair
from treetop.api.limits import Limits
from treetop.api.middleware import ContentTypes, Freshness, Identity, Microversions, Paths, RequestIds
from treetop.api.migrations import MigrationList
from treetop.api.openapi import Described, OpenApi
from treetop.api.options import ApiOptions
from treetop.api.own_writes import OwnWrites
from treetop.api.pass_through import PassThrough
from treetop.api.patience import Patience
from treetop.api.proxy import Proxy
from treetop.api.quota_sets import DefaultQuotaSet, QuotaSet
from treetop.api.server import Server
from treetop.api.server_fields import View
from treetop.api.server_groups import OneServerGroup, ServerGroupList
from treetop.api.server_parts import server_parts
from treetop.api.servers import ServerList
from treetop.api.services import ServiceList
from treetop.api.status import Healthcheck, Zones
from treetop.api.usage import ProjectUsage, UsageList
from treetop.api.versions import UNVERSIONED, Choices, Root, Version

_NOVA: Final = re.compile(r"/v2\.1(/|$)")


class _ProjectId(BaseConverter):
    """A project id in a path: what Nova takes for one, small hexadecimal digits and dashes."""

    _pattern: Final = re.compile(r"[0-9a-f-]+")

    def convert(self, value: str) -> str | None:
        """The segment, or None: not routed."""
        return value if self._pattern.fullmatch(value) else None


def make_app(
    pool: ConnectionPool, *, authenticator: Authenticator, options: ApiOptions, proxy: Proxy | None = None
) -> falcon.App:  # type: ignore[type-arg]
    """The application, reading through `pool`, which the caller opens and closes, as it does `proxy`.

    proxy: the way to Nova for what is not answered here; None: that is refused.
    """
    app = falcon.App()
    app.add_middleware(RequestIds())  # first: every answer has an id, refusals too
    app.add_middleware(Paths())
    patience = Patience(most=options.waiting_requests_max)
    own_writes = None if proxy is None else OwnWrites(pool, patience, proxy)
    passing = None if proxy is None or own_writes is None else PassThrough(pool, proxy, own_writes, options)
    if passing is not None:
        app.add_middleware(passing)  # before the others: Nova judges what it answers, its microversion too
        app.add_sink(passing.sink, _NOVA)
    app.add_middleware(Microversions())  # before the caller: what cannot be served is said to everybody
    app.add_middleware(ContentTypes())
    app.add_middleware(Identity(authenticator))
    if own_writes is not None:
        app.add_middleware(own_writes)
    gate = FreshnessGate(pool, patience, options)
    app.add_middleware(
        Freshness(gate, options, instead=passing if proxy and proxy.passes_stale_reads else None)
    )
    app.router_options.converters["project"] = _ProjectId
    app.req_options.keep_blank_qs_values = True
    add_error_handlers(app)

    app.add_route("/", Root(options))
    app.add_route("/v2.1", Version(options))
    app.add_route("/v2.1/", Version(options))
    app.add_sink(Choices(options), UNVERSIONED)
    for path, resource in _nova(pool, options).items():
        app.add_route(f"/v2.1/{path}", resource)
        app.add_route(f"/v2.1/{{project_id:project}}/{path}", resource)
    app.add_route("/healthcheck", Healthcheck())
    own: dict[str, Described] = {"/v1/zones": Zones(pool)}
    for path, described in own.items():
        app.add_route(path, described)
    app.add_route("/openapi.json", OpenApi(own, options))
    return app


def _nova(pool: ConnectionPool, options: ApiOptions) -> dict[str, object]:
    """What is below `/v2.1/`, noun by noun."""
    shelf, extensions = FlavorShelf(), read_extensions()
    return {
        "servers": ServerList(pool, options, View.INDEX),
        "servers/detail": ServerList(pool, options, View.DETAIL),
        "servers/{server_id}": Server(pool, options),
        **server_parts(pool, options),
        "os-migrations": MigrationList(pool, options),
        "flavors": FlavorList(shelf, pool, options, is_detail=False),
        "flavors/detail": FlavorList(shelf, pool, options, is_detail=True),
        "flavors/{flavor_id}": Flavor(shelf, pool, options),
        "flavors/{flavor_id}/os-extra_specs": ExtraSpecs(shelf, pool),
        "flavors/{flavor_id}/os-extra_specs/{key}": ExtraSpec(shelf, pool),
        "flavors/{flavor_id}/os-flavor-access": FlavorAccess(shelf, pool),
        "os-services": ServiceList(pool, options),
        "os-hypervisors": HypervisorList(pool, options, is_detail=False),
        "os-hypervisors/detail": HypervisorList(pool, options, is_detail=True),
        "os-hypervisors/statistics": HypervisorStatistics(pool, options),
        "os-hypervisors/{hypervisor_id}": OneHypervisor(pool, options),
        "os-hypervisors/{hypervisor_id}/search": HypervisorSearch(pool, options, has_servers=False),
        "os-hypervisors/{hypervisor_id}/servers": HypervisorSearch(pool, options, has_servers=True),
        "os-hypervisors/{hypervisor_id}/uptime": HypervisorUptime(pool, options),
        "os-aggregates": AggregateList(pool),
        "os-aggregates/{aggregate_id}": OneAggregate(pool),
        "os-availability-zone": AvailabilityZoneList(pool, options, is_detail=False),
        "os-availability-zone/detail": AvailabilityZoneList(pool, options, is_detail=True),
        "os-server-groups": ServerGroupList(pool, options),
        "os-server-groups/{group_id}": OneServerGroup(pool),
        "os-simple-tenant-usage": UsageList(pool, options),
        "os-simple-tenant-usage/{of_project_id}": ProjectUsage(pool, options),
        "limits": Limits(pool, options),
        "os-quota-sets/{of_project_id}": QuotaSet(pool, options, is_detail=False),
        "os-quota-sets/{of_project_id}/detail": QuotaSet(pool, options, is_detail=True),
        "os-quota-sets/{of_project_id}/defaults": DefaultQuotaSet(pool, options),
        "os-keypairs": KeyPairList(pool, options),
        "os-keypairs/{key_name}": OneKeyPair(pool),
        "extensions": ExtensionList(extensions),
        "extensions/{alias}": Extension(extensions),
    }
