# SPDX-License-Identifier: Apache-2.0
"""Demo zones as the demo uses them: made, filled, worked on by another process, killed, brought back."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pymysql
import pytest

from tests.demo.conftest import a_population
from tests.servers import wait_until
from treetop.capture import open_log, open_rows
from treetop.demo.region import DemoRegion
from treetop.demo.worker import Worker
from treetop.demo.zone_database import Error, ZoneDatabase
from treetop.demo.zones import DemoZone, plan_zones, read_population
from treetop.model.zone import Engine, Trust, Zone, ZoneId, ZoneKind, ZoneName
from treetop.nova.watched import watched_tables

WATCHED = watched_tables(ZoneKind.CELL, Trust.FULL)


@pytest.fixture(scope="module", params=[Engine.MARIADB, Engine.POSTGRESQL])
def zone(request: pytest.FixtureRequest, servers_folder: Path) -> Iterator[DemoZone]:
    """A started zone with a few servers."""
    folder = servers_folder / f"zone-{request.param}"
    zone = DemoZone(name=ZoneName("west"), engine=request.param, folder=folder, dies_with_parent=True)
    zone.start()
    zone.fill(a_population(servers=60, hosts=3))
    yield zone
    zone.remove()


def _as_collector(zone: DemoZone) -> ZoneDatabase:
    password = Path(zone.password.name).read_text().splitlines()[0]
    return ZoneDatabase(zone.source_url(), password)


def test_filling_twice_loads_once(zone: DemoZone) -> None:
    with zone.open_as_nova() as database:
        before = database.count("instances")

    again = zone.fill(a_population(servers=999, hosts=9, seed=9))

    assert (again.servers, again.hosts, again.seed) == (60, 3, 1)
    with zone.open_as_nova() as database:
        assert database.count("instances") == before


def test_interrupted_fill_is_begun_again(zone: DemoZone) -> None:
    zone.population_file.unlink()

    zone.fill(a_population(servers=60, hosts=3))

    with zone.open_as_nova() as database:
        assert database.count("instances") == 60


def test_passwords_are_private_files_and_not_in_urls(zone: DemoZone) -> None:
    for file in (Path(zone.password.name), zone.nova_password_file):
        password = file.read_text().splitlines()[0]

        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert len(password) >= 20
        assert password not in f"{zone!r} {zone.source_url()} {zone.nova_url()} {zone.password}"


def test_collector_reads_what_treetop_reads_and_nothing_else(zone: DemoZone) -> None:
    with _as_collector(zone) as database:
        for table in WATCHED:
            database.count(table)
        for table in ("virtual_interfaces", "instance_id_mappings", "shadow_instances"):
            with pytest.raises(Error, match="denied"):
                database.count(table)


def test_collector_changes_nothing(zone: DemoZone) -> None:
    with _as_collector(zone) as database:
        for table in WATCHED:
            with pytest.raises(Error, match="denied"), database.transaction():
                database.delete(table)
        with pytest.raises(Error):
            database.run_script("CREATE TABLE mine (id INT)")


def test_collector_is_all_that_treetop_asks_for(zone: DemoZone) -> None:
    registered = Zone(
        id=ZoneId(1),
        name=zone.name,
        region="demo",
        trust=Trust.FULL,
        url=zone.source_url(),
        password=zone.password,
    )
    log, rows = open_log(registered), open_rows(registered)

    log.check()  # raises with all that is missing
    log.begin()
    chunk = rows.read_range(after=0, rows=10)
    log.forget()
    log.close()
    rows.close()

    assert len(chunk.rows["instances"]) == 10


def test_collector_may_read_the_log(zone: DemoZone) -> None:
    if zone.engine is Engine.POSTGRESQL:
        with _as_collector(zone) as database:
            database.run_script("SELECT pg_create_logical_replication_slot('probe', 'pgoutput', true)")
        with zone.open_as_admin() as database:
            published = database.select("pg_publication_tables", "tablename pubname", "tablename")
        assert {row["tablename"] for row in published} == set(WATCHED)
        assert {row["pubname"] for row in published} == {"treetop"}
        return
    with _as_collector(zone) as database:
        database.run_script("SHOW MASTER STATUS;\nSTART TRANSACTION WITH CONSISTENT SNAPSHOT;\n")
        database.run_script(
            "SELECT BINLOG_GTID_POS('binlog.000001', 4);\nSHOW STATUS LIKE 'binlog_snapshot%';\n"
        )


def test_work_goes_on_in_its_own_process_and_survives_a_killed_server(zone: DemoZone) -> None:
    worker = Worker(zone, seed=3, transactions_per_second=100)
    worker.start()
    try:
        wait_until("transactions are counted", lambda: worker.progress().transactions > 20, seconds=20)

        zone.kill()
        wait_until("the worker noticed", lambda: worker.progress().is_waiting, seconds=20)
        counted = worker.progress().transactions
        zone.start()
        wait_until("work goes on", lambda: worker.progress().transactions > counted + 20, seconds=30)
    finally:
        done = worker.stop()

    assert done.is_waiting
    assert done.transactions >= counted + 20
    assert sum(done.operations.values()) > 0
    with zone.open_as_nova() as database:
        assert database.count("instances", task_state="deleting") <= 1  # at most one was cut by the kill


def test_stopped_worker_does_nothing_more(zone: DemoZone) -> None:
    worker = Worker(zone, seed=4, transactions_per_second=50)
    worker.start()
    wait_until("transactions are counted", lambda: worker.progress().transactions > 5, seconds=20)

    done = worker.stop()

    with zone.open_as_nova() as database:
        before = database.largest_id("instance_actions"), database.select("services", "report_count")
        assert worker.stop() == done
        assert (
            database.largest_id("instance_actions"),
            database.select("services", "report_count"),
        ) == before


def test_worker_ends_when_whoever_started_it_is_killed(zone: DemoZone) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(zone.nova_url()), str(zone.folder)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())

    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()

    wait_until("the worker is gone", lambda: not _is_alive(worker), seconds=20)


_PARENT = """
import os, subprocess, sys, time
url, folder = sys.argv[1:]
child = subprocess.Popen([sys.executable, "-m", "treetop.demo.workload_process", "--url", url,
    "--password-file", folder + "/nova.password", "--population", folder + "/population.json",
    "--seed", "1", "--rate", "20", "--parent", str(os.getpid()),
    "--report", folder + "/orphan.json"], start_new_session=True)
