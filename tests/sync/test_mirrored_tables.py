# SPDX-License-Identifier: Apache-2.0
"""Mirrored tables of real zones: loaded, followed, truncated, compared, mended; nothing of hosts without trust."""

import json
from collections.abc import Iterable

from tests.servers import create_mariadb_database, drop_mariadb_database, wait_until
from tests.sync.mirrored import (
    HOST,
    add_server,
    fill_api_database,
    fill_mirrored_cell_tables,
    rows_at_top,
    rows_in_zone,
)
from tests.sync.running import LIVE, Cell, Top
from treetop.demo.mariadb import PrivateMariaDB
from treetop.model.zone import Trust, ZoneKind
from treetop.nova.mirrored_tables import MIRRORED_API_TABLES, MIRRORED_CELL_TABLES, top_table
from treetop.nova.watched import describe_key


def read_tables(top: Top) -> list[str]:
    """Every table of the top that has rows, partitions as their parent."""
    rows = top.execute("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
                       " AND relkind IN ('r', 'p') AND NOT relispartition")  # fmt: skip
    return [str(name) for (name,) in rows if top.execute(f"SELECT 1 FROM {name} LIMIT 1")]


def require_same_rows(top: Top, cell: Cell, tables: Iterable[str]) -> None:
    at_top, in_zone = rows_at_top(top, tables), rows_in_zone(cell, tables)
    assert any(in_zone.values())
    for name in in_zone:
        assert at_top[name] == in_zone[name], name


def test_an_api_database_is_loaded_and_followed(top: Top, cell: Cell) -> None:
    fill_api_database(cell, servers=40)
    top.add("api", cell, kind=ZoneKind.API)
    with top.worker("api", chunk_servers="2"):
        top.wait_for_state("api", LIVE)
        require_same_rows(top, cell, MIRRORED_API_TABLES)

        with cell.open() as zone, zone.transaction():
            add_server(zone, 100, availability_zone="az1", scheduler_hints={"group": ["g1"], "_nova_x": [1]})
            zone.delete("build_requests", id=1)
            zone.update("flavors", {"rxtx_factor": 2.5, "description": "d", "disabled": True}, id=1)
            zone.update("key_pairs", {"id": 70, "type": "ssh"}, id=1)
            zone.delete("quotas")
        cell.execute("DELETE FROM flavor_projects")
        cell.execute("TRUNCATE aggregate_metadata")
        top.wait_until_applied("api")

        require_same_rows(top, cell, MIRRORED_API_TABLES)
        top.require_equal("api")
        asked = top.execute(
            "SELECT availability_zone, scheduler_hints FROM nova_request_specs WHERE id IN (1, 41) ORDER BY id"
        )
    assert [(zone, json.loads(hints)) for zone, hints in asked] == [(None, {}), ("az1", {"group": ["g1"]})]
    report = top.report("api")
    assert (report.servers, report.is_loaded) == (0, True)


def test_a_cells_mirrored_tables_are_loaded_and_followed(top: Top, cell: Cell) -> None:
    cell.fill(5)
    with cell.open() as zone, zone.transaction():
        fill_mirrored_cell_tables(zone)
    top.add("west", cell)
    with top.worker("west", chunk_servers="1"):
        top.wait_for_state("west", LIVE)
        require_same_rows(top, cell, MIRRORED_CELL_TABLES)

        with cell.open() as zone, zone.transaction():
            fill_mirrored_cell_tables(zone, hosts=[3])
            zone.update("services", {"report_count": 7, "disabled": True, "disabled_reason": "né"}, id=2)
            zone.update("compute_nodes", {"ram_allocation_ratio": 0.3, "stats": "{}"}, id=1)
            zone.delete("migrations", id=1)
            zone.update("services", {"id": 900}, id=1)
        top.wait_until_applied("west")

        require_same_rows(top, cell, MIRRORED_CELL_TABLES)
        top.require_equal("west")
        cell.execute("TRUNCATE TABLE instance_actions_events")
        top.wait_until_applied("west")
        require_same_rows(top, cell, MIRRORED_CELL_TABLES)


def test_differences_of_mirrored_rows_are_named_and_mended(top: Top, mariadb_cell: Cell) -> None:
    top.add("api", fill_api_database(mariadb_cell), kind=ZoneKind.API)
    with top.worker("api"):
        top.wait_for_state("api", LIVE)
        top.execute("UPDATE nova_flavors SET name = 'wrong' WHERE id = 1")
        top.execute("DELETE FROM nova_quotas")
        top.execute("INSERT INTO nova_instance_mappings (zone_id, id) SELECT id, 1000 FROM zone")

        found = top.command("zone", "verify", "api")
        repaired = top.command("zone", "verify", "api", "--repair")
        again = top.command("zone", "verify", "api")

    lines = found.stdout.splitlines()
    assert (found.returncode, repaired.returncode, again.returncode) == (1, 0, 0)
    assert lines[-1].endswith("rows compared, 3 differences")
    assert "    name: top 'wrong', zone 'm1.small'" in lines[lines.index("different flavors.id 1") :]
    assert {"missing   quotas.id 1", "extra     instance_mappings.id 1000"} <= set(lines)
    require_same_rows(top, mariadb_cell, MIRRORED_API_TABLES)


