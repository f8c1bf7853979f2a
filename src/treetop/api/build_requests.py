# SPDX-License-Identifier: Apache-2.0
"""Which build requests a page of servers begins with, filtered and ordered in Nova's way, not the cells'. Pure.

Patterns mind the case, an attribute without a value passes every pattern, and the time of the last change is not
looked at. Facts: Nova 34, objects/build_request.py (`BuildRequestList.get_by_filters`), compute/api.py (`get_all`).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Final

import orjson

from treetop.api.server_listing import Life, ServerListing
from treetop.store.build_requests import BuildRequest
from treetop.store.server_order import SortKey

_EXACT: Final = frozenset(
    ("project_id", "user_id", "image_ref", "vm_state", "uuid", "host", "task_state", "flavor")
)
_NO_COLUMN: Final = frozenset(("ip", "ip6", "description"))
_RENAMED: Final = {"flavor": "flavor_id"}
_TAGS: Final[Mapping[str, Callable[[set[str], set[str]], bool]]] = MappingProxyType(
    {
        "tags": lambda asked, held: asked <= held,
        "tags-any": lambda asked, held: bool(asked & held),
        "not-tags": lambda asked, held: not asked <= held,
        "not-tags-any": lambda asked, held: not asked & held,
    }
)
_LAST: Final = ("created_at", "number")

#: A pattern and values in, those in which it is found out.
Matching = Callable[[str, Collection[str]], Collection[str]]


def may_be_listed(listing: ServerListing) -> bool:
    """Say whether any build request can be in the page: none is deleted, and none has an address yet."""
    asks_address = bool({"ip", "ip6"} & listing.filters.keys())
    is_deleted = listing.life in (Life.GONE, Life.GONE_OR_SOFT_DELETED)
    return listing.limit > 0 and not is_deleted and not (asks_address and listing.marker is None)


def page_of_build_requests(
    requests: Sequence[BuildRequest], listing: ServerListing, matching: Matching
) -> tuple[Sequence[BuildRequest], bool]:
    """Those of the page in their order, and whether the page's marker is one of them (then no cell has it).

    Raises what `matching` raises.
    """
    chosen = [request for request in requests if _passes(request.columns, listing)]
    for name, pattern in listing.filters.items():
        if name not in _EXACT and name not in _NO_COLUMN:
            chosen = _matched(chosen, name, pattern, matching)
    first = listing.order[0].descending
    keys = [*listing.order, *(SortKey(name=name, descending=first) for name in _LAST)]
    for key in reversed(keys):
        chosen.sort(key=partial(_sort_value, key.name), reverse=key.descending)
    if listing.marker is None:
        return chosen[: listing.limit], False
    for place, request in enumerate(chosen):
        if request.columns["uuid"] == listing.marker:
            return chosen[place + 1 :][: listing.limit], True
    return (), False


def _passes(columns: Mapping[str, Any], listing: ServerListing) -> bool:
    """What needs no pattern."""
    states = listing.states
    if states is not None and (
        columns["vm_state"] not in states.vm_states
        or (states.task_states is not None and columns["task_state"] not in states.task_states)
    ):
        return False
    held = set(orjson.loads(columns["tags"] or "{}"))
    return (
        listing.locked in (None, bool(columns["locked"]))
        and all(_TAGS[name](set(asked), held) for name, asked in listing.tags.items())
        and all(
            columns[_RENAMED.get(name, name)] == asked
            for name, asked in listing.filters.items()
            if name in _EXACT
        )
    )


def _matched(
    requests: Sequence[BuildRequest], name: str, pattern: str, matching: Matching
) -> list[BuildRequest]:
    values = {str(value) for request in requests if (value := request.columns.get(name))}
    found = matching(pattern, values)
    return [
        request for request in requests if not (value := request.columns.get(name)) or str(value) in found
    ]


def _sort_value(name: str, request: BuildRequest) -> tuple[bool, Any]:
    """Comparable with that of every other request: no value is the smallest one."""
    value = request.number if name == "number" else request.columns.get(name)
    return (value is not None, value.lower() if isinstance(value, str) else value)
