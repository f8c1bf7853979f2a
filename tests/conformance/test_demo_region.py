# SPDX-License-Identifier: Apache-2.0
"""Nova's own objects read the demo's API database as planned, and its cells' places as `zone discover` does."""

import json
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.nova_environment import configure, make_nova_environment, run
from tests.region_database import make_tables, map_cell
from treetop.demo.catalogue import FLAVORS
from treetop.demo.operations.region import Region
from treetop.demo.population import Population, plan_server
from treetop.demo.region_catalogue import GROUPS, plan_request
from treetop.demo.region_loading import load_region
from treetop.demo.region_rows import Cell
from treetop.demo.zone_database import ZoneDatabase
from treetop.model.source_url import parse_source_url
from treetop.model.zone import ZoneKind
from treetop.nova.cell_mapping import CellMapping, read_cell_database, template_fields

LOADED_AT = datetime(2026, 3, 1)  # noqa: DTZ001 - Nova writes naive UTC
POPULATION = Population(zone="west", seed=5, servers=120, hosts=3, loaded_at=LOADED_AT)
CELL = Cell(id=1, population=POPULATION, connection="mysql+pymysql://nova:x@127.0.0.1:3306/nova_cell")

#: `[database] connection` of the nova.conf that Nova reads the mappings with.
OWN = "mysql+pymysql://nova:s%40cret@[2001:db8::1]:3307/nova?charset=utf8"
CONNECTIONS = (
    "mysql+pymysql://nova:x@db1/nova_cell1?charset=utf8",
    "mysql+pymysql://no%40va:a%2Fb%3Fc%23@db1:3310/nova_cell1",
    "mysql+pymysql://nova:a/b?c#d:e@db1:3310/nova_cell1",
    "postgresql+psycopg2://nova:x@[2001:db8::7]:6432/c",
    "postgresql://nova@/c?host=/run/postgresql&port=6432",
    "postgresql://nova@db1/c?host=db7",
    "mysql+pymysql:///c",
    "mariadb+pymysql://db1/c%20d",
    "{scheme}://{username}:{password}@[{hostname}]:{port}/{path}_cell0?{query}",
    "{scheme}://{username}:{password}@db9/{path}?{query}",
)


@pytest.fixture(params=["mariadb", "postgres"])
def database(request: pytest.FixtureRequest) -> Any:
    return make_tables(request.getfixturevalue(f"{request.param}_database"))


def opened(database: Any) -> ZoneDatabase:
    return ZoneDatabase(database.source_url(), Path(database.password.name).read_text().splitlines()[0])


def seen_by_nova(database: Any, folder: Path) -> dict[str, Any]:
    url, password = database.source_url(), Path(database.password.name).read_text().splitlines()[0]
    scheme = "postgresql+psycopg2" if hasattr(database, "dsn") else "mysql+pymysql"
    connection = f"{scheme}://{url.user}:{password}@127.0.0.1:{url.port}/{url.database}"
    configuration = configure(folder, connection, section="api_database")
    with configuration.open("a") as file:
        file.write(f"[database]\nconnection = {OWN}\n")
    script = str(Path(__file__).with_name("read_region_with_nova.py"))
    found: dict[str, Any] = json.loads(
        run([str(make_nova_environment() / "python"), script, str(configuration)])
    )
    return found


def test_nova_sees_the_region_that_was_planned(database: Any, tmp_path: Path) -> None:
    asked = plan_server(POPULATION, 1000)
    with opened(database) as api:
        load_region(api, (CELL,))
        Region(database=api, cell_id=1, now=lambda: LOADED_AT).accept(asked, {"image_base_image_ref": "x"})

    seen = seen_by_nova(database, tmp_path)

    plans = [plan_server(POPULATION, number + 1) for number in range(POPULATION.servers)]
    requests = {plan.uuid: plan_request(plan) for plan in plans}
    assert seen["mappings"] == {plan.uuid: plan.deleted_at is not None for plan in plans}
    assert seen["requests"] == {
        plan.uuid: {
            "flavor": plan.flavor.name,
            "image": plan.image.id,
            "availability_zone": requests[plan.uuid].availability_zone,
            "hints": requests[plan.uuid].hints,
            "group": requests[plan.uuid].hints.get("group", [None])[0],
        }
        for plan in plans
    }
    assert seen["flavors"] == {flavor.name: dict(flavor.extra_specs) for flavor in FLAVORS}
    members: dict[str, list[str]] = defaultdict(list)
    for uuid, request in [*requests.items(), (asked.uuid, plan_request(asked))]:
        if request.group is not None:
            members[request.group.uuid].append(uuid)
    assert seen["groups"] == {
        group.uuid: [group.policy, dict(group.rules), sorted(members[group.uuid])] for group in GROUPS
    }
    metadata, hosts = seen["aggregates"]["west-az1"]
    assert (metadata, hosts) == ({"availability_zone": "west-az1"}, ["west-cmp0001", "west-cmp0003"])
    assert seen["build_requests"] == [
        {
            "uuid": asked.uuid,
            "name": asked.name,
            "flavor": asked.flavor.name,
            "metadata": dict(asked.metadata),
            "tags": list(asked.tags),
        }
    ]


def test_cells_are_looked_for_where_nova_finds_them(mariadb_database: Any, tmp_path: Path) -> None:
    make_tables(mariadb_database, ZoneKind.API)
    for connection in CONNECTIONS:
        map_cell(mariadb_database, connection[:255], connection)
    fields = template_fields(parse_source_url(OWN.replace(":s%40cret", "")), has_path=True)

    seen = seen_by_nova(mariadb_database, tmp_path)["places"]

    for connection in CONNECTIONS:
        mapping = CellMapping(uuid="", name=None, is_disabled=False, connection=connection)
        ours = read_cell_database(mapping, fields)
        engine, host, port, database = seen[connection]
        assert (ours.engine, ours.database) == (engine, database), connection
        assert (ours.socket or ours.host) == (host or "localhost"), connection
        assert port in (None, ours.port), connection
