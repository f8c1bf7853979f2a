# SPDX-License-Identifier: Apache-2.0
"""`GET /os-quota-sets/{project}`, `…/detail` and `…/defaults`.

Nova asks Keystone whether there is such a project; here any may be asked for. Facts: Nova 34,
api/openstack/compute/quota_sets.py.
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
from treetop.api.quotas import Quota, default_quotas, project_limits, project_quotas, shown_resources
from treetop.api.zone_choice import cells, ids, region_databases
from treetop.store.freshness import read_zones
from treetop.store.pool import reading

_QUERY: Final = query_schema(Parameter(name="user_id"))
_ANYTHING: Final = query_schema(strict_since=1000)  # Nova never refuses parameters of the defaults


class QuotaSet:
    """What a project may use, or a user in it."""

    def __init__(self, pool: ConnectionPool, options: ApiOptions, *, is_detail: bool) -> None:
        self._pool = pool
        self._options = options
        self._is_detail = is_detail

    def on_get(
        self,
        request: falcon.Request,
        response: falcon.Response,
        of_project_id: str,
        project_id: str | None = None,
    ) -> None:
        """Answer it. The long form says what is used, too."""
        asked = read_request(request, _QUERY)
        permission = Permission.QUOTA_SETS_DETAIL if self._is_detail else Permission.QUOTA_SETS_SHOW
        asked.caller.require(permission, project_id=of_project_id)
        user = asked.last("user_id") if self._is_detail else asked.first("user_id")
        with reading(self._pool) as connection:
            zones = read_zones(connection)
            regions = region_databases(zones)
            request.context.zones = (*regions, *cells(zones)) if self._is_detail else regions
            source = (connection, ids(regions), self._options.default_quotas, of_project_id)
            values: Mapping[str, object] = (
                _with_usage(project_quotas(*source, user_id=user or None))
                if self._is_detail
                else project_limits(*source, user_id=user or None)
            )
        shown = {name: values[name] for name in shown_resources(asked.minor)}
        answer_json(response, {"quota_set": {"id": of_project_id, **shown}})


class DefaultQuotaSet:
    """What a project may use for which nothing was set."""

    def __init__(self, pool: ConnectionPool, options: ApiOptions) -> None:
        self._pool = pool
        self._options = options

    def on_get(
        self,
        request: falcon.Request,
        response: falcon.Response,
        of_project_id: str,
        project_id: str | None = None,
    ) -> None:
        """Answer it."""
        asked = read_request(request, _ANYTHING)
        asked.caller.require(Permission.QUOTA_SETS_DEFAULTS, project_id=of_project_id)
        with reading(self._pool) as connection:
            zones = request.context.zones = region_databases(read_zones(connection))
            limits = default_quotas(connection, ids(zones), self._options.default_quotas)
        shown = {name: limits[name] for name in shown_resources(asked.minor)}
        answer_json(response, {"quota_set": {"id": of_project_id, **shown}})


def _with_usage(quotas: Mapping[str, Quota]) -> Mapping[str, object]:
    """Nova reserves nothing any more."""
    return {
        name: {"limit": quota.limit, "in_use": quota.in_use, "reserved": 0} for name, quota in quotas.items()
    }
