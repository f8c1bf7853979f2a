# SPDX-License-Identifier: Apache-2.0
"""Which zones an answer will draw on, told from its path before it is made: those that a demand of freshness waits
for. Pure.

Zones that the answer then does not draw on are waited for in vain; one that was not waited for is noticed when the
answer is there (`Freshness`). So a path that is not known here counts for every zone.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from treetop.api.zone_choice import (
    Zones,
    aggregate_sources,
    cells,
    flavor_sources,
    open_cells,
    region_databases,
)
from treetop.store.freshness import ZoneView


def _regions_and_open_cells(zones: Sequence[ZoneView]) -> Zones:
    return (*region_databases(zones), *open_cells(zones))


_BY_NOUN: Final[Mapping[str, Callable[[Sequence[ZoneView]], Zones]]] = MappingProxyType(
    {
        "extensions": lambda _zones: (),
        "flavors": flavor_sources,
        "os-aggregates": aggregate_sources,
        "os-availability-zone": _regions_and_open_cells,
        "os-hypervisors": open_cells,
        "os-keypairs": region_databases,
        "os-services": _regions_and_open_cells,
        "os-simple-tenant-usage": cells,
    }
)


def zones_awaited(template: str, zones: Sequence[ZoneView]) -> Zones:
    """Those that a path may draw on. template: the route's, such as `/v2.1/{project_id:project}/flavors`."""
    segments = [segment for segment in template.split("/") if segment and not segment.startswith("{")]
    noun = segments[1] if len(segments) > 1 else ""
    return _BY_NOUN.get(noun, tuple)(zones)


def zones_of_one_server(zones: Sequence[ZoneView], zone_ids: Collection[int]) -> Zones:
    """Of a server that these zones know: they, and their regions' own databases."""
    own = tuple(zone for zone in zones if zone.zone_id in zone_ids)
    regions = {zone.region for zone in own}
    return (
        *own,
        *(
            zone
            for zone in region_databases(zones)
            if zone.region in regions and zone.zone_id not in zone_ids
        ),
    )
