# SPDX-License-Identifier: Apache-2.0
"""`GET /servers/{id}/tags` and `/tags/{tag}`, from 2.26 on.

Facts: Nova 34, api/openstack/compute/server_tags.py: unknown parameters are never refused here, and a server that is
not there is one that no cell is known for.
"""

from typing import Final

import falcon
from psycopg_pool import ConnectionPool

from treetop.api.asked import read_request
from treetop.api.fault import Fault, no_resource, not_found
from treetop.api.found_server import no_such_server, server_of_path
from treetop.api.json_answer import answer_json
from treetop.api.json_text import loads
from treetop.api.options import ApiOptions
from treetop.api.parameters import ANY_PARAMETERS
from treetop.api.permission import Permission
from treetop.store.pool import reading

_SINCE: Final = 26


class ServerTags:
    """All tags of a server, or whether it has one."""

    def __init__(self, pool: ConnectionPool, options: ApiOptions) -> None:
        self._pool = pool
        self._options = options

    def on_get(
        self,
        request: falcon.Request,
        response: falcon.Response,
        server_id: str,
        tag: str | None = None,
        project_id: str | None = None,
    ) -> None:
        """Answer the list; or, if the path names a tag, nothing at all where the server has it."""
        if request.context.minor < _SINCE:
            raise no_resource()
        asked = read_request(request, ANY_PARAMETERS)
        with reading(self._pool) as connection:
            server = server_of_path(
                connection,
                request,
                self._options,
                server_id,
                ("tags", "deleted"),
                with_deleted=True,
                missing=_unmapped,
            )
        permission = Permission.TAGS_INDEX if tag is None else Permission.TAGS_SHOW
        asked.caller.require(permission, project_id=server.project_id)
        tags = loads(server.columns["tags"])
        if tag is None:
            if server.columns["deleted"]:
                raise no_such_server(server_id)
            answer_json(response, {"tags": sorted(tags)})
        elif tag in tags:
            response.status = falcon.HTTP_204
        else:
            raise not_found(f"Server {server_id} has no tag '{tag}'")


def _unmapped(server_id: str) -> Fault:
    return not_found(f"Instance {server_id} has no mapping to a cell.")
