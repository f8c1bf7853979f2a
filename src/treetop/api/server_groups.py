# SPDX-License-Identifier: Apache-2.0
"""`GET /os-server-groups` and `/os-server-groups/{id}`.

Facts: Nova 34, api/openstack/compute/server_groups.py.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import falcon
from psycopg_pool import ConnectionPool

from treetop.api.asked import Asked, read_request
from treetop.api.caller import Caller
from treetop.api.fault import not_found
from treetop.api.json_answer import answer_json
from treetop.api.json_text import loads_object
from treetop.api.options import ApiOptions
from treetop.api.parameters import NO_PARAMETERS, Kind, Parameter, bounded, page_rows, query_schema
from treetop.api.permission import Permission
from treetop.api.zone_choice import cells, ids, region_databases
from treetop.store.freshness import read_zones
from treetop.store.pool import reading
from treetop.store.server_groups import ServerGroup, list_server_groups, members_of, read_server_group

_QUERY: Final = query_schema(
    Parameter(name="all_projects"),
    Parameter(name="limit", kind=Kind.NUMBER),
    Parameter(name="offset", kind=Kind.NUMBER),
)
_MOST_OFFSET: Final = 2**31
_OWNER_SINCE: Final = 13
_ONE_POLICY_SINCE: Final = 64


class ServerGroupList:
    """The groups of a project, or of all."""

    def __init__(self, pool: ConnectionPool, options: ApiOptions) -> None:
        self._pool = pool
        self._options = options

    def on_get(
        self, request: falcon.Request, response: falcon.Response, project_id: str | None = None
    ) -> None:
        """Answer one page."""
        asked = read_request(request, _QUERY, Permission.SERVER_GROUPS_INDEX)
        most = self._options.page_rows_max
        with reading(self._pool) as connection:
            zones = read_zones(connection)
            request.context.zones = (*region_databases(zones), *cells(zones))
            groups = list_server_groups(
                connection,
                ids(region_databases(zones)),
                project_id=None if _asks_for_all(asked) else asked.caller.project_id,
                limit=page_rows(asked.parameters, most=most) or most,  # Nova: 0 is no limit
                offset=bounded(asked.last("offset") or "0", most=_MOST_OFFSET),
            )
            members = members_of(connection, groups, project_id=seen_project(asked.caller))
        documents = [
            group_document(group, members.get((group.zone_id, group.id), ()), asked.minor) for group in groups
        ]
        answer_json(response, {"server_groups": documents})


class OneServerGroup:
    """One group by its uuid."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool

    def on_get(
        self,
        request: falcon.Request,
        response: falcon.Response,
        group_id: str,
        project_id: str | None = None,
    ) -> None:
        """Answer its document. Who is no administrator finds the own project's only."""
        asked = read_request(request, NO_PARAMETERS)
        caller = asked.caller
        with reading(self._pool) as connection:
            zones = read_zones(connection)
            request.context.zones = (*region_databases(zones), *cells(zones))
            owner = seen_project(caller)
            group = read_server_group(connection, ids(region_databases(zones)), group_id, project_id=owner)
            if group is None:
                raise not_found(f"Instance group {group_id} could not be found.")
            caller.require(Permission.SERVER_GROUPS_SHOW, project_id=group.project_id)
            members = members_of(connection, [group], project_id=owner)
        document = group_document(group, members.get((group.zone_id, group.id), ()), asked.minor)
        answer_json(response, {"server_group": document})


def seen_project(caller: Caller) -> str | None:
    """Whose servers and groups a caller may see; None: every project's."""
    return None if caller.is_admin else caller.project_id


def group_document(group: ServerGroup, members: Sequence[str], minor: int) -> dict[str, Any]:  # Any: JSON
    """The document of a group. Pure."""
    document: dict[str, Any] = {"id": group.uuid, "name": group.name, "members": members}
    if minor >= _ONE_POLICY_SINCE:
        document |= {"policy": group.policy, "rules": _rules(group.rules)}
    else:
        document |= {"policies": [] if group.policy is None else [group.policy], "metadata": {}}
    if minor >= _OWNER_SINCE:
        document |= {"project_id": group.project_id, "user_id": group.user_id}
    return document


def _asks_for_all(asked: Asked) -> bool:
    """Nova ignores the parameter of others than administrators."""
    if asked.last("all_projects") is None or not asked.caller.is_admin:
        return False
    asked.caller.require(Permission.SERVER_GROUPS_INDEX_ALL_PROJECTS)
    return True


def _rules(text: str | None) -> Mapping[str, int]:
    """There is one rule, which Nova keeps as a text and shows as a number."""
    most = loads_object(text).get("max_server_per_host")
    try:
        return {} if most is None else {"max_server_per_host": int(most)}
    except (TypeError, ValueError):
        return {}
