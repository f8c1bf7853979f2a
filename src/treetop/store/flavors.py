# SPDX-License-Identifier: Apache-2.0
"""Flavors, one page or one, as a region's own table has them, or out of what the servers carry.

Both are one query over one source: `region_flavors` or `carried_flavors`. Where two regions have a flavor of the
same id, the first one's is it. Order as for servers: NULL is the smallest value, text without regard to case.
Raises `NotFound` for a marker that is no flavor the viewer sees, `Refuse` for a pattern that cannot be read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, LiteralString

import orjson
import psycopg
from psycopg import sql
from psycopg.rows import class_row

from treetop.errors import NotFound
from treetop.model.zone import ZoneId
from treetop.store.clause import Clause, Conditions, readable_patterns
from treetop.store.embedded_flavors import EmbeddedFlavor

_TEXT: Final = ("flavorid", "name", "description")
_VALUES: Final = (
    *("id", "memory_mb", "vcpus", "swap", "vcpu_weight", "root_gb", "ephemeral_gb", "rxtx_factor"),
    *("disabled", "is_public", "created_at", "updated_at"),
)
#: What flavors can be sorted by: Nova's keys, which are columns of its table.
SORT_KEYS: Final = tuple(sorted((*_TEXT, *_VALUES)))

# Hundreds of rows at most; the extra specs are read once for all of them.
_REGION: Final = """
    SELECT flavor.*,
           EXISTS (
               SELECT FROM nova_flavor_projects AS access
               WHERE access.zone_id = flavor.zone_id
                 AND access.flavor_id = flavor.id
                 AND access.project_id = %(project)s
           ) AS has_access,
           coalesce(specs.extra_specs, '{}') AS extra_specs
    FROM (
        SELECT DISTINCT ON (flavorid) *
        FROM nova_flavors
        WHERE zone_id = ANY(%(zones)s::smallint[])
        ORDER BY flavorid, array_position(%(zones)s::smallint[], zone_id), id
    ) AS flavor
    LEFT JOIN (
        SELECT zone_id, flavor_id, jsonb_object_agg(key, value) AS extra_specs
        FROM nova_flavor_extra_specs
        WHERE zone_id = ANY(%(zones)s::smallint[])
        GROUP BY zone_id, flavor_id
    ) AS specs ON specs.zone_id = flavor.zone_id AND specs.flavor_id = flavor.id
"""
_CARRIED: Final = """
    SELECT *, false AS has_access
    FROM jsonb_to_recordset(%(carried)s::jsonb) AS (
        zone_id smallint, id bigint, flavorid text, name text, description text, memory_mb bigint, vcpus bigint,
        swap bigint, vcpu_weight bigint, root_gb bigint, ephemeral_gb bigint, rxtx_factor float8,
        disabled boolean, is_public boolean, created_at timestamp, updated_at timestamp, extra_specs jsonb
    )
"""
_SELECT: Final = """
WITH source AS ({source}),
seen AS (
    SELECT *, row_number() OVER (ORDER BY {order}) AS place
    FROM source
    WHERE %(sees_all)s OR is_public OR has_access
)
SELECT zone_id, id AS row_id, flavorid AS id, name, memory_mb AS ram, root_gb AS disk, vcpus, swap,
       ephemeral_gb AS ephemeral, rxtx_factor, disabled, is_public, description, extra_specs, place
FROM seen
WHERE {conditions}
ORDER BY place
LIMIT {limit}
"""
_ACCESS: Final = """
    SELECT project_id
    FROM nova_flavor_projects
    WHERE zone_id = %s
      AND flavor_id = %s
    ORDER BY project_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flavor:
    """Sizes in Nova's units (ram MB, disk and ephemeral GB, swap MB). extra_specs: JSON text.

    place: where it stands in the order it was read in, from 1.
    """

    zone_id: int
    row_id: int
    id: str
    name: str
    ram: int
    disk: int | None
    vcpus: int
    swap: int
    ephemeral: int | None
    rxtx_factor: float | None
    disabled: bool | None
    is_public: bool | None
    description: str | None
    extra_specs: str
    place: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FlavorSource:
    """Where flavors are read from: a query and its parameters."""

    query: LiteralString
    parameters: Mapping[str, Any]  # Any: what psycopg can send