print(child.pid, flush=True)
time.sleep(60)
"""


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_stopped_zone_comes_back_with_its_servers(zone: DemoZone) -> None:
    zone.stop()
    assert not zone.is_running()
    with pytest.raises((psycopg.OperationalError, pymysql.err.OperationalError)):
        zone.open_as_nova()

    zone.start()

    with zone.open_as_nova() as database:
        assert database.count("instances") > 0


def test_a_region_is_on_its_first_cells_server(zone: DemoZone) -> None:
    """cell0 and the API database, with roles and passwords of their host; the mappings lead to the cells."""
    region = DemoRegion([zone])
    for guest in (region.cell0, region.api):
        guest.start()
        guest.start()  # changes nothing
    population = read_population(zone.population_file)
    region.cell0.fill(a_population("cell0", servers=5, hosts=0))
    region.fill({"west": population, "cell0": a_population("cell0", servers=5, hosts=0)})

    assert [each.name for each in region.zones] == ["west", "cell0", "demo-api"]
    assert len({each.source_url().port for each in region.zones}) == 1
    assert len({each.source_url().database for each in region.zones}) == 3
    with _as_collector(region.api) as database:
        mappings = {
            row["name"]: str(row["database_connection"]) for row in database.select("cell_mappings", "*")
        }
        assert database.count("instance_mappings") == population.servers + 5
    password = zone.nova_password_file.read_text().strip()
    assert f":{zone.source_url().port}/nova_cell" in mappings["west"]
    assert all(f"nova:{password}@" in connection for connection in mappings.values())
    with region.cell0.open_as_nova() as database:
        assert database.count("instances") == 5
    region.cell0.remove()
    assert zone.is_running()


def test_three_zones_are_planned_without_starting_anything(tmp_path: Path) -> None:
    zones = plan_zones(tmp_path / "zones")

    assert [zone.name for zone in zones] == ["west", "east", "north"]
    assert [zone.engine for zone in zones[1:]] == [Engine.POSTGRESQL] * 2
    assert len({zone.folder for zone in zones}) == 3
    assert not (tmp_path / "zones").exists()
