# SPDX-License-Identifier: Apache-2.0
"""Build requests: servers that were accepted and that no cell has yet. They live for seconds, so all are read.

One whose server some zone already has is left out: that row is the newer truth, whichever of the two zones is read
later. One that cannot be read is left out as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from treetop.model.zone import ZoneId
from treetop.nova.build_request import Columns, build_request_columns
from treetop.store.server_filters import is_uuid

# The table is small by nature, and mostly empty; index nova_build_requests_project.
_READ: Final = """
    SELECT zone_id, id, created_at, updated_at, instance, tags
    FROM nova_build_requests
    WHERE (%(project_id)s::text IS NULL OR project_id = %(project_id)s)
      AND (%(uuid)s::text IS NULL OR instance_uuid = lower(%(uuid)s))
    ORDER BY zone_id, id
"""
# One look-up per zone and server in the primary keys.
_TAKEN: Final = "SELECT uuid::text FROM server WHERE uuid = ANY(%s::uuid[])"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRequest:
    """number: its id in its zone, which is the region's own database. columns: as `server` would have them."""

    zone_id: ZoneId
    number: int
    columns: Columns

    def row(self, columns: Sequence[str]) -> tuple[Any, ...]:  # Any: what the columns hold
        """The row of `server` that it will be, with the zone that it is in so far."""
        values = {"zone_id": self.zone_id, **self.columns}
        return tuple(values[name] for name in columns)


def read_build_requests(
    connection: psycopg.Connection, *, project_id: str | None, uuid: str | None = None
) -> Sequence[BuildRequest]:
    """Those of a project (None: of all), or the one of a server's uuid."""
    parameters = {"project_id": project_id, "uuid": uuid}
    found = []
    for zone_id, number, created_at, updated_at, instance, tags in connection.execute(_READ, parameters):
        columns = build_request_columns(instance, tags, created_at=created_at, updated_at=updated_at)
        if columns is not None and is_uuid(columns["uuid"]):
            found.append(BuildRequest(zone_id=zone_id, number=number, columns=columns))
    if not found:
        return ()
    uuids = [request.columns["uuid"] for request in found]
    taken = {row[0] for row in connection.execute(_TAKEN, (uuids,))}
    return [request for request in found if request.columns["uuid"] not in taken]
