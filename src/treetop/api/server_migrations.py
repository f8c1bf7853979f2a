# SPDX-License-Identifier: Apache-2.0
"""`GET /servers/{id}/migrations` and `/migrations/{id}`, from 2.23 on: live migrations that are not over.

Facts: Nova 34, api/openstack/compute/server_migrations.py.
"""

from collections.abc import Sequence
from typing import Final

import falcon
from psycopg_pool import ConnectionPool

from treetop.api.asked import read_request
from treetop.api.fault import no_resource, not_found
from treetop.api.found_server import server_of_path
from treetop.api.json_answer import answer_json
from treetop.api.migration_view import TYPE_SINCE, server_migration
from treetop.api.options import ApiOptions
from treetop.api.permission import Permission
from treetop.store.migrations import IN_PROGRESS, LIVE_MIGRATION, Migration, migrations_of
from treetop.store.pool import reading

_SINCE: Final = TYPE_SINCE


class ServerMigrations:
    """All of a server's, or one."""

    def __init__(self, pool: ConnectionPool, options: ApiOptions) -> None:
        self._pool = pool
        self._options = options

    def on_get(
        self,
        request: falcon.Request,
        response: falcon.Response,
        server_id: str,
        migration_id: str | None = None,
        project_id: str | None = None,
    ) -> None:
        """Answer them. migration_id: of the one, if the path names it."""
        if request.context.minor < _SINCE:
            raise no_resource()
        asked = read_request(request)
        with reading(self._pool) as connection:
            server = server_of_path(connection, request, self._options, server_id)
            show = Permission.SERVER_MIGRATIONS_SHOW
            permission = Permission.SERVER_MIGRATIONS_INDEX if migration_id is None else show
            asked.caller.require(permission, project_id=server.project_id)
            found = migrations_of(connection, zone_id=server.zone_id, server_id=server.uuid)
        if migration_id is not None:
            migration = _one(found, server_id, migration_id)
            document = server_migration(migration, asked.minor, sees_hosts=True)
            answer_json(response, {"migration": document})
            return
        sees_hosts = asked.caller.may(Permission.SERVER_MIGRATIONS_INDEX_HOST, project_id=server.project_id)
        documents = [
            server_migration(migration, asked.minor, sees_hosts=sees_hosts)
            for migration in found
            if migration.is_live_in_progress
        ]
        answer_json(response, {"migrations": documents})


def _one(migrations: Sequence[Migration], server_id: str, migration_id: str) -> Migration:
    """The one with this id; raises the 404 `Fault` unless it is a live migration in progress."""
    for migration in migrations:
        if str(migration.id) != migration_id:
            continue
        if migration.migration_type != LIVE_MIGRATION:
            raise not_found(f"Migration {migration_id} for server {server_id} is not live-migration.")
        if migration.status not in IN_PROGRESS:
            raise not_found(f"Live migration {migration_id} for server {server_id} is not in progress.")
        return migration
    raise not_found(f"In-progress live migration {migration_id} is not found for server {server_id}.")
