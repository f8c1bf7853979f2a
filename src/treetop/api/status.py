# SPDX-License-Identifier: Apache-2.0
"""How Treetop itself is: `/healthcheck` (this process answers) and `/v1/zones` (how current each zone is)."""

from typing import Any, Final

import falcon
import orjson
from psycopg_pool import ConnectionPool

from treetop.api.freshness import iso
from treetop.api.openapi import Json, Operation
from treetop.api.permission import Permission
from treetop.model.zone import Trust, ZoneState
from treetop.store.freshness import ZoneView, count_servers, read_zones
from treetop.store.pool import reading

_TEXT: Final[Json] = {"type": "string"}
_TEXT_OR_NULL: Final[Json] = {"type": ["string", "null"]}
_TIME_OR_NULL: Final[Json] = {"type": ["string", "null"], "format": "date-time"}
_COUNT: Final[Json] = {"type": "integer", "minimum": 0}
_ZONE: Final[Json] = {  # what `_zone` makes
    "name": _TEXT,
    "region": _TEXT,
    "trust": {"enum": list(Trust)},
    "state": {"enum": list(ZoneState)},
    "since": _TIME_OR_NULL,
    "as_of": _TIME_OR_NULL,
    "lag_seconds": {"type": ["number", "null"], "minimum": 0},
    "servers": _COUNT,
    "transactions": _COUNT,
    "reason": _TEXT_OR_NULL,
    "hint": _TEXT_OR_NULL,
}


class Healthcheck:
    """Says that the process answers; asks nothing of the database, whose failure must not restart the API."""

    is_public = True

    def on_get(self, _request: falcon.Request, response: falcon.Response) -> None:
        """Answer OK."""
        response.text = "OK"
        response.content_type = "text/plain; charset=UTF-8"

    on_head = on_get  # what load balancers often send


class Zones:
    """Every zone: state, age, size, and what is wrong with it. Shows no URLs and no passwords."""

    has_any_age = True
    operation = Operation(
        id="list_zones",
        summary="Every zone by name: its state, how old its part of the answers is, what is wrong with it.",
        schema={
            "type": "object",
            "required": ["zones"],
            "additionalProperties": False,
            "properties": {
                "zones": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": list(_ZONE),
                        "additionalProperties": False,
                        "properties": _ZONE,
                    },
                }
            },
        },
    )

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Answer `{"zones": [...]}`, by name. `servers` counts those that are not deleted."""
        request.context.caller.require(Permission.ZONES_LIST)
        with reading(self._pool) as connection:
            zones = request.context.zones = read_zones(connection)
            servers = count_servers(connection)
        response.data = orjson.dumps({"zones": [_zone(zone, servers.get(zone.zone_id, 0)) for zone in zones]})
        response.content_type = "application/json"


def _zone(zone: ZoneView, servers: int) -> dict[str, Any]:  # Any: a JSON document
    freshness = zone.freshness
    return {
        "name": freshness.zone,
        "region": zone.region,
        "trust": zone.trust,
        "state": freshness.state,
        "since": None if zone.since is None else iso(zone.since),
        "as_of": None if freshness.as_of is None else iso(freshness.as_of),
        "lag_seconds": None if freshness.lag_seconds is None else round(freshness.lag_seconds, 3),
        "servers": servers,
        "transactions": zone.transactions,
        "reason": zone.reason,
        "hint": zone.hint,
    }
