# SPDX-License-Identifier: Apache-2.0
"""What an answer shows of the servers of zones that are stale: last known state, placeholders, or nothing. Pure.

The operator's choice, or the request's by the header `Treetop-Stale-Zones`. In the mode `unknown` they look as
those of a cell that is down look in Nova: placeholders from 2.69 on where the whole list is asked for, else the
rows are left out of the list; a single server that cannot be shown is a 503 and never a 404, which clients take for a
deleted server.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import falcon

from treetop.api.fault import Fault, bad_request, unavailable
from treetop.api.freshness import is_stale
from treetop.api.options import ApiOptions, StaleZones
from treetop.model.zone import ZoneId
from treetop.store.clause import Clause
from treetop.store.freshness import ZoneView
from treetop.store.server_filters import NOTHING, in_zones

HEADER: Final = "Treetop-Stale-Zones"
_RETRY_SECONDS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """The stale zones whose rows are not shown as they are, and the others.

    has_placeholders: there are some, and the mode is `unknown`.
    """

    zones: tuple[ZoneId, ...] = ()
    others: tuple[ZoneId, ...] = ()
    has_placeholders: bool = False

    def outside(self) -> tuple[Clause, ...]:
        """The condition that leaves their rows out; none if there is nothing to leave out."""
        return (in_zones(self.others) if self.others else NOTHING,) if self.zones else ()

    def inside(self) -> tuple[Clause, ...]:
        """The condition that leaves nothing but their rows."""
        return (in_zones(self.zones),)


def hidden_zones(request: falcon.Request, options: ApiOptions, zones: Sequence[ZoneView]) -> Hidden:
    """What the request and the options want hidden. Raises a 400 `Fault` for a mode that is none."""
    asked = request.get_header(HEADER)
    mode = options.stale_zones if asked is None else _mode(asked)
    if mode is StaleZones.LAST_KNOWN:
        return Hidden()
    stale = tuple(zone.zone_id for zone in zones if is_stale(zone, options.stale_after_seconds))
    return Hidden(
        zones=stale,
        others=tuple(zone.zone_id for zone in zones if zone.zone_id not in stale),
        has_placeholders=bool(stale) and mode is StaleZones.UNKNOWN,
    )


def shown_zones(
    request: falcon.Request, options: ApiOptions, zones: Sequence[ZoneView]
) -> tuple[ZoneView, ...]:
    """Those of the zones whose rows a list shows. Raises as `hidden_zones` does."""
    hidden = hidden_zones(request, options, zones).zones
    return tuple(zone for zone in zones if zone.zone_id not in hidden)


def not_shown(zone: ZoneView) -> Fault:
    """The 503 for a single server of a zone that is hidden."""
    return unavailable(
        f"Zone {zone.freshness.zone} of this server is stale ({zone.freshness.state}), and what is stale is not "
        f"shown. Ask with the header '{HEADER}: {StaleZones.LAST_KNOWN}' for its last known state.",
        retry_after_seconds=_RETRY_SECONDS,
    )


def _mode(text: str) -> StaleZones:
    try:
        return StaleZones(text.strip().lower())
    except ValueError:
        raise bad_request(f"{HEADER} must be one of {', '.join(StaleZones)}, not '{text[:80]}'.") from None
