# SPDX-License-Identifier: Apache-2.0
"""Which zones an answer draws on, among all that are registered. Pure.

What a resource chooses here it also leaves in `request.context.zones`, so that the answer's age is that of its
sources. Zones come by name, and so do the chosen ones: where two hold the same, the first one counts.
"""

from collections.abc import Sequence

from treetop.model.zone import Trust, ZoneId, ZoneKind
from treetop.store.freshness import ZoneView

Zones = tuple[ZoneView, ...]


def region_databases(zones: Sequence[ZoneView]) -> Zones:
    """The regions' own databases: flavors, aggregates, groups, quotas, key pairs."""
    return tuple(zone for zone in zones if zone.kind is ZoneKind.API)


def cells(zones: Sequence[ZoneView]) -> Zones:
    """The zones that have servers."""
    return tuple(zone for zone in zones if zone.kind is ZoneKind.CELL)


def open_cells(zones: Sequence[ZoneView]) -> Zones:
    """The cells that share their hosts."""
    return tuple(zone for zone in cells(zones) if zone.trust is Trust.FULL)


def guarded_regions(zones: Sequence[ZoneView]) -> Zones:
    """The regions' databases that do not share where hosts are, or name hosts of a cell that does not share them."""
    closed = {zone.region for zone in zones if zone.trust is not Trust.FULL}
    return tuple(zone for zone in region_databases(zones) if zone.region in closed)


def unplaced_cells(zones: Sequence[ZoneView]) -> Zones:
    """The cells that share their hosts, of regions that do not share which aggregates these are in."""
    silent = {zone.region for zone in region_databases(zones) if zone.trust is not Trust.FULL}
    return tuple(zone for zone in open_cells(zones) if zone.region in silent)


def flavor_sources(zones: Sequence[ZoneView]) -> Zones:
    """The regions' databases; while none of them was ever loaded, the cells as well, whose servers carry flavors."""
    regions = region_databases(zones)
    return regions if any(zone.freshness.as_of for zone in regions) else (*regions, *cells(zones))


def aggregate_sources(zones: Sequence[ZoneView]) -> Zones:
    """The regions' databases; where only hosts that an open cell has shown may be named, those cells, too."""
    return (*region_databases(zones), *(open_cells(zones) if guarded_regions(zones) else ()))


def ids(zones: Sequence[ZoneView]) -> list[ZoneId]:
    """Their ids, in the same order."""
    return [zone.zone_id for zone in zones]
