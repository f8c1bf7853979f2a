# SPDX-License-Identifier: Apache-2.0
"""The endless work on a zone: the same for a seed, consistent at every moment, and it stops when told."""

import threading
from datetime import datetime
from typing import Any

import pytest

from tests.demo.conftest import a_population, a_workload, open_zone
from treetop.demo.loading import load_zone
from treetop.demo.zone_database import ZoneDatabase

CHILDREN = ("instance_extra", "instance_info_caches", "instance_metadata", "instance_system_metadata")
CHANGING = ("block_device_mapping", "virtual_interfaces", "instance_faults", "migrations")


def test_work_keeps_every_rule_that_nova_keeps(loaded: ZoneDatabase) -> None:
    workload = a_workload(loaded)

    for _ in range(1200):
        workload.step()

    deleted = [row for row in loaded.select("instances", "id uuid deleted") if row["deleted"]]
    uuids = {row["uuid"] for row in loaded.select("instances", "uuid")}
    assert {"create", "delete", "archive", "resize", "heartbeat", "roll back"} <= set(workload.operations)
    for server in deleted:
        assert server["deleted"] == server["id"]
        assert loaded.count("tags", resource_id=server["uuid"]) == 0
        for table in (*CHILDREN, *CHANGING):
            rows = loaded.select(table, "id deleted", instance_uuid=server["uuid"])
            assert all(row["deleted"] == row["id"] for row in rows), table
    for table in (*CHILDREN, *CHANGING):
        assert {row["instance_uuid"] for row in loaded.select(table, "instance_uuid")} <= uuids, table
    archived = {row["uuid"] for row in loaded.select("shadow_instances", "uuid")}
    assert archived
    assert not archived & uuids
    assert {row["resource_id"] for row in loaded.select("tags", "resource_id", "resource_id")} <= uuids


def test_work_counts_committed_transactions_and_operations(loaded: ZoneDatabase) -> None:
    before = loaded.transactions
    workload = a_workload(loaded)

    names = [workload.step() for _ in range(50)]

    assert workload.operations.total() == 50
    assert set(workload.operations) == set(names)
    assert workload.transactions - before >= 50 - workload.operations["roll back"] - sum(
        workload.operations[name] for name in ("delete metadata", "delete tag", "add tag", "attach volume")
    )


def _everything(database: ZoneDatabase) -> dict[str, list[dict[str, Any]]]:
    """All rows; MariaDB's instants without fractions, and 0 or 1 for truth, as both engines can say it."""

    def plain(value: Any) -> Any:
        if isinstance(value, datetime):
            return value.replace(microsecond=0)
        return str(int(value)) if isinstance(value, bool) else str(value)

    tables = ("instances", *CHILDREN, *CHANGING, "instance_actions", "services", "compute_nodes")
    rows = {table: database.select(table, "*") for table in tables}
    rows["tags"] = database.select("tags", "resource_id tag", "resource_id")
    found = {
        table: [{name: plain(value) for name, value in row.items()} for row in there]
        for table, there in rows.items()
    }
    found["tags"].sort(key=str)
    return found


def test_same_seed_gives_the_same_rows_on_both_engines(request: pytest.FixtureRequest) -> None:
    results = []
    for engine in ("mariadb_database", "postgres_database"):
        with open_zone(request.getfixturevalue(engine)) as zone:
            zone.create_tables()
            load_zone(zone, a_population())
            workload = a_workload(zone)
            steps = [workload.step() for _ in range(150)]
            results.append((steps, _everything(zone)))

    (steps, rows), (other_steps, other_rows) = results
    assert steps == other_steps
    for table in rows:
        assert rows[table] == other_rows[table], table


def test_another_seed_does_other_things(loaded: ZoneDatabase) -> None:
    first, second = a_workload(loaded, seed=1), a_workload(loaded, seed=2)

    assert [first.step() for _ in range(30)] != [second.step() for _ in range(30)]


def test_second_run_with_the_same_seed_goes_on_without_collisions(loaded: ZoneDatabase) -> None:
    for _ in range(3):
        workload = a_workload(loaded)
        for _ in range(60):
            workload.step()

    uuids = [row["uuid"] for row in loaded.select("instances", "uuid")]
    assert len(set(uuids)) == len(uuids)


def test_run_stops_between_operations_and_keeps_the_rate(loaded: ZoneDatabase) -> None:
    workload, stop = a_workload(loaded), threading.Event()
    before = workload.transactions
    timer = threading.Timer(1.0, stop.set)
    timer.start()

    workload.run(stop, transactions_per_second=40)

    timer.join()
    done = workload.transactions - before
    assert 10 <= done <= 40 + 31  # the longest operation has 30
    assert loaded.count("instances", task_state="resize_prep") == 0
