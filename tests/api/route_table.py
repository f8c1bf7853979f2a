# SPDX-License-Identifier: Apache-2.0
"""Every route that the application has, and what to ask of it: found by looking, so that a new one is asked, too.

A route whose path has a field that `FIELDS` does not know fails a test: say in `_of` what such a field can hold.
Parameters are those of every `QuerySchema` below `treetop.api`.
"""

import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from itertools import product
from urllib.parse import quote

import falcon.inspect

import treetop.api
from tests.api.two_projects import CELLS, SIDES, Side
from treetop.api.parameters import Parameter, QuerySchema


def _of(side: Side) -> dict[str, tuple[str, ...]]:
    """What the fields of paths can hold that exists and is this side's."""
    return {
        "project_id": (side.project,),
        "server_id": tuple(side.uuid(10 * CELLS[0] + number) for number in (0, 1, 3)),
        "flavor_id": (side.text("flavors-flavorid"),),
        "hypervisor_id": (side.uuid(CELLS[0]), str(side.number), side.text("compute-host")),
        "aggregate_id": (str(side.number),),
        "group_id": tuple(side.uuid(3) for _ in (1,)),
        "of_project_id": (side.project,),
        "key_name": (side.text("key_pairs-name"),),
        "alias": ("NMN",),
        "label": (side.text("network"),),
        "tag": (side.text("tag"),),
        "volume_id": (side.uuid(900 + 10 * CELLS[0]),),
        "request_id": (side.text("instance_actions-request_id"),),
        "migration_id": (str(side.number),),
        "key": (side.text("key"), side.text("flavor_extra_specs-key")),
    }


#: What each field of a path can hold, of both sides.
FIELDS = {field: tuple(value for side in SIDES for value in _of(side)[field]) for field in _of(SIDES[0])}


@dataclass(frozen=True)
class Route:
    """template: the path with `{field}`s, without converters."""

    template: str
    fields: tuple[str, ...]
    methods: frozenset[str]

    def values(self, side: Side) -> Iterator[dict[str, str]]:
        """Every combination of what is the side's."""
        known = _of(side)
        for values in product(*(known[field] for field in self.fields)):
            yield dict(zip(self.fields, values, strict=True))

    def path(self, values: Mapping[str, str]) -> str:
        """The path on the wire."""
        path = self.template
        for field in self.fields:
            path = path.replace("{" + field + "}", quote(values[field], safe=""))
        return path


def routes_of(app: falcon.App) -> list[Route]:
    """Every route, by path."""
    return sorted(map(_route, falcon.inspect.inspect_routes(app)), key=lambda route: route.template)


def query_parameters() -> list[Parameter]:
    """Every query parameter that any resource reads."""
    schemas = {
        id(value): value
        for module in pkgutil.iter_modules(treetop.api.__path__, "treetop.api.")
        for value in vars(import_module(module.name)).values()
        if isinstance(value, QuerySchema)
    }
    return [parameter for schema in schemas.values() for parameter in schema.parameters.values()]


def parameter_names() -> list[str]:
    """Their names."""
    return sorted({parameter.name for parameter in query_parameters()})


def _route(route: falcon.inspect.RouteInfo) -> Route:
    segments = route.path.split("/")
    names = [segment[1:-1].partition(":")[0] if segment.startswith("{") else "" for segment in segments]
    template = "/".join(
        "{" + name + "}" if name else segment for name, segment in zip(names, segments, strict=True)
    )
    return Route(
        template=template,
        fields=tuple(filter(None, names)),
        methods=frozenset(method.method for method in route.methods if not method.internal),
    )
