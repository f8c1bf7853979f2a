# SPDX-License-Identifier: Apache-2.0
"""What a list request asks for: checked parameters in, a `ServerQuery` out. Pure; the order of the steps is
Nova's.

Where Nova's own behaviour is a fault (500 on NULL sort keys, a sort direction that slides), this does the
sane thing instead; docs/reference/api.md says where.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from treetop.api.caller import Caller
from treetop.api.fault import bad_request, denied, forbidden
from treetop.api.parameters import Parameters, is_truthy, page_rows, parse_flag, parse_time, validate
from treetop.api.permission import Permission
from treetop.api.server_parameters import JOINED_TABLES, SERVER_PARAMETERS, SERVER_QUERY, is_sorted_by
from treetop.model.zone import ZoneId
from treetop.nova.states import states_of
from treetop.store.clause import Clause
from treetop.store.freshness import ZoneView, feed_reaches
from treetop.store.server_filters import (
    GONE,
    GONE_OR_SOFT_DELETED,
    LIVE,
    NOT_SOFT_DELETED,
    NOTHING,
    equals,
    is_true,
    of_project,
    on_host,
    one_of,
    tagged,
    updated_before,
    updated_since,
)
from treetop.store.server_order import NEWEST_FIRST, SortKey
from treetop.store.servers import ServerQuery

_STATUS_REFUSED_SINCE: Final = 38
_ADMIN_SORT_KEYS: Final = ("host", "node")
_TAG_FILTERS: Final = {  # parameter -> (every tag?, negated?)
    "tags": (True, False),
    "tags-any": (False, False),
    "not-tags": (True, True),
    "not-tags-any": (False, True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRequest:
    """What decides a list besides its parameters. page_rows_max: Nova's `[api] max_limit`."""

    minor: int
    caller: Caller
    is_detail: bool
    page_rows_max: int
    columns: tuple[str, ...]
    zones: Sequence[ZoneView]

    @property
    def zone_ids(self) -> tuple[ZoneId, ...]:
        """Every zone."""
        return tuple(zone.zone_id for zone in self.zones)


def server_query(pairs: Sequence[tuple[str, str]], request: ListRequest) -> ServerQuery:
    """The query for `pairs`, the parameters as sent. Raises a 400 or 403 `Fault` in Nova's words."""
    checked = validate(pairs, SERVER_QUERY, minor=request.minor)
    parameters = _allowed(checked, request)
    clauses = (
        *_scope(parameters, request),
        *_states(parameters, request),
        *_life(parameters, request),
        *_times(parameters, request),
        *_others(parameters, request),
    )
    return ServerQuery(
        columns=request.columns,
        clauses=clauses,
        order=_order(parameters, request),
        limit=page_rows(parameters, most=request.page_rows_max),
        marker=_last(parameters, "marker") or None,
    )


def _allowed(checked: Parameters, request: ListRequest) -> Parameters:
    """Drop what the caller may not filter by; refuse names that no server can be filtered by."""
    kept = checked
    if Permission.ALL_FILTERS not in request.caller.permissions:
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


def _scope(parameters: Parameters, request: ListRequest) -> tuple[Clause, ...]:
    """Whose servers: the caller's project, or all (of one project, if asked)."""
    asked = _last(parameters, "all_tenants")
    if asked is None or (asked and not parse_flag(asked)):
        return (of_project(request.caller.project_id),)
    kind = "detail" if request.is_detail else "index"
    permission = Permission[f"{kind.upper()}_ALL_TENANTS"]
    if permission not in request.caller.permissions:
        raise denied(permission)
    return tuple(
        of_project(value)
        for name in ("project_id", "tenant_id")
        if (value := _last(parameters, name)) is not None
    )


def _states(parameters: Parameters, request: ListRequest) -> tuple[Clause, ...]:
    """`status`, which in Nova replaces `vm_state` and mostly `task_state`; else these two."""
    statuses = parameters.get("status")
    vm_state, task_state = _last(parameters, "vm_state"), _last(parameters, "task_state")
    clauses = [] if task_state is None else [equals("task_state", task_state)]
    if statuses is None:
        return (*clauses, *([] if vm_state is None else [equals("vm_state", vm_state)]))
    states = states_of(statuses)
    if not states.vm_states:
        if request.minor >= _STATUS_REFUSED_SINCE:
            raise bad_request("Invalid status value")
        return (NOTHING,)
    if states.task_states is not None:
        clauses = [one_of("task_state", states.task_states)]
    return (*clauses, one_of("vm_state", states.vm_states))


def _life(parameters: Parameters, request: ListRequest) -> tuple[Clause, ...]:
    """Live, deleted, soft-deleted servers, or all of them."""
    asked = _last(parameters, "deleted")
    soft = _last(parameters, "soft_deleted")
    if states_of(parameters.get("status", ())).vm_states == {"deleted"}:
        if not request.caller.is_admin:
            raise forbidden("Only administrators may list deleted instances")
        asked = "true"
    if asked is None:
        if "changes-since" in parameters or "changes-before" in parameters:
            return ()
        asked = "false"
    if is_truthy(asked):
        return (GONE,) if soft == "" else (GONE_OR_SOFT_DELETED,)
    return (LIVE,) if soft else (LIVE, NOT_SOFT_DELETED)


def _times(parameters: Parameters, request: ListRequest) -> tuple[Clause, ...]:
    since = parse_time(_last(parameters, "changes-since") or "")
    before = parse_time(_last(parameters, "changes-before") or "")
    if since is not None and before is not None and before < since:
        raise bad_request("The value of changes-since must be less than or equal to changes-before.")
    clauses: list[Clause] = []
    if since is not None:
        clauses.extend(updated_since(since, through_feed=feed_reaches(request.zones, since)))
    if before is not None:
        clauses.append(updated_before(before))
    return tuple(clauses)


def _others(parameters: Parameters, request: ListRequest) -> tuple[Clause, ...]:
    clauses = [
        clause(values[-1])
        for name, values in parameters.items()
        if (clause := SERVER_PARAMETERS[name].clause) is not None
    ]
    for name, (every, negate) in _TAG_FILTERS.items():
        tags = _last(parameters, name)
        if tags is not None:
            clauses.append(tagged(tags.split(","), every=every, negate=negate))
    locked = _last(parameters, "locked")
    if locked is not None:
        clauses.append(is_true("locked", value=parse_flag(locked)))
    host = _last(parameters, "host")
    if host is not None:
        clauses.append(on_host(host, request.zone_ids))
    return tuple(clauses)


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


def _last(parameters: Parameters, name: str) -> str | None:
    values = parameters.get(name)
    return values[-1] if values else None
