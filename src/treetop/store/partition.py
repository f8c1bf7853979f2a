# SPDX-License-Identifier: Apache-2.0
"""A zone's own part of the aggregate table: its name, how it is made and dropped, whether it holds rows.

Each zone has a list partition, so that vacuum, bloat and removal of its servers are the zone's own. Writers name the
partition itself: no routing, one plan. Mirrored tables are not partitioned: zones share them (docs/adr/0008).
"""

import psycopg
from psycopg import sql

from treetop.model.zone import Zone, ZoneId
from treetop.nova.mirrored_tables import top_table
from treetop.nova.watched import segment_after, segments
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


def has_rows_after(conn: psycopg.Connection, zone: Zone, key: int) -> bool:
    """Say whether the zone has rows at the top that a load from this row key on would come to again.

    Of a cell whose servers are not all in, only servers count: what the stream has written of mirrored rows
    meanwhile is no reason to compare instead of write. One index look-up per table.
    """
    segment, row_id = segment_after(key, kind=zone.kind, trust=zone.trust)
    if segment.table is None:
        exists = [sql.SQL("SELECT FROM {} WHERE source_id > {}").format(partition(zone.id), row_id)]
    else:
        exists = [
            sql.SQL("SELECT FROM {} WHERE zone_id = {} AND id > {}").format(
                sql.Identifier(top_table(each.table.name)), int(zone.id), row_id if each is segment else 0
            )
            for each in segments(zone.kind, zone.trust)
            if each.table is not None and each.number >= segment.number
        ]
    query = sql.SQL(" OR ").join(sql.SQL("EXISTS ({})").format(one) for one in exists)
    with store_errors():
        row = conn.execute(sql.SQL("SELECT {}").format(query)).fetchone()
    assert row is not None
    return bool(row[0])
