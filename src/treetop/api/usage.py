# SPDX-License-Identifier: Apache-2.0
"""`GET /os-simple-tenant-usage` and `/os-simple-tenant-usage/{project}`: what servers used within a window of time.

Facts: Nova 34, api/openstack/compute/simple_tenant_usage.py and schemas/simple_tenant_usage.py.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import falcon
from psycopg_pool import ConnectionPool

from treetop.api.asked import Asked, read_request
from treetop.api.fault import bad_request
from treetop.api.json_answer import answer_json
from treetop.api.links import links_of
from treetop.api.options import ApiOptions
from treetop.api.parameters import Kind, Parameter, page_rows, query_schema
from treetop.api.permission import Permission
from treetop.api.usage_view import Window, project_usages, server_usage
from treetop.api.zone_choice import cells, ids
from treetop.errors import NotFound
from treetop.store.freshness import read_clock, read_zones
from treetop.store.pool import reading
from treetop.store.usage import UsageQuery, list_used_servers

_PAGED_SINCE: Final = 40
_FORMATS: Final = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%d %H:%M:%S.%f")
_SHOW: Final = (
    Parameter(name="start"),
    Parameter(name="end"),
    Parameter(name="limit", kind=Kind.NUMBER, since=_PAGED_SINCE),
    Parameter(name="marker", since=_PAGED_SINCE),
)
_ONE: Final = query_schema(*_SHOW)
_ALL: Final = query_schema(*_SHOW, Parameter(name="detailed"))
_PATH: Final = "os-simple-tenant-usage"

Json = dict[str, Any]  # Any: JSON


class UsageList:
    """Every project's."""

    def __init__(self, pool: ConnectionPool, options: ApiOptions) -> None:
        self._pool = pool
        self._options = options

    def on_get(
        self, request: falcon.Request, response: falcon.Response, project_id: str | None = None
    ) -> None:
        """Answer one page."""
        asked = read_request(request, _ALL, Permission.USAGE_LIST)
        usages, window = _read(request, asked, self._pool, self._options, of=None)
        is_detailed = _sent(asked, "detailed") == "1"
        body: Json = {"tenant_usages": project_usages(usages, window, is_detailed=is_detailed)}
        links = links_of(request, self._options, project_id)
        if _is_full(usages, asked, self._options):
            body["tenant_usages_links"] = links.next(_PATH, asked.parameters, usages[-1]["instance_id"])
        answer_json(response, body)


class ProjectUsage:
    """One project's."""

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
        """Answer one page; an empty object if nothing was used."""
        asked = read_request(request, _ONE)
        asked.caller.require(Permission.USAGE_SHOW, project_id=of_project_id)
        usages, window = _read(request, asked, self._pool, self._options, of=of_project_id)
        found = project_usages(usages, window, is_detailed=True)
        body: Json = {"tenant_usage": found[0] if found else {}}
        links = links_of(request, self._options, project_id)
        if _is_full(usages, asked, self._options):
            path = f"{_PATH}/{of_project_id}"
            body["tenant_usage_links"] = links.next(path, asked.parameters, usages[-1]["instance_id"])
        answer_json(response, body)


def _read(
    request: falcon.Request, asked: Asked, pool: ConnectionPool, options: ApiOptions, *, of: str | None
) -> tuple[list[Json], Window]:
    with reading(pool) as connection:
        window = _window(asked, lambda: read_clock(connection))
        zones = request.context.zones = cells(read_zones(connection))
        query = UsageQuery(
            begin=window.begin,
            end=window.end,
            project_id=of,
            limit=page_rows(asked.parameters, most=options.page_rows_max),
            marker=asked.last("marker"),
        )
        try:
            servers = list_used_servers(connection, ids(zones), query)
        except NotFound as error:
            raise bad_request(str(error)) from None
    return [server_usage(server, window) for server in servers], window


def _window(asked: Asked, clock: Callable[[], datetime]) -> Window:
    """The window that is asked for, not beyond the present. What is not sent is the present.

    Nova reads the clock twice: without a beginning and an end there is a moment between them, and an answer.
    """
    now = clock().astimezone(UTC)
    begin = _parsed(_sent(asked, "start"), now - timedelta.resolution)
    end = _parsed(_sent(asked, "end"), now)
    if begin >= end:
        raise bad_request("Invalid start time. The start time cannot occur after the end time.")
    return Window(begin=begin, end=min(end, now), now=now)


def _parsed(text: str | None, default: datetime) -> datetime:
    if text is None:
        return default
    for form in _FORMATS:
        with suppress(ValueError):
            return datetime.strptime(text, form).replace(tzinfo=UTC)
    raise bad_request("Invalid datetime string: Datetime is in invalid format")


def _sent(asked: Asked, name: str) -> str | None:
    """The first value that is not empty, as Nova reads these."""
    return next(filter(None, asked.parameters.get(name, ())), None)


def _is_full(usages: list[Json], asked: Asked, options: ApiOptions) -> bool:
    limit = page_rows(asked.parameters, most=options.page_rows_max)
    return asked.minor >= _PAGED_SINCE and bool(usages) and len(usages) == limit
