# SPDX-License-Identifier: Apache-2.0
"""Where the flavors come from: the regions' own databases, or, while no zone of that kind has been read, the servers,
each of which carries the flavor it was made of.

The client asks for all flavors with every list of servers. Finding those that servers carry scans all servers, so
they are kept for a few seconds: one that no server had before shows up that much later.
"""

import threading
import time
from typing import Final

import psycopg

from treetop.api.asked import Asked
from treetop.api.zone_choice import Zones, flavor_sources, ids, region_databases
from treetop.store.embedded_flavors import EmbeddedFlavor, read_flavors
from treetop.store.flavors import FlavorView, carried_flavors, region_flavors
from treetop.store.freshness import read_zones

_KEPT_SECONDS: Final = 5.0


class FlavorShelf:
    """What there is for a caller; safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._carried: tuple[EmbeddedFlavor, ...] = ()
        self._fresh_until = float("-inf")

    def view(self, connection: psycopg.Connection, asked: Asked) -> tuple[FlavorView, Zones]:
        """The flavors that the caller sees, and the zones they come from."""
        zones = read_zones(connection)
        regions = tuple(zone for zone in region_databases(zones) if zone.freshness.as_of is not None)
        if regions:
            source = region_flavors(ids(regions))
        else:
            source = carried_flavors(self._flavors(connection, may_be_kept=not asked.demands_freshness))
        view = FlavorView(source=source, project_id=asked.caller.project_id, sees_all=asked.caller.is_admin)
        return view, flavor_sources(zones)

    def _flavors(self, connection: psycopg.Connection, *, may_be_kept: bool) -> tuple[EmbeddedFlavor, ...]:
        """One thread reads while the others wait for it."""
        with self._lock:
            if not may_be_kept or time.monotonic() >= self._fresh_until:
                self._carried = read_flavors(connection)
                self._fresh_until = time.monotonic() + _KEPT_SECONDS
            return self._carried
