# SPDX-License-Identifier: Apache-2.0
"""Host aggregates out of the regions' own databases: tens of rows.

Where two regions have one of the same id, the first one's is it. A region that does not share its hosts has
aggregates without any; where one of its cells does not, only hosts that another cell has shown are there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg.rows import class_row

from treetop.model.zone import ZoneId

_READ: Final = """
    SELECT DISTINCT ON (aggregates.id) aggregates.*,
           ARRAY(
               SELECT hosts.host
               FROM nova_aggregate_hosts AS hosts
               WHERE hosts.zone_id = aggregates.zone_id
                 AND hosts.aggregate_id = aggregates.id
                 AND (
                     hosts.zone_id <> ALL(%(guarded)s::smallint[])
                     OR (hosts.zone_id, hosts.host) IN (
                         SELECT region.id, services.host
                         FROM nova_services AS services
                         JOIN zone AS cell ON cell.id = services.zone_id
                         JOIN zone AS region ON region.region = cell.region AND region.kind = 'api'
                         WHERE cell.id = ANY(%(open)s::smallint[]) AND services.host IS NOT NULL
                     )
                 )
               ORDER BY hosts.id
           ) AS hosts,
           coalesce((
               SELECT jsonb_object_agg(metadata.key, metadata.value)
               FROM nova_aggregate_metadata AS metadata
               WHERE metadata.zone_id = aggregates.zone_id AND metadata.aggregate_id = aggregates.id
           ), '{}') AS metadata
    FROM nova_aggregates AS aggregates
    WHERE aggregates.zone_id = ANY(%(zones)s::smallint[])
      AND (%(id)s::numeric IS NULL OR aggregates.id = %(id)s::numeric)
    ORDER BY aggregates.id, array_position(%(zones)s::smallint[], aggregates.zone_id)
"""
_AVAILABILITY_ZONES: Final = """
    SELECT DISTINCT value
    FROM nova_aggregate_metadata
    WHERE zone_id = ANY(%s::smallint[])
      AND key = 'availability_zone'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """One aggregate. created_at, updated_at, metadata: text, of JSON."""

    zone_id: int
    id: int
    created_at: str | None
    updated_at: str | None
    uuid: str | None
    name: str | None
    hosts: list[str]
    metadata: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregateSource:
    """Where aggregates are read.

    regions: the regions' databases, the ones that count first in front. guarded: those of them that name hosts of a
    cell that does not share them. open_cells: the cells that do.
    """

    regions: Sequence[ZoneId]
    guarded: Sequence[ZoneId]
    open_cells: Sequence[ZoneId]


def list_aggregates(connection: psycopg.Connection, source: AggregateSource) -> list[Aggregate]:
    """All of them, by id."""
    return _read(connection, source, None)


def read_aggregate(
    connection: psycopg.Connection, source: AggregateSource, aggregate_id: int
) -> Aggregate | None:
    """The aggregate with this id; None if there is none."""
    found = _read(connection, source, aggregate_id)
    return found[0] if found else None


def availability_zone_names(connection: psycopg.Connection, zone_ids: Sequence[ZoneId]) -> set[str]:
    """The availability zones that aggregates name."""
    return {name for (name,) in connection.execute(_AVAILABILITY_ZONES, (list(zone_ids),))}


def _read(
    connection: psycopg.Connection, source: AggregateSource, aggregate_id: int | None
) -> list[Aggregate]:
    parameters = {
        "zones": list(source.regions),
        "guarded": list(source.guarded),
        "open": list(source.open_cells),
        "id": None if aggregate_id is None else str(aggregate_id),
    }
    with connection.cursor(row_factory=class_row(Aggregate)) as cursor:
        return cursor.execute(_READ, parameters).fetchall()
