# SPDX-License-Identifier: Apache-2.0
"""`GET /os-aggregates` and `/os-aggregates/{id}`.

Facts: Nova 34, api/openstack/compute/aggregates.py.
"""

from typing import Any, Final

import falcon
import orjson
from psycopg_pool import ConnectionPool

from treetop.api.asked import read_request
from treetop.api.fault import bad_request, not_found
from treetop.api.json_answer import answer_json
from treetop.api.json_text import stamp
from treetop.api.parameters import NO_PARAMETERS
from treetop.api.permission import Permission
from treetop.api.zone_choice import (
    Zones,
    aggregate_sources,
    guarded_regions,
    ids,
    open_cells,
    region_databases,
)
from treetop.store.aggregates import Aggregate, AggregateSource, list_aggregates, read_aggregate
from treetop.store.freshness import read_zones
from treetop.store.pool import reading

_UUID_SINCE: Final = 41


class AggregateList:
    """The list, whole."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool

    def on_get(
        self, request: falcon.Request, response: falcon.Response, project_id: str | None = None
    ) -> None:
        """Answer it."""
        asked = read_request(request, NO_PARAMETERS, Permission.AGGREGATES_INDEX)
        with reading(self._pool) as connection:
            zones = read_zones(connection)
            request.context.zones = aggregate_sources(zones)
            found = list_aggregates(connection, _source(zones))
        answer_json(response, {"aggregates": [aggregate_document(each, asked.minor) for each in found]})


class OneAggregate:
    """One aggregate by its number."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool

    def on_get(
        self,
        request: falcon.Request,
        response: falcon.Response,
        aggregate_id: str,
        project_id: str | None = None,
    ) -> None:
        """Answer its document."""
        asked = read_request(request, NO_PARAMETERS, Permission.AGGREGATES_SHOW)
        number = _number(aggregate_id)
        with reading(self._pool) as connection:
            zones = read_zones(connection)
            request.context.zones = aggregate_sources(zones)
            found = read_aggregate(connection, _source(zones), number)
        if found is None:
            raise not_found(f"Aggregate {aggregate_id} could not be found.")
        answer_json(response, {"aggregate": aggregate_document(found, asked.minor)})


def aggregate_document(aggregate: Aggregate, minor: int) -> dict[str, Any]:  # Any: JSON
    """The document of an aggregate. Pure."""
    metadata = orjson.loads(aggregate.metadata)
    document = {
        "id": aggregate.id,
        "name": aggregate.name,
        "hosts": aggregate.hosts,
        "metadata": metadata,
        "availability_zone": metadata.get("availability_zone"),
        "created_at": orjson.Fragment(stamp(aggregate.created_at)),
        "updated_at": orjson.Fragment(stamp(aggregate.updated_at)),
        "deleted": False,  # a deleted one is gone
        "deleted_at": None,
    }
    return document | {"uuid": aggregate.uuid} if minor >= _UUID_SINCE else document


def _source(zones: Zones) -> AggregateSource:
    return AggregateSource(
        regions=ids(region_databases(zones)),
        guarded=ids(guarded_regions(zones)),
        open_cells=ids(open_cells(zones)),
    )


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise bad_request("Invalid input received: id must be an integer") from None
