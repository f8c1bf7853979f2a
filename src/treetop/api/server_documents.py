# SPDX-License-Identifier: Apache-2.0
"""Rows of servers -> their documents: what other tables say about them is read for the rows of the page and put in.

At most one statement per join of `server_fields.JOINS`, none for an empty page; what a microversion or a policy
does not show is not read.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import falcon
import psycopg

from treetop.api.caller import Caller
from treetop.api.json_text import dumps, text
from treetop.api.links import base_url
from treetop.api.options import ApiOptions
from treetop.api.server_view import Joined, Page, ServerView
from treetop.model.zone import Trust
from treetop.store.freshness import ZoneView
from treetop.store.server_joins import (
    HostKey,
    availability_zones,
    group_uuids,
    host_statuses,
    request_specs,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """The rows of a page as a view asked for them, and for whom."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]
    caller: Caller
    options: ApiOptions

    def values(self, column: str) -> Iterator[Any]:
        """One column of every row."""
        place = self.columns.index(column)
        return (row[place] for row in self.rows)

    def hosts(self) -> set[HostKey]:
        """The hosts, each once."""
        return {key for key in zip(self.values("zone_id"), self.values("host"), strict=True) if key[1]}

    def uuids(self) -> list[str]:
        """The servers."""
        return list(self.values("uuid"))


def _host_zones(connection: psycopg.Connection, rows: _Rows) -> Mapping[HostKey, str]:
    found = availability_zones(connection, rows.hosts())
    return {host: text(zone or rows.options.default_availability_zone) for host, zone in found.items()}


def _host_statuses(connection: psycopg.Connection, rows: _Rows) -> Mapping[HostKey, str]:
    return host_statuses(connection, rows.hosts(), down_seconds=rows.options.service_down_seconds)


def _request_specs(
    connection: psycopg.Connection, rows: _Rows
) -> Mapping[str, tuple[str | None, str | None]]:
    return request_specs(connection, rows.uuids())


def _server_groups(connection: psycopg.Connection, rows: _Rows) -> Mapping[str, str]:
    """As JSON. Nobody but an administrator sees another project's group, whoever's server is in it."""
    project_id = None if rows.caller.is_admin else rows.caller.project_id
    found = group_uuids(connection, rows.uuids(), project_id=project_id)
    return {uuid: dumps([group]) for uuid, group in found.items()}


_READERS: Final[Mapping[str, Callable[[psycopg.Connection, _Rows], Mapping[Any, Any]]]] = MappingProxyType(
    {
        "host_zones": _host_zones,
        "host_statuses": _host_statuses,
        "request_specs": _request_specs,
        "server_groups": _server_groups,
    }
)


def documents(
    connection: psycopg.Connection,
    view: ServerView,
    rows: Sequence[tuple[Any, ...]],
    page: Page,
    caller: Caller,
    options: ApiOptions,
) -> list[str]:
    """The JSON text of each row; `rows` have the columns of `view`."""
    given = _Rows(columns=view.columns, rows=rows, caller=caller, options=options)
    joined: Joined = {name: _READERS[name](connection, given) if rows else {} for name in view.joins}
    return view.render(rows, page, joined)


def page_of(
    request: falcon.Request, options: ApiOptions, project_id: str | None, zones: Sequence[ZoneView]
) -> Page:
    """What the documents of an answer share. zones: all that servers may be of."""
    return Page(
        base_url=base_url(request, options),
        project_id=project_id,
        open_zones=frozenset(zone.zone_id for zone in zones if zone.trust is Trust.FULL),
        instance_name_template=options.instance_name_template,
        default_availability_zone=options.default_availability_zone,
    )
