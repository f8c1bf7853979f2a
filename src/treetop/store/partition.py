# SPDX-License-Identifier: Apache-2.0
"""A zone's own part of the aggregate table: its name, how it is made and dropped.

Each zone has a list partition, so that vacuum, bloat, removal and rights are the zone's own. Writers name the
partition itself: no routing, one plan, and a collector's role needs rights on its own partition only.
"""

import psycopg
from psycopg import sql

from treetop.model.zone import ZoneId
from treetop.store.session import store_errors


def partition(zone_id: ZoneId) -> sql.Identifier:
    """Return the name of the zone's partition of `server`."""
    return sql.Identifier(f"server_z{zone_id}")


def create_partition(zone_id: ZoneId) -> sql.Composed:
    """Return the statement that makes the zone's partition; it locks the parent for milliseconds.

    fillfactor 85 leaves room for heap-only updates (a state change then touches no index).
    """
    return sql.SQL("CREATE TABLE {} PARTITION OF server FOR VALUES IN ({}) WITH (fillfactor = 85)").format(
        partition(zone_id), sql.Literal(int(zone_id))
    )


def drop_partition(zone_id: ZoneId) -> sql.Composed:
    """Return the statement that removes the zone's rows at once."""
    return sql.SQL("DROP TABLE IF EXISTS {}").format(partition(zone_id))


def has_servers_after(conn: psycopg.Connection, zone_id: ZoneId, source_id: int) -> bool:
    """Say whether the zone has rows at the top whose `source_id` is above this. One index look-up."""
    query = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE source_id > %s)").format(partition(zone_id))
    with store_errors():
        row = conn.execute(query, (source_id,)).fetchone()
    assert row is not None
    return bool(row[0])