def test_a_worker_killed_while_it_loads_an_api_database_goes_on_where_it_was(top: Top, cell: Cell) -> None:
    fill_api_database(cell, servers=60)
    zone = top.add("api", cell, kind=ZoneKind.API)
    reached: list[int] = []

    def gets_on() -> bool:
        report = top.report("api")
        return report.is_loaded or (report.loaded_upto or 0) > max(reached, default=0)

    with cell.open() as database:
        for number in range(4):
            worker = top.worker("api", chunk_servers="1")
            wait_until("the load gets on", gets_on, 30)
            reached.append(top.report("api").loaded_upto or 0)
            with database.transaction():
                add_server(database, 1000 + number)
                database.update("instance_mappings", {"queued_for_delete": True}, id=1 + number)
                database.delete("build_requests", id=1 + number)
            worker.kill()
    is_loaded = top.report("api").is_loaded

    with top.worker("api"):
        top.wait_for_state("api", LIVE)
        top.wait_until_applied("api")
        require_same_rows(top, cell, MIRRORED_API_TABLES)
        top.require_equal("api")
    assert not is_loaded
    assert reached == sorted(reached)
    assert describe_key(reached[-1], kind=zone.kind, trust=zone.trust) != "flavors.id 1"


def test_a_reload_mends_what_is_wrong_and_removes_what_is_gone(top: Top, cell: Cell) -> None:
    top.add("api", fill_api_database(cell), kind=ZoneKind.API)
    with top.worker("api"):
        top.wait_for_state("api", LIVE)
    for name in MIRRORED_API_TABLES:
        top.execute(f"UPDATE {top_table(name)} SET id = id + 1000 WHERE id > 1")
        top.execute(f"INSERT INTO {top_table(name)} (zone_id, id) SELECT id, 5000 FROM zone")

    assert top.command("zone", "resync", "api").returncode == 0
    with top.worker("api"):
        top.wait_for_state("api", LIVE)
        top.require_equal("api")

    require_same_rows(top, cell, MIRRORED_API_TABLES)


def test_of_zones_that_share_servers_only_no_host_is_at_the_top(
    top: Top, mariadb_cell: Cell, postgres_cell: Cell
) -> None:
    fill_api_database(mariadb_cell)
    postgres_cell.fill(5)
    top.add("api", mariadb_cell, kind=ZoneKind.API, trust=Trust.SERVERS)
    top.add("west", postgres_cell, trust=Trust.SERVERS)
    with top.worker("api") as api, top.worker("west") as west:
        for name in ("api", "west"):
            top.wait_for_state(name, LIVE)
        with postgres_cell.open() as zone, zone.transaction():
            fill_mirrored_cell_tables(zone)
        with mariadb_cell.open() as zone, zone.transaction():
            zone.insert("aggregate_hosts", {"aggregate_id": 1, "host": f"{HOST}-2"})
            add_server(zone, 50)
        for name in ("api", "west"):
            top.wait_until_applied(name)
            top.require_equal(name)
        logs = api.log + west.log

    tables = read_tables(top)
    assert {"nova_migrations", "nova_instance_actions_events", "nova_build_requests"} <= set(tables)
    for name in tables:
        assert top.execute(f"SELECT row FROM {name} AS row WHERE row::text LIKE %s", (f"%{HOST}%",)) == [], (
            name
        )
    assert HOST not in logs


def test_a_cell_and_an_api_database_of_one_server_are_two_zones(
    top: Top, mariadb_cell: Cell, mariadb_server: PrivateMariaDB
) -> None:
    api_database = create_mariadb_database(mariadb_server, f"{mariadb_cell.database.name}_api")
    api = Cell(database=api_database, folder=mariadb_cell.folder)
    try:
        top.add("west", mariadb_cell.fill(3))
        top.add("api", fill_api_database(api), kind=ZoneKind.API)
        with top.worker("west"), top.worker("api"):
            for name in ("west", "api"):
                top.wait_for_state(name, LIVE)
            with mariadb_cell.open() as zone, zone.transaction():
                fill_mirrored_cell_tables(zone)
            with api.open() as zone, zone.transaction():
                add_server(zone, 9)
            for name in ("west", "api"):
                top.wait_until_applied(name)
                top.require_equal(name)
        assert top.execute("SELECT DISTINCT name FROM nova_request_specs JOIN zone ON zone.id = zone_id") == [
            ("api",)
        ]
        assert top.execute("SELECT DISTINCT name FROM nova_services JOIN zone ON zone.id = zone_id") == [
            ("west",)
        ]
    finally:
        drop_mariadb_database(api_database)
