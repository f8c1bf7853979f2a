# SPDX-License-Identifier: Apache-2.0
"""What a list request asks for: parameters as sent in, a checked `ServerListing` out. Pure.

The steps and their order are Nova's, so that of two faults in a request the same one is named. Where Nova's own
behaviour is a fault (a sort direction that slides), this does the sane thing instead;
docs/reference/differences-from-nova.md says where.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from treetop.api.caller import Caller
from treetop.api.changes_window import changes_window
from treetop.api.fault import bad_request, forbidden
from treetop.api.parameters import Parameters, is_truthy, last, page_rows, parse_flag, validate
from treetop.api.permission import Permission
from treetop.api.server_parameters import JOINED_TABLES, SERVER_PARAMETERS, SERVER_QUERY, is_sorted_by
from treetop.nova.states import States, states_of
from treetop.store.server_order import NEWEST_FIRST, SortKey

TAG_FILTERS: Final = ("tags", "tags-any", "not-tags", "not-tags-any")
_STATUS_REFUSED_SINCE: Final = 38
_ADMIN_SORT_KEYS: Final = ("host", "node")
_COLUMNS: Final = {"name": "display_name", "image": "image_ref", "tenant_id": "project_id"}
#: What is no filter on one column, and is read by name.
_READ_BY_NAME: Final = frozenset(
    (
        *("status", "all_tenants", "deleted", "soft_deleted", "changes-since", "changes-before", "locked"),
        *("sort_key", "sort_dir", "limit", "marker"),
        *TAG_FILTERS,
    )
)


class Life(Enum):
    """Which servers by whether they are deleted."""

    LIVE = "live"
    LIVE_OR_SOFT_DELETED = "live or soft-deleted"
    GONE = "deleted"
    GONE_OR_SOFT_DELETED = "deleted or soft-deleted"
    ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRequest:
    """What decides a list besides its parameters. page_rows_max: Nova's `[api] max_limit`."""

    minor: int
    caller: Caller
    is_detail: bool
    page_rows_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerListing:
    """One page that may be asked for.

    filters: column of Nova's (or `flavor`, `ip`, `ip6`, `description`) -> what it is asked for; of two parameters for
    one column the later one. states: by `status`; None: not asked. since, before: instants of the last update.
    is_of_all: servers of every project may be listed. tags: by parameter. marker: None: the first page.
    sent: what the next page's link repeats.
    """

    sent: Parameters
    filters: Mapping[str, str]
    is_of_all: bool
    states: States | None
    life: Life
    since: datetime | None
    before: datetime | None
    tags: Mapping[str, Sequence[str]]
    locked: bool | None
    order: tuple[SortKey, ...]
    limit: int
    marker: str | None


def server_listing(pairs: Sequence[tuple[str, str]], request: ListRequest) -> ServerListing | None:
    """What `pairs`, the parameters as sent, ask for; None: nothing that can be. Raises a 400 or 403 `Fault`."""
    checked = validate(pairs, SERVER_QUERY, minor=request.minor)
    kind = Permission.SERVERS_DETAIL if request.is_detail else Permission.SERVERS_INDEX
    request.caller.require(kind)
    parameters = _allowed(checked, request)
    states = _states(parameters, request.minor)
    if states is not None and not states.vm_states:
        return None
    since, before = changes_window(parameters)
    life = _life(parameters, states, is_admin=request.caller.is_admin)
    tags = {name: asked.split(",") for name in TAG_FILTERS if (asked := last(parameters, name)) is not None}
    sees_all = _all_projects(parameters, request)
    locked = last(parameters, "locked")
    return ServerListing(
        sent=checked,
        filters=_filters(parameters, states, None if sees_all else request.caller),
        is_of_all=sees_all,
        states=states,
        life=life,
        since=since,
        before=before,
        tags=tags,
        locked=None if locked is None else parse_flag(locked),
        order=_order(parameters, request),
        limit=page_rows(parameters, most=request.page_rows_max),
        marker=last(parameters, "marker") or None,
    )


