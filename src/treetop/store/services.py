# SPDX-License-Identifier: Apache-2.0
"""Nova's services as their zones have them, in Nova's order: by cell, then by row.

Only zones that share their hosts have any. Reads every service of the zones asked for: about as many as hosts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg.rows import class_row

from treetop.model.zone import ZoneId

_READ: Final = """
    SELECT services.zone_id, services.id, services.uuid, services.host, services."binary",
           services.disabled IS TRUE AS is_disabled,
           services.disabled_reason,
           services.forced_down IS TRUE AS is_forced_down,
           services.updated_at,
           services.silent_seconds::float8 AS silent_seconds,
           placed.name AS availability_zone
    FROM live_service AS services
    JOIN zone ON zone.id = services.zone_id
    JOIN cell_place USING (zone_id)
    LEFT JOIN host_availability_zone AS placed ON placed.region = zone.region AND placed.host = services.host
    WHERE services.zone_id = ANY(%(zones)s::smallint[])
      AND (%(host)s::text IS NULL OR services.host = %(host)s)
      AND (%(binary)s::text IS NULL OR services."binary" = %(binary)s)
      AND services."binary" <> ALL(%(hidden)s::text[])
    ORDER BY cell_place.place, services.id
"""

COMPUTE: Final = "nova-compute"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service. silent_seconds: as `live_service` says; None: it has never been there.

    availability_zone: by the aggregates of its region; None: they name none. updated_at: text.
    """

    zone_id: int
    id: int
    uuid: str | None
    host: str | None
    binary: str | None
    is_disabled: bool
    disabled_reason: str | None
    is_forced_down: bool
    updated_at: str | None
    silent_seconds: float | None
    availability_zone: str | None

    def is_up(self, down_seconds: int) -> bool:
        """Say whether it is alive. down_seconds: how long it may be silent."""
        return is_alive(self.silent_seconds, down_seconds) and not self.is_forced_down

    def zone_name(self, *, default: str, internal: str) -> str:
        """Nova's availability zone of it; what runs no servers is in the internal one."""
        return (self.availability_zone or default) if self.binary == COMPUTE else internal


def is_alive(silent_seconds: float | None, down_seconds: int) -> bool:
    """Say whether a service has been heard of lately enough. silent_seconds None: never."""
    return silent_seconds is not None and silent_seconds <= down_seconds


def list_services(
    connection: psycopg.Connection,
    zone_ids: Sequence[ZoneId],
    *,
    host: str | None = None,
    binary: str | None = None,
    hidden: Sequence[str] = (),
) -> list[Service]:
    """The services of these zones, of one host or binary if asked. hidden: binaries that are not listed."""
    with connection.cursor(row_factory=class_row(Service)) as cursor:
        parameters = {"zones": list(zone_ids), "host": host, "binary": binary, "hidden": list(hidden)}
        return cursor.execute(_READ, parameters).fetchall()
