# SPDX-License-Identifier: Apache-2.0
"""The demo region's API database: it agrees with its cells, when it was loaded and after Nova's work on it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.demo.conftest import LOADED_AT, Clock, a_population, open_zone
from treetop.demo.catalogue import FLAVORS
from treetop.demo.loading import load_zone
from treetop.demo.operations.region import Region
from treetop.demo.population import Population, host_name, plan_server
from treetop.demo.region_catalogue import plan_request
from treetop.demo.region_loading import load_region
from treetop.demo.region_rows import Cell
from treetop.demo.workload import Workload
from treetop.demo.zone_database import ZoneDatabase
from treetop.model.zone import ZoneKind

CELL0 = Population(zone="cell0", seed=1, servers=20, hosts=0, loaded_at=LOADED_AT)
WEST = a_population(servers=40)
CELLS = (
    Cell(id=1, population=CELL0, connection="mysql+pymysql://nova:x@127.0.0.1/nova_cell0"),
    Cell(id=2, population=WEST, connection="mysql+pymysql://nova:x@127.0.0.1/nova_cell"),
)


@dataclass(frozen=True, kw_only=True)
class Databases:
    """A region with one of its cells. population: the cell's."""

    region: ZoneDatabase
    cell: ZoneDatabase
    population: Population

    def workload(self, seed: int = 7) -> Workload:
        return Workload(self.cell, self.population, seed=seed, region=self.region, now=Clock())


@pytest.fixture(params=["mariadb", "postgres"])
def region(request) -> Iterator[ZoneDatabase]:
    with open_zone(request.getfixturevalue(f"{request.param}_database")) as database:
        database.create_tables(ZoneKind.API)
        load_region(database, CELLS)
        yield database


@pytest.fixture(params=[WEST, CELL0], ids=["west", "cell0"])
def both(request, region) -> Iterator[Databases]:
    """The cell is on the other engine than the region: its writers must not care."""
    other = "postgres" if request.node.callspec.params["region"] == "mariadb" else "mariadb"
    with open_zone(request.getfixturevalue(f"{other}_database")) as cell:
        cell.create_tables()
        load_zone(cell, request.param)
        yield Databases(region=region, cell=cell, population=request.param)


def of_servers(database: ZoneDatabase, table: str, columns: str = "id") -> dict[str, dict]:
    return {str(row["instance_uuid"]): row for row in database.select(table, f"instance_uuid {columns}")}


def test_every_server_has_its_mapping_and_request(region):
    mappings, specs = (
        of_servers(region, "instance_mappings", "cell_id project_id queued_for_delete"),
        of_servers(region, "request_specs", "spec"),
    )
    plans = [
        (cell, plan_server(cell.population, number + 1))
        for cell in CELLS
        for number in range(cell.population.servers)
    ]

    assert mappings.keys() == specs.keys() == {plan.uuid for _, plan in plans}
    for cell, plan in plans:
        mapping = mappings[plan.uuid]
        assert (mapping["cell_id"], mapping["project_id"]) == (cell.id, plan.project.id)
        assert bool(mapping["queued_for_delete"]) == (plan.deleted_at is not None)
        spec = json.loads(specs[plan.uuid]["spec"])["nova_object.data"]
        assert spec["flavor"]["nova_object.data"]["flavorid"] == plan.flavor.flavorid
        assert spec["availability_zone"] in (None, plan.availability_zone)
    assert any(plan_request(plan).group for _, plan in plans)


def test_groups_hold_servers_of_their_own_project(region):
    projects = {row["id"]: row["project_id"] for row in region.select("instance_groups", "id project_id")}
    mappings = of_servers(region, "instance_mappings", "project_id")
    members = region.select("instance_group_member", "instance_uuid group_id")

    assert members
    for member in members:
        assert mappings[member["instance_uuid"]]["project_id"] == projects[member["group_id"]]


def test_every_host_is_mapped_and_in_one_availability_zone(region):
    hosts = {host_name("west", number) for number in range(WEST.hosts)}
    zones = {
        row["aggregate_id"]
        for row in region.select("aggregate_metadata", "aggregate_id", key="availability_zone")
    }
    members = [
        row["host"]
        for row in region.select("aggregate_hosts", "host aggregate_id")
        if row["aggregate_id"] in zones
    ]

    assert {row["host"] for row in region.select("host_mappings", "host", cell_id=2)} == hosts
    assert sorted(members) == sorted(hosts)


