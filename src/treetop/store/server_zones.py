# SPDX-License-Identifier: Apache-2.0
"""Which zones know a server, by its uuid alone: what an answer about one server draws on.

More than one while a server is moved between zones. A text that is no uuid is in none.
"""

from uuid import UUID

import psycopg

from treetop.model.zone import ZoneId

_READ = """
    SELECT zone_id
    FROM server
    WHERE uuid = %(uuid)s AND (%(project_id)s::text IS NULL OR project_id = %(project_id)s)
    ORDER BY hidden IS TRUE, deleted, zone_id
"""


def zones_of_server(
    connection: psycopg.Connection, server_id: str, *, project_id: str | None
) -> tuple[ZoneId, ...]:
    """The zones that hold a row of this server of `project_id` (None: of any), the one that shows it first.

    Deleted servers count as well.
    """
    try:
        uuid = UUID(server_id)
    except ValueError:
        return ()
    rows = connection.execute(_READ, {"uuid": uuid, "project_id": project_id})
    return tuple(ZoneId(zone_id) for (zone_id,) in rows)
