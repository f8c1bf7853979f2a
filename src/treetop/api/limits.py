# SPDX-License-Identifier: Apache-2.0
"""`GET /limits`: what a project may use and uses.

Facts: Nova 34, api/openstack/compute/limits.py and views/limits.py.
"""

from collections.abc import Mapping
from typing import Final

import falcon
from psycopg_pool import ConnectionPool

from treetop.api.asked import read_request
from treetop.api.json_answer import answer_json
from treetop.api.options import ApiOptions
from treetop.api.parameters import Parameter, query_schema
from treetop.api.permission import Permission
from treetop.api.quotas import Quota, project_quotas, shown_resources
from treetop.api.zone_choice import cells, ids, region_databases
from treetop.store.freshness import read_zones
from treetop.store.pool import reading

_QUERY: Final = query_schema(Parameter(name="tenant_id"))
_IMAGE_METADATA_UNTIL: Final = 39
_MOST: Final = {
    "ram": "maxTotalRAMSize",
    "instances": "maxTotalInstances",
    "cores": "maxTotalCores",
    "key_pairs": "maxTotalKeypairs",
    "floating_ips": "maxTotalFloatingIps",
    "metadata_items": "maxServerMeta",
    "injected_files": "maxPersonality",
    "injected_file_content_bytes": "maxPersonalitySize",
    "security_groups": "maxSecurityGroups",
    "security_group_rules": "maxSecurityGroupRules",
    "server_groups": "maxServerGroups",
    "server_group_members": "maxServerGroupMembers",
}
_USED: Final = {
    "ram": "totalRAMUsed",
    "cores": "totalCoresUsed",
    "instances": "totalInstancesUsed",
    "floating_ips": "totalFloatingIpsUsed",
    "security_groups": "totalSecurityGroupsUsed",
    "server_groups": "totalServerGroupsUsed",
}


class Limits:
    """The limits of the caller's project, or of another for who may see it."""

    def __init__(self, pool: ConnectionPool, options: ApiOptions) -> None:
        self._pool = pool
        self._options = options

    def on_get(
        self, request: falcon.Request, response: falcon.Response, project_id: str | None = None
    ) -> None:
        """Answer them."""
        asked = read_request(request, _QUERY, Permission.LIMITS)
        of = asked.last("tenant_id")
        if of is not None:
            asked.caller.require(Permission.LIMITS_OTHER_PROJECT)
        with reading(self._pool) as connection:
            zones = read_zones(connection)
            regions = region_databases(zones)
            request.context.zones = (*regions, *cells(zones))
            project = asked.caller.project_id if of is None else of
            quotas = project_quotas(connection, ids(regions), self._options.default_quotas, project)
        answer_json(response, {"limits": {"rate": [], "absolute": absolute(quotas, asked.minor)}})


def absolute(quotas: Mapping[str, Quota], minor: int) -> dict[str, int]:
    """Limits and what is used, by the names they have here. Pure."""
    result = {}
    for name in shown_resources(minor):
        if name in _MOST:
            result[_MOST[name]] = quotas[name].limit
        if name in _USED:
            result[_USED[name]] = quotas[name].in_use
    if minor < _IMAGE_METADATA_UNTIL:
        result["maxImageMeta"] = quotas["metadata_items"].limit
    return result