@dataclass(frozen=True, slots=True, kw_only=True)
class FlavorView:
    """What of a source the caller sees. sees_all: also what is not public and not the project's."""

    source: FlavorSource
    project_id: str
    sees_all: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FlavorQuery:
    """A page that is asked for. sort_key: one of `SORT_KEYS`; marker: id of the last one of the page before."""

    clauses: tuple[Clause, ...] = ()
    sort_key: str = "flavorid"
    descending: bool = False
    limit: int
    marker: str | None = None


def region_flavors(zone_ids: Sequence[ZoneId]) -> FlavorSource:
    """The flavors of regions by their own databases, the zones that count first in front."""
    return FlavorSource(query=_REGION, parameters={"zones": list(zone_ids)})


def carried_flavors(flavors: Sequence[EmbeddedFlavor]) -> FlavorSource:
    """The flavors that servers carry. What they do not carry is Nova's default: public, factor 1."""
    rows = [
        {"zone_id": 0, "id": place, "flavorid": flavor.id, **_carried(flavor)}
        for place, flavor in enumerate(flavors, 1)
    ]
    return FlavorSource(query=_CARRIED, parameters={"carried": orjson.dumps(rows).decode()})


def list_flavors(connection: psycopg.Connection, view: FlavorView, query: FlavorQuery) -> list[Flavor]:
    """At most `query.limit` flavors, in order."""
    clauses = list(query.clauses)
    if query.marker is not None:
        found = _read(connection, view, query, [_has_id(query.marker)])
        if not found:
            raise NotFound(f"marker [{query.marker}] not found")
        clauses.append(Clause(template="place > {0}", values=(found[0].place,)))
    return _read(connection, view, query, clauses)


def read_flavor(connection: psycopg.Connection, view: FlavorView, flavor_id: str) -> Flavor | None:
    """The flavor with this id; None if there is none that the viewer sees."""
    found = _read(connection, view, FlavorQuery(limit=1), [_has_id(flavor_id)])
    return found[0] if found else None


def read_access(connection: psycopg.Connection, flavor: Flavor) -> list[str]:
    """The projects that may use a flavor that is not public."""
    return [project for (project,) in connection.execute(_ACCESS, (flavor.zone_id, flavor.row_id))]


def is_public(*, also_own: bool) -> Clause:
    """Public; also_own: or given to the viewer's project."""
    return Clause(template="(is_public OR has_access)" if also_own else "is_public")


NOT_PUBLIC: Final = Clause(template="NOT is_public")
ENABLED: Final = Clause(template="NOT disabled")


def at_least(column: str, least: int) -> Clause:
    """A size is `least` or more."""
    return Clause(template="{column} >= {0}::numeric", column=column, values=(str(least),))


def _has_id(flavor_id: str) -> Clause:
    return Clause(template="flavorid = {0}", values=(flavor_id,))


def _read(
    connection: psycopg.Connection, view: FlavorView, query: FlavorQuery, clauses: Sequence[Clause]
) -> list[Flavor]:
    conditions = Conditions(parameters={"project": view.project_id, "sees_all": view.sees_all})
    conditions.parameters.update(view.source.parameters)
    conditions.add(clauses)
    statement = sql.SQL(_SELECT).format(
        source=sql.SQL(view.source.query),
        order=_order(query),
        conditions=conditions.joined(),
        limit=sql.Literal(query.limit),
    )
    with readable_patterns(clauses), connection.cursor(row_factory=class_row(Flavor)) as cursor:
        return cursor.execute(statement, conditions.parameters).fetchall()


def _order(query: FlavorQuery) -> sql.Composable:
    direction = sql.SQL("DESC NULLS LAST" if query.descending else "ASC NULLS FIRST")
    column = sql.Identifier(query.sort_key)
    if query.sort_key in _TEXT:
        column = sql.SQL('lower({}) COLLATE "C"').format(column)  # type: ignore[assignment]
    return sql.SQL("{0} {1}, id {1}, zone_id {1}").format(column, direction)


def _carried(flavor: EmbeddedFlavor) -> Mapping[str, object]:
    document = orjson.loads(flavor.document)
    return MappingProxyType(
        {
            "name": document.get("original_name") or flavor.id,
            "memory_mb": document.get("ram") or 0,
            "root_gb": document.get("disk") or 0,
            "vcpus": document.get("vcpus") or 0,
            "swap": document.get("swap") or 0,
            "ephemeral_gb": document.get("ephemeral") or 0,
            "extra_specs": document.get("extra_specs") or {},
            "rxtx_factor": 1.0,
            "disabled": False,
            "is_public": True,
        }
    )
