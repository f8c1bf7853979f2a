# SPDX-License-Identifier: Apache-2.0
"""`GET /flavors/{id}/os-flavor-access`: which projects may use a flavor that is not public.

Facts: Nova 34, api/openstack/compute/flavor_access.py.
"""

import falcon
from psycopg_pool import ConnectionPool

from treetop.api.asked import read_request
from treetop.api.fault import not_found
from treetop.api.flavor_source import FlavorShelf
from treetop.api.flavors import no_flavor
from treetop.api.json_answer import answer_json
from treetop.api.parameters import NO_PARAMETERS
from treetop.api.permission import Permission
from treetop.store.flavors import read_access, read_flavor
from treetop.store.pool import reading


class FlavorAccess:
    """The projects of one flavor."""

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
        asked = read_request(request, NO_PARAMETERS, Permission.FLAVOR_ACCESS)
        with reading(self._pool) as connection:
            view, request.context.zones = self._shelf.view(connection, asked)
            flavor = read_flavor(connection, view, flavor_id)
            if flavor is None:
                raise no_flavor(flavor_id)
            if flavor.is_public:
                raise not_found("Access list not available for public flavors.")
            projects = read_access(connection, flavor)
        access = [{"flavor_id": flavor.id, "tenant_id": project} for project in projects]
        answer_json(response, {"flavor_access": access})
