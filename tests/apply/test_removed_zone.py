# SPDX-License-Identifier: Apache-2.0
"""A zone that is removed while its worker writes: the removal gets through, and the worker has lost the zone."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.apply.claimed_top import OWNER, everything_at_top, progress_at
from tests.servers import wait_until
from treetop.apply.plan import Plan
from treetop.apply.writer import ZoneWriter
from treetop.errors import LostLease
from treetop.model.change import Op, RowChange
from treetop.model.zone import Zone
from treetop.nova.mirrored_tables import SERVICES
from treetop.store.zones import list_zones, remove_zone

_WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def test_a_batch_under_way_does_not_keep_a_zone_from_being_removed(top_dsn: str, zone: Zone) -> None:
    heartbeat = Plan()
    heartbeat.add([RowChange(Op.UPDATE, "services", (1, *[None] * (len(SERVICES.shared_columns) - 1)))])
    with (
        psycopg.connect(top_dsn, autocommit=True) as conn,
        psycopg.connect(top_dsn, autocommit=True) as watch,
        ZoneWriter(top_dsn, zone.id, OWNER) as writer,
        ThreadPoolExecutor(1) as thread,
    ):
        writer.write(heartbeat.steps())
        writer.commit(progress_at(1))
        writer.write(heartbeat.steps())
        removal = thread.submit(remove_zone, conn, zone.name)
        wait_until("the removal waits for the batch", lambda: watch.execute(_WAITING).fetchone() == (1,))

        with pytest.raises(LostLease):
            writer.commit(progress_at(2))

        assert removal.result(30) == zone
        assert list_zones(conn) == []
    assert not any(everything_at_top(top_dsn).values())
