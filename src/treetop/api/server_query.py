# SPDX-License-Identifier: Apache-2.0
"""What a listing asks for, as conditions on the aggregate table: a `ServerListing` in, a `ServerQuery` out. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from treetop.api.server_listing import Life, ServerListing
from treetop.api.server_parameters import SERVER_PARAMETERS
from treetop.store.clause import Clause
from treetop.store.freshness import ZoneView, feed_reaches
from treetop.store.server_filters import (
    GONE,
    GONE_OR_SOFT_DELETED,
    LIVE,
    NOT_SOFT_DELETED,
    has_flavor,
    is_true,
    on_host,
    one_of,
    tagged,
    updated_before,
    updated_since,
)
from treetop.store.servers import ServerQuery

_LIVES: Final[Mapping[Life, tuple[Clause, ...]]] = MappingProxyType(
    {
        Life.LIVE: (LIVE, NOT_SOFT_DELETED),
        Life.LIVE_OR_SOFT_DELETED: (LIVE,),
        Life.GONE: (GONE,),
        Life.GONE_OR_SOFT_DELETED: (GONE_OR_SOFT_DELETED,),
        Life.ANY: (),
    }
)
_TAGS: Final = {  # parameter -> (every tag?, negated?)
    "tags": (True, False),
    "tags-any": (False, False),
    "not-tags": (True, True),
    "not-tags-any": (False, True),
}


def server_query(
    listing: ServerListing, columns: tuple[str, ...], zones: Sequence[ZoneView], *, flavors_of: str | None
) -> ServerQuery:
    """The query for the rows. zones: all there are; flavors_of: the project whose flavors count; None: all."""
    return ServerQuery(
        columns=columns,
        clauses=(
            *_LIVES[listing.life],
            *_filters(listing, zones, flavors_of),
            *_states(listing),
            *_times(listing, zones),
            *_tags(listing),
        ),
        order=listing.order,
        limit=listing.limit,
        marker=listing.marker,
    )


def _filters(listing: ServerListing, zones: Sequence[ZoneView], flavors_of: str | None) -> Iterator[Clause]:
    for name, value in listing.filters.items():
        clause = SERVER_PARAMETERS[name].clause
        if clause is not None:
            yield clause(value)
        elif name == "host":
            yield on_host(value, tuple(zone.zone_id for zone in zones))
        elif name == "flavor":
            yield from has_flavor(value, of_project=flavors_of)
    if listing.locked is not None:
        yield is_true("locked", value=listing.locked)


def _states(listing: ServerListing) -> Iterator[Clause]:
    if listing.states is not None:
        yield one_of("vm_state", listing.states.vm_states)
        if listing.states.task_states is not None:
            yield one_of("task_state", listing.states.task_states)


def _times(listing: ServerListing, zones: Sequence[ZoneView]) -> Iterator[Clause]:
    if listing.since is not None:
        yield from updated_since(listing.since, through_feed=feed_reaches(zones, listing.since))
    if listing.before is not None:
        yield updated_before(listing.before)


def _tags(listing: ServerListing) -> Iterator[Clause]:
    for name, tags in listing.tags.items():
        every, negate = _TAGS[name]
        yield tagged(tags, every=every, negate=negate)