def _allowed(checked: Parameters, request: ListRequest) -> Parameters:
    """Drop what the caller may not filter by; refuse names that no server can be filtered by."""
    kept = checked
    if not request.caller.may(Permission.ALL_FILTERS):
        kept = {name: values for name, values in checked.items() if _is_open(name, request.minor)}
    for name in kept:
        if name in JOINED_TABLES or name.startswith("_"):
            raise bad_request(f"Invalid filter field: {name}.")
    return kept


def _is_open(name: str, minor: int) -> bool:
    parameter = SERVER_PARAMETERS.get(name)
    return (
        parameter is not None and parameter.everyone_since is not None and parameter.everyone_since <= minor
    )


def _states(parameters: Parameters, minor: int) -> States | None:
    """The states of the asked statuses; none of them: a 400, of old an empty list."""
    statuses = parameters.get("status")
    if statuses is None:
        return None
    states = states_of(statuses)
    if not states.vm_states and minor >= _STATUS_REFUSED_SINCE:
        raise bad_request("Invalid status value")
    return states


def _life(parameters: Parameters, states: States | None, *, is_admin: bool) -> Life:
    asked = last(parameters, "deleted")
    soft = last(parameters, "soft_deleted")
    if states is not None and states.vm_states == {"deleted"}:
        if not is_admin:
            raise forbidden("Only administrators may list deleted instances")
        asked = "true"
    if asked is None:
        if "changes-since" in parameters or "changes-before" in parameters:
            return Life.ANY
        asked = "false"
    if is_truthy(asked):
        return Life.GONE if soft == "" else Life.GONE_OR_SOFT_DELETED
    return Life.LIVE_OR_SOFT_DELETED if soft else Life.LIVE


def _all_projects(parameters: Parameters, request: ListRequest) -> bool:
    asked = last(parameters, "all_tenants")
    if asked is None or (asked and not parse_flag(asked)):
        return False
    request.caller.require(
        Permission.DETAIL_ALL_TENANTS if request.is_detail else Permission.INDEX_ALL_TENANTS
    )
    return True


def _filters(parameters: Parameters, states: States | None, owner: Caller | None) -> Mapping[str, str]:
    """The filters on single columns. owner: whose project's servers, or own ones; None: everybody's."""
    filters = {
        _COLUMNS.get(name, name): values[-1]
        for name, values in parameters.items()
        if name not in _READ_BY_NAME and not (name == "tenant_id" and owner is not None)
    }
    if owner is not None:
        filters |= {"project_id": owner.project_id} if owner.project_id else {"user_id": owner.user_id}
    if states is not None:
        filters.pop("vm_state", None)
        if states.task_states is not None:
            filters.pop("task_state", None)
    return filters


def _order(parameters: Parameters, request: ListRequest) -> tuple[SortKey, ...]:
    """The asked keys with their directions; a missing one is like the first, without any: descending."""
    names = [name.strip() for name in parameters.get("sort_key", ())]
    directions = [direction.strip() for direction in parameters.get("sort_dir", ())] or ["desc"]
    names = names or [key.name for key in NEWEST_FIRST]
    kept: list[str] = []
    for name in names:
        if not is_sorted_by(name, request.minor):
            if len(directions) > len(kept):
                directions.pop(len(kept))  # an ignored key takes its direction along
            continue
        if name in _ADMIN_SORT_KEYS and not request.caller.is_admin:
            raise forbidden(f"Only administrators can sort servers by {name}")
        kept.append(name)
    if any(direction not in ("asc", "desc") for direction in directions):
        raise bad_request("Invalid input received: Unknown sort direction, must be 'desc' or 'asc'")
    kept = kept or [key.name for key in NEWEST_FIRST]
    if len(directions) > len(kept):
        raise bad_request("Invalid input received: Sort direction size exceeds sort key size")
    first = directions[0] if directions else "desc"
    directions += [first] * (len(kept) - len(directions))
    return tuple(
        SortKey(name=name, descending=direction == "desc")
        for name, direction in zip(kept, directions, strict=True)
    )
