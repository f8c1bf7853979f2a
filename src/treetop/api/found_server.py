# SPDX-License-Identifier: Apache-2.0
"""The one server that a path names, for what is answered about it: its zone, its owner, and some columns.

Looked for in every zone, then among the servers that no cell has yet. Raises Nova's 404 `Fault` for what is no uuid,
no server, deleted, or another project's unless an administrator asks; a 503 for a server of a stale zone that is not
to be shown.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import falcon
import psycopg

from treetop.api.caller import Caller
from treetop.api.fault import Fault, not_found
from treetop.api.options import ApiOptions
from treetop.api.stale_zones import hidden_zones, not_shown
from treetop.store.build_requests import read_build_requests
from treetop.store.freshness import read_zones
from treetop.store.server_filters import is_uuid
from treetop.store.servers import read_server

_OWNER: Final = ("uuid", "zone_id", "project_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundServer:
    """columns: of `server`, by name, those that were asked for. Any: as `store.pool` gives them."""

    uuid: str
    zone_id: int
    project_id: str | None
    columns: Mapping[str, Any]


def no_such_server(server_id: str) -> Fault:
    """The 404 in Nova's words."""
    return not_found(f"Instance {server_id} could not be found.")


def find_server(
    connection: psycopg.Connection,
    server_id: str,
    caller: Caller,
    columns: Sequence[str] = (),
    *,
    with_deleted: bool = False,
) -> FoundServer | None:
    """The server, as far as the caller may know of it. with_deleted: a deleted one, too."""
    project_id = None if caller.is_admin else caller.project_id
    names = (*_OWNER, *columns)
    values = read_server(connection, server_id, names, project_id=project_id, with_deleted=with_deleted)
    if values is None and is_uuid(server_id):
        for asked in read_build_requests(connection, project_id=project_id, uuid=server_id):
            values = asked.row(names)
    if values is None:
        return None
    row = dict(zip(names, values, strict=True))
    return FoundServer(
        uuid=row["uuid"],
        zone_id=row["zone_id"],
        project_id=row["project_id"],
        columns={name: row[name] for name in columns},
    )


def server_of_path(
    connection: psycopg.Connection,
    request: falcon.Request,
    options: ApiOptions,
    server_id: str,
    columns: Sequence[str] = (),
    *,
    with_deleted: bool = False,
    missing: Callable[[str], Fault] = no_such_server,
) -> FoundServer:
    """The same for a request about it; the answer's age is that of its zone. missing: the 404 if it is not there."""
    caller: Caller = request.context.caller
    zones = read_zones(connection)
    server = find_server(connection, server_id, caller, columns, with_deleted=with_deleted)
    if server is None:
        raise missing(server_id)
    own = request.context.zones = tuple(zone for zone in zones if zone.zone_id == server.zone_id)
    if hidden_zones(request, options, own).zones:
        raise not_shown(own[0])
    return server