def test_ids_go_on_after_those_that_were_loaded(region):
    for table, row in {
        "flavors": {"name": "new", "flavorid": "new", "memory_mb": 1, "vcpus": 1, "swap": 0},
        "aggregates": {"name": "new"},
        "cell_mappings": {"uuid": "11111111-2222-4333-8444-555555555555"},
    }.items():
        largest = region.largest_id(table)
        with region.transaction():
            assert region.insert(table, row) > largest


def test_cell0_has_only_servers_that_found_no_host(both):
    if both.population is not CELL0:
        assert both.cell.count("compute_nodes") == WEST.hosts
        return
    servers = both.cell.select("instances", "vm_state host launched_at deleted")
    faults = both.cell.select("instance_faults", "message")

    assert {row["vm_state"] for row in servers} <= {"error", "deleted"}
    assert {(row["host"], row["launched_at"]) for row in servers} == {(None, None)}
    assert all(str(row["message"]).startswith("No valid host was found") for row in faults)
    assert both.cell.count("compute_nodes") == 0
    assert {row["binary"] for row in both.cell.select("services", "binary")} == {
        "nova-conductor",
        "nova-scheduler",
    }


def test_after_any_work_region_and_cell_agree(both):
    """Every server of the cell, old and new, is mapped to it, and nothing is left of what was only asked for."""
    workload = both.workload()
    create = "create" if both.population is WEST else "fail to schedule"
    while not all(workload.operations[name] for name in (create, "delete", "archive")):
        workload.step()

    servers = {
        str(row["uuid"]): row for row in both.cell.select("instances", "uuid deleted instance_type_id")
    }
    cell_id = 2 if both.population is WEST else 1
    mappings = {
        uuid: row
        for uuid, row in of_servers(both.region, "instance_mappings", "cell_id queued_for_delete").items()
        if row["cell_id"] == cell_id
    }
    assert mappings.keys() == servers.keys()
    assert servers.keys() <= of_servers(both.region, "request_specs").keys()
    for uuid, row in mappings.items():
        assert bool(row["queued_for_delete"]) == (servers[uuid]["deleted"] != 0)
    assert both.region.count("build_requests") == 0
    assert both.region.transactions > 3


def test_a_server_is_a_build_request_until_its_cell_answers_for_it(region):
    records = Region(database=region, cell_id=2, now=Clock())
    plan = plan_server(WEST, 1000)

    records.accept(plan, {"image_base_image_ref": plan.image.id})
    (request,) = region.select("build_requests", "*", instance_uuid=plan.uuid)
    (mapping,) = region.select("instance_mappings", "cell_id", instance_uuid=plan.uuid)
    instance = json.loads(str(request["instance"]))["nova_object.data"]
    assert (instance["display_name"], instance["vm_state"], mapping["cell_id"]) == (
        plan.name,
        "building",
        None,
    )
    assert len(json.loads(str(request["tags"]))["nova_object.data"]["objects"]) == len(plan.tags)

    records.map_to_cell(plan.uuid)
    records.change_flavor(plan.uuid, FLAVORS[4])
    records.forget_request(plan.uuid)
    (mapping,) = region.select("instance_mappings", "cell_id", instance_uuid=plan.uuid)
    (spec,) = region.select("request_specs", "spec", instance_uuid=plan.uuid)
    assert mapping["cell_id"] == 2
    assert json.loads(str(spec["spec"]))["nova_object.data"]["flavor"]["nova_object.data"]["id"] == 5
    assert region.count("build_requests") == 0


def test_a_server_in_a_group_becomes_its_member(region):
    plan = next(plan for number in range(1000, 1200) if plan_request(plan := plan_server(WEST, number)).group)
    records = Region(database=region, cell_id=2, now=Clock())

    records.accept(plan, {})
    assert region.count("instance_group_member", instance_uuid=plan.uuid) == 1
    records.archive([plan.uuid])
    for table in ("instance_group_member", "instance_mappings", "request_specs"):
        assert region.count(table, instance_uuid=plan.uuid) == 0
