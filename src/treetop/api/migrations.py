# SPDX-License-Identifier: Apache-2.0
"""`GET /os-migrations`: servers that move or are resized, in all zones; in pages from 2.59 on.

Facts: Nova 34, api/openstack/compute/migrations.py and schemas/migrations.py.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import falcon
import psycopg
from psycopg_pool import ConnectionPool

from treetop.api.asked import Asked, read_request
from treetop.api.changes_window import changes_window
from treetop.api.fault import bad_request
from treetop.api.json_answer import answer_json
from treetop.api.links import links_of
from treetop.api.migration_view import OWNER_SINCE, TYPE_SINCE, UUID_SINCE, Document, listed_migration
from treetop.api.options import ApiOptions
from treetop.api.parameters import Kind, Parameter, is_truthy, page_rows, query_schema
from treetop.api.permission import Permission
from treetop.api.zone_choice import cells
from treetop.errors import NotFound
from treetop.store.clause import Clause
from treetop.store.freshness import read_zones
from treetop.store.migrations import (
    Migration,
    all_migrations,
    column_is,
    list_migrations,
    on_host,
    updated_between,
)
from treetop.store.pool import reading
from treetop.store.server_filters import NOTHING

_PAGED_SINCE: Final = UUID_SINCE
_COLUMNS: Final = ("status", "migration_type", "user_id", "project_id")
_LIST: Final = query_schema(
    *(
        Parameter(name=name)
        for name in ("hidden", "host", "instance_uuid", "source_compute", "status", "migration_type")
    ),
    Parameter(name="limit", kind=Kind.NUMBER, since=_PAGED_SINCE, is_single=True),
    Parameter(name="marker", since=_PAGED_SINCE, is_single=True),
    Parameter(name="changes-since", kind=Kind.TIME, since=_PAGED_SINCE, is_single=True),
    Parameter(name="changes-before", kind=Kind.TIME, since=66, is_single=True),
    Parameter(name="user_id", since=OWNER_SINCE, is_single=True),
    Parameter(name="project_id", since=OWNER_SINCE, is_single=True),
    strict_since=_PAGED_SINCE,
)


class MigrationList:
    """The list."""

    def __init__(self, pool: ConnectionPool, options: ApiOptions) -> None:
        self._pool = pool
        self._options = options

    def on_get(
        self, request: falcon.Request, response: falcon.Response, project_id: str | None = None
    ) -> None:
        """Answer it, or one page of it."""
        asked = read_request(request, _LIST, Permission.MIGRATIONS_INDEX)
        owner = asked.last("project_id")
        if not owner or owner != asked.caller.project_id:
            asked.caller.require(Permission.MIGRATIONS_INDEX_ALL_PROJECTS)
        limit = page_rows(asked.parameters, most=self._options.page_rows_max)
        with reading(self._pool) as connection:
            request.context.zones = cells(read_zones(connection))
            found = _find(connection, asked, tuple(_clauses(asked)), limit)
        links = links_of(request, self._options, project_id)
        sees_hosts = asked.caller.may(Permission.MIGRATIONS_INDEX_HOST)
        documents: list[Document] = []
        for migration in found:
            document = listed_migration(migration, asked.minor, sees_hosts=sees_hosts)
            if asked.minor >= TYPE_SINCE and migration.is_live_in_progress:
                document["links"] = links.of(f"servers/{migration.server_id}/migrations/{migration.id}")
            documents.append(document)
        body: dict[str, Any] = {"migrations": documents}
        if asked.minor >= _PAGED_SINCE and found and len(found) == limit:
            marker = found[-1].uuid or ""
            body["migrations_links"] = links.next("os-migrations", asked.parameters, marker)
        answer_json(response, body)


def _find(
    connection: psycopg.Connection, asked: Asked, clauses: Sequence[Clause], limit: int
) -> Sequence[Migration]:
    if asked.minor < _PAGED_SINCE:
        return all_migrations(connection, clauses)
    if limit == 0:
        return ()
    try:
        return list_migrations(connection, clauses, limit=limit, marker=asked.last("marker") or None)
    except NotFound as error:
        raise bad_request(str(error)) from None


def _clauses(asked: Asked) -> Iterator[Clause]:
    for name in _COLUMNS:
        value = asked.last(name)
        if value is not None:
            yield column_is(name, value)
    server_id, host, source = asked.last("instance_uuid"), asked.last("host"), asked.last("source_compute")
    if server_id is not None:
        yield column_is("instance_uuid", server_id)
    if host is not None:
        yield on_host(host)
    elif source is not None:
        yield column_is("source_compute", source)
    if is_truthy(asked.last("hidden") or ""):
        yield NOTHING  # those that are hidden are not shown
    yield from updated_between(*changes_window(asked.parameters))
