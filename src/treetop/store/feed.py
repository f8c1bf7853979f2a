# SPDX-License-Identifier: Apache-2.0
"""The feed of changed servers: kept for a while, then pruned, zone by zone.

`changes-since` asks the feed for times at or after `zone_position.feed_from` and looks through the table for older
ones, so pruning moves that instant with what it deletes. Takes a connection in autocommit.
"""

from datetime import timedelta

import psycopg

from treetop.model.zone import ZoneId
from treetop.store.session import store_errors

KEPT = timedelta(days=2)  # clients that poll ask for minutes; an inventory that runs once a day still fits
CLOCKS_APART = timedelta(minutes=5)  # a server's updated_at is its zone's clock, the feed's age the top's


def prune_feed(conn: psycopg.Connection, zone_id: ZoneId, *, kept: timedelta = KEPT) -> int:
    """Delete this zone's entries that are older than `kept`; return how many. One commit."""
    with store_errors(), conn.transaction():
        deleted = conn.execute(
            "DELETE FROM server_feed WHERE zone_id = %s AND applied_at < now() - %s", (zone_id, kept)
        ).rowcount
        if deleted:
            conn.execute(
                "UPDATE zone_position SET feed_from = greatest(feed_from, (now() - %s + %s) AT TIME ZONE 'UTC')"
                " WHERE zone_id = %s AND feed_from IS NOT NULL",
                (kept, CLOCKS_APART, zone_id),
            )
    return deleted
