# SPDX-License-Identifier: Apache-2.0
"""`GET /os-availability-zone` and `/os-availability-zone/detail`.

An availability zone is there because a service is in it, and is available if one of them is enabled, alive or not. Of
cells that keep their hosts to themselves no service is known, and of a region that does the same not where the hosts
of its cells are: the zones that its aggregates name are then listed as available. Facts: Nova 34,
availability_zones.py and api/openstack/compute/availability_zone.py.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import falcon
import orjson
from psycopg_pool import ConnectionPool

from treetop.api.asked import read_request
from treetop.api.json_answer import answer_json
from treetop.api.json_text import stamp
from treetop.api.options import ApiOptions
from treetop.api.parameters import NO_PARAMETERS
from treetop.api.permission import Permission
from treetop.api.services import API_BINARIES
from treetop.api.zone_choice import guarded_regions, ids, open_cells, region_databases, unplaced_cells
from treetop.model.zone import ZoneId
from treetop.store.aggregates import availability_zone_names
from treetop.store.freshness import read_zones
from treetop.store.pool import reading
from treetop.store.services import COMPUTE, Service, list_services

Json = dict[str, Any]  # Any: JSON


class AvailabilityZoneList:
    """The list in one of its two views."""

    def __init__(self, pool: ConnectionPool, options: ApiOptions, *, is_detail: bool) -> None:
        self._pool = pool
        self._options = options
        self._is_detail = is_detail

    def on_get(
        self, request: falcon.Request, response: falcon.Response, project_id: str | None = None
    ) -> None:
        """Answer it."""
        permission = Permission.AVAILABILITY_ZONES_LIST
        if self._is_detail:
            permission = Permission.AVAILABILITY_ZONES_DETAIL
        read_request(request, NO_PARAMETERS, permission)
        with reading(self._pool) as connection:
            zones = read_zones(connection)
            regions = region_databases(zones)
            request.context.zones = (*regions, *open_cells(zones))
            services = _placed(list_services(connection, ids(open_cells(zones))), ids(unplaced_cells(zones)))
            guarded = guarded_regions(zones)
            named = availability_zone_names(connection, ids(guarded)) if guarded else set()
        enabled = self._by_zone(service for service in services if not service.is_disabled)
        for name in named:
            enabled.setdefault(name, [])
        disabled = set(self._by_zone(services)) - set(enabled)
        available = [self._available(name, enabled[name]) for name in sorted(enabled) if self._is_shown(name)]
        others = [_entry(name, None, is_available=False) for name in sorted(disabled) if self._is_shown(name)]
        answer_json(response, {"availabilityZoneInfo": available + others})

    def _by_zone(self, services: Iterable[Service]) -> dict[str, list[Service]]:
        result: dict[str, list[Service]] = {}
        for service in services:
            name = service.zone_name(
                default=self._options.default_availability_zone,
                internal=self._options.internal_availability_zone,
            )
            result.setdefault(name, []).append(service)
        return result

    def _is_shown(self, name: str) -> bool:
        return self._is_detail or name != self._options.internal_availability_zone

    def _available(self, name: str, services: Iterable[Service]) -> Json:
        if not self._is_detail:
            return _entry(name, None, is_available=True)
        hosts: dict[str, Json] = {}
        for service in services:
            if service.binary not in API_BINARIES:
                hosts.setdefault(str(service.host), {})[str(service.binary)] = {
                    "available": service.is_up(self._options.service_down_seconds),
                    "active": True,
                    "updated_at": orjson.Fragment(stamp(service.updated_at)),
                }
        return _entry(name, hosts, is_available=True)


def _placed(services: Iterable[Service], unplaced: Collection[ZoneId]) -> Sequence[Service]:
    """Without those that may be in any zone: "in no aggregate" would be a guess."""
    return [each for each in services if each.binary != COMPUTE or each.zone_id not in unplaced]


def _entry(name: str, hosts: Json | None, *, is_available: bool) -> Json:
    return {"zoneName": name, "zoneState": {"available": is_available}, "hosts": hosts}
