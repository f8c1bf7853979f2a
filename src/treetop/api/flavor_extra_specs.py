# SPDX-License-Identifier: Apache-2.0
"""`GET /flavors/{id}/os-extra_specs` and `/os-extra_specs/{key}`.

Facts: Nova 34, api/openstack/compute/flavors_extraspecs.py.
"""

from collections.abc import Mapping

import falcon
import orjson
from psycopg_pool import ConnectionPool

from treetop.api.asked import read_request
from treetop.api.fault import not_found
from treetop.api.flavor_source import FlavorShelf
from treetop.api.flavors import no_flavor
from treetop.api.json_answer import answer_json
from treetop.api.parameters import NO_PARAMETERS
from treetop.api.permission import Permission
from treetop.store.flavors import read_flavor
from treetop.store.pool import reading


class ExtraSpecs:
    """All of a flavor."""

    def __init__(self, shelf: FlavorShelf, pool: ConnectionPool) -> None:
        self._shelf = shelf
        self._pool = pool

    def on_get(
        self,
        request: falcon.Request,
        response: falcon.Response,
        flavor_id: str,
        project_id: str | None = None,
    ) -> None:
        """Answer them."""
        specs = _read(request, flavor_id, self._shelf, self._pool, Permission.EXTRA_SPECS_INDEX)
        answer_json(response, {"extra_specs": specs})


class ExtraSpec:
    """One of a flavor."""

    def __init__(self, shelf: FlavorShelf, pool: ConnectionPool) -> None:
        self._shelf = shelf
        self._pool = pool

    def on_get(
        self,
        request: falcon.Request,
        response: falcon.Response,
        flavor_id: str,
        key: str,
        project_id: str | None = None,
    ) -> None:
        """Answer it."""
        specs = _read(request, flavor_id, self._shelf, self._pool, Permission.EXTRA_SPECS_SHOW)
        if key not in specs:
            raise not_found(f"Flavor {flavor_id} has no extra specs with key {key}.")
        answer_json(response, {key: specs[key]})


def _read(
    request: falcon.Request,
    flavor_id: str,
    shelf: FlavorShelf,
    pool: ConnectionPool,
    permission: Permission,
) -> Mapping[str, str]:
    asked = read_request(request, NO_PARAMETERS, permission)
    with reading(pool) as connection:
        view, request.context.zones = shelf.view(connection, asked)
        flavor = read_flavor(connection, view, flavor_id)
    if flavor is None:
        raise no_flavor(flavor_id)
    specs: Mapping[str, str] = orjson.loads(flavor.extra_specs)
    return specs
