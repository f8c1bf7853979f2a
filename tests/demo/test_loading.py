# SPDX-License-Identifier: Apache-2.0
"""Loading a zone: every generated row is there, on both engines, with every character of it."""

from collections import Counter
from datetime import datetime
from typing import Any

import pytest

from tests.demo.conftest import SERVERS, a_population
from treetop.demo import loading
from treetop.demo.loading import copy_lines, load_zone
from treetop.demo.population import plan_server
from treetop.demo.server_rows import server_rows
from treetop.demo.zone_database import Error, ZoneDatabase
from treetop.model.zone import Engine


def _comparable(engine: Engine, value: Any) -> Any:
    if isinstance(value, datetime) and engine is Engine.MARIADB:
        return value.replace(microsecond=0)  # Nova's MariaDB columns hold whole seconds
    return str(value) if not isinstance(value, datetime | int | str | None) else value


def test_all_generated_rows_are_in_the_zone(loaded: ZoneDatabase) -> None:
    expected: dict[str, list[dict[str, Any]]] = {}
    for number in range(1, SERVERS + 1):
        for table, rows in server_rows(plan_server(a_population(), number)).items():
            expected.setdefault(table, []).extend(rows)

    for table, rows in expected.items():
        key = "resource_id" if table == "tags" else "id"
        found = loaded.select(table, "*", order_by=key)
        wanted = sorted(rows, key=lambda row: str(row[key]) if key == "resource_id" else row[key])
        if table == "tags":
            assert Counter(map(str, found)) == Counter(map(str, wanted))
            continue
        for there, row in zip(found, wanted, strict=True):
            filled = {name: _comparable(loaded.engine, value) for name, value in there.items() if name in row}
            assert filled == {name: _comparable(loaded.engine, value) for name, value in row.items()}
            assert all(value is None for name, value in there.items() if name not in row), table


def test_load_says_how_many_rows_it_wrote(cell: ZoneDatabase) -> None:
    written = load_zone(cell, a_population(servers=10))

    tables = [*server_rows(plan_server(a_population(), 1)), "services", "compute_nodes"]
    assert written == sum(cell.count(table) for table in tables)
    assert cell.count("instances") == 10
    assert (cell.count("services"), cell.count("compute_nodes")) == (5, 4)


def test_load_in_several_chunks_is_the_same(cell: ZoneDatabase, monkeypatch: Any) -> None:
    monkeypatch.setattr(loading, "CHUNK_SERVERS", 7)

    load_zone(cell, a_population(servers=20))

    uuids = [row["uuid"] for row in cell.select("instances", "uuid")]
    assert uuids == [plan_server(a_population(servers=20), number).uuid for number in range(1, 21)]
    assert cell.transactions == 4  # three chunks of servers, then the hosts


def test_hosts_count_what_their_servers_use(loaded: ZoneDatabase) -> None:
    for node in loaded.select("compute_nodes", "host running_vms vcpus_used memory_mb_used"):
        servers = loaded.select("instances", "vcpus memory_mb", host=node["host"], deleted=0)

        assert node["running_vms"] == len(servers) > 0
        assert node["vcpus_used"] == sum(int(str(server["vcpus"])) for server in servers)
        assert node["memory_mb_used"] == 512 + sum(int(str(server["memory_mb"])) for server in servers)


def test_next_ids_follow_the_loaded_ones(loaded: ZoneDatabase) -> None:
    highest = loaded.largest_id("instance_id_mappings")

    with loaded.transaction():
        new = loaded.insert("instance_id_mappings", {"uuid": "new", "deleted": 0})

    assert new == highest + 1


def test_foreign_keys_are_checked_again_after_a_load(loaded: ZoneDatabase) -> None:
    with pytest.raises(Error, match="foreign key"), loaded.transaction():
        loaded.insert("instance_extra", {"instance_uuid": "nobody", "deleted": 0})


def test_lines_escape_what_separates_them() -> None:
    assert (
        copy_lines([{"a": "x\ty\nz\\", "b": None, "c": True, "d": False, "e": 5}])
        == b"x\\ty\\nz\\\\\t\\N\t1\t0\t5\n"
    )
