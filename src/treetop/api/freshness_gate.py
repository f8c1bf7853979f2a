# SPDX-License-Identifier: Apache-2.0
"""Lets a request through that demands freshness once every zone it is about is that fresh: `Promise` or 503.

No zone is asked: the positions that its worker writes are read again and again for a short while, and the worker is
told that somebody waits for them. Without a
demand it costs two looks at headers. Which zones it is about is told from the path (`zones_awaited`); what the
answer really drew on is compared once more when it is there (`require_kept`), so a resource cannot break a promise
by drawing on more.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import falcon
import psycopg
from psycopg_pool import ConnectionPool

from treetop.api.freshness_demand import (
    CACHE_CONTROL,
    MAX_LAG,
    Demand,
    Promise,
    as_checked,
    demanded_seconds,
    may_catch_up,
    too_old,
    zones_behind,
)
from treetop.api.options import ApiOptions
from treetop.api.patience import Patience
from treetop.api.zone_choice import Zones
from treetop.api.zones_awaited import zones_awaited, zones_of_one_server
from treetop.model.zone import ZoneId
from treetop.store.freshness import ZoneView, read_clock, read_zones
from treetop.store.hastening import hasten
from treetop.store.pool import reading
from treetop.store.server_zones import zones_of_server


class FreshnessGate:
    """Safe for many threads. A connection is held only while it is looked, not while it is waited."""

    def __init__(self, pool: ConnectionPool, patience: Patience, options: ApiOptions) -> None:
        self._pool = pool
        self._patience = patience
        self._wait_seconds = options.freshness_wait_seconds

    def promise(self, request: falcon.Request, params: Mapping[str, Any]) -> Promise | None:
        """Wait until the demand is met; None: there is none. Raises `Fault`: 400 or 503."""
        seconds = demanded_seconds(request.get_header(CACHE_CONTROL), request.get_header(MAX_LAG))
        if seconds is None:
            return None
        with reading(self._pool) as connection:
            demand = Demand(seconds=seconds, asked_at=read_clock(connection))
            zone_ids = _zones_of_server(connection, request, params)
        template: str = request.uri_template or ""
        look = _Look(
            self._pool,
            demand,
            lambda zones: (
                zones_of_one_server(zones, zone_ids) if zone_ids else zones_awaited(template, zones)
            ),
        )
        return look.wait(self._patience, self._wait_seconds)


def require_kept(promise: Promise, zones: Sequence[ZoneView]) -> None:
    """Raise the 503 `Fault` unless the zones that an answer drew on, as read for it, meet the demand."""
    behind = zones_behind(as_checked(zones, promise.checked_at), promise.demand)
    if behind:
        raise too_old(behind, promise.demand)


class _Look:
    """One request's demand, looked at until it is met."""

    def __init__(self, pool: ConnectionPool, demand: Demand, awaited: Callable[[Zones], Zones]) -> None:
        self._pool = pool
        self._demand = demand
        self._awaited = awaited
        self._behind: tuple[ZoneView, ...] = ()
        self._checked_at: datetime = demand.asked_at

    def wait(self, patience: Patience, seconds: float) -> Promise:
        is_decided = patience.until(self._is_decided, seconds=seconds)
        if not is_decided or self._behind:
            raise too_old(self._behind, self._demand)
        return Promise(demand=self._demand, checked_at=self._checked_at)

    def _is_decided(self) -> bool:
        """Every zone is fresh, or one that is behind is not being read: no wait helps."""
        with reading(self._pool) as connection:
            self._checked_at = read_clock(connection)
            zones = read_zones(connection)
            self._behind = zones_behind(self._awaited(zones), self._demand)
            if self._behind:
                hasten(connection, [zone.zone_id for zone in self._behind])
        return not self._behind or not may_catch_up(self._behind)


def _zones_of_server(
    connection: psycopg.Connection, request: falcon.Request, params: Mapping[str, Any]
) -> tuple[ZoneId, ...]:
    """The zones of the server that the path names, if the caller may see it; nothing: of none."""
    server_id, caller = params.get("server_id"), getattr(request.context, "caller", None)
    if server_id is None or caller is None:
        return ()
    project_id = None if caller.is_admin else caller.project_id
    return zones_of_server(connection, server_id, project_id=project_id)
