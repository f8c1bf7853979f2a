# SPDX-License-Identifier: Apache-2.0
"""`GET /servers/{id}/metadata` and `/metadata/{key}`.

Facts: Nova 34, api/openstack/compute/server_metadata.py.
"""

import falcon
from psycopg_pool import ConnectionPool

from treetop.api.asked import read_request
from treetop.api.fault import not_found
from treetop.api.found_server import server_of_path
from treetop.api.json_answer import answer_json
from treetop.api.json_text import pairs
from treetop.api.options import ApiOptions
from treetop.api.permission import Permission
from treetop.store.pool import reading


class ServerMetadata:
    """All of it, or one item."""

    def __init__(self, pool: ConnectionPool, options: ApiOptions) -> None:
        self._pool = pool
        self._options = options

    def on_get(
        self,
        request: falcon.Request,
        response: falcon.Response,
        server_id: str,
        key: str | None = None,
        project_id: str | None = None,
    ) -> None:
        """Answer it. key: of the item, if the path names one."""
        asked = read_request(request)
        with reading(self._pool) as connection:
            server = server_of_path(connection, request, self._options, server_id, ("metadata",))
        permission = Permission.METADATA_INDEX if key is None else Permission.METADATA_SHOW
        asked.caller.require(permission, project_id=server.project_id)
        metadata = pairs(server.columns["metadata"])
        if key is None:
            answer_json(response, {"metadata": metadata})
        elif key in metadata:
            answer_json(response, {"meta": {key: metadata[key]}})
        else:
            raise not_found("Metadata item was not found")
