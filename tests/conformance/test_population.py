# SPDX-License-Identifier: Apache-2.0
"""Nova's own objects read the demo's rows, and see in them what was planned."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.nova_environment import configure, make_nova_environment, read_servers
from treetop.demo.loading import load_zone
from treetop.demo.population import Population, ServerPlan, plan_server
from treetop.demo.workload import Workload
from treetop.demo.zone_database import ZoneDatabase

POPULATION = Population(
    zone="west",
    seed=5,
    servers=150,
    hosts=3,
    loaded_at=datetime(2026, 3, 1),  # noqa: DTZ001 - Nova writes naive UTC
)


@pytest.fixture(params=["mysql+pymysql", "postgresql+psycopg2"])
def zone(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[ZoneDatabase, Path]]:
    """A loaded zone, and the nova.conf that leads Nova to it."""
    is_mariadb = request.param.startswith("mysql")
    database = request.getfixturevalue("mariadb_database" if is_mariadb else "postgres_database")
    password = Path(database.password.name).read_text().splitlines()[0]
    url = database.source_url()
    address = f"{request.param}://{url.user}:{password}@127.0.0.1:{url.port}/{url.database}"
    with ZoneDatabase(url, password) as opened:
        opened.create_tables()
        load_zone(opened, POPULATION)
        yield opened, configure(tmp_path, address + ("?charset=utf8" if is_mariadb else ""))


def _planned(plan: ServerPlan) -> dict[str, Any]:
    return {
        "name": plan.name,
        "flavor": plan.flavor.name,
        "old_flavor": plan.old_flavor.name if plan.old_flavor else None,
        "extra_specs": dict(plan.flavor.extra_specs),
        "addresses": [
            address for port in plan.ports for address in (port.v4, port.v6) if address is not None
        ],
        "metadata": dict(plan.metadata),
        "tags": sorted(plan.tags),
        "fault": plan.fault,
        "keypairs": [plan.key_name] if plan.key_name else [],
        "is_resizing": plan.old_flavor is not None,
        "volumes": sorted(volume.id for volume in plan.volumes),
        "locked_by": plan.locked_by,
    }


def test_nova_sees_what_was_planned(zone: tuple[ZoneDatabase, Path]) -> None:
    plans = [plan_server(POPULATION, number) for number in range(1, POPULATION.servers + 1)]

    seen = read_servers(make_nova_environment(), zone[1])

    assert seen == {plan.uuid: _planned(plan) for plan in plans if plan.deleted_at is None}


def test_nova_reads_what_the_workload_leaves(zone: tuple[ZoneDatabase, Path]) -> None:
    database, configuration = zone
    workload = Workload(database, POPULATION, seed=1)
    for _ in range(500):
        workload.step()

    seen = read_servers(make_nova_environment(), configuration)

    living = {
        row["uuid"]: row["display_name"]
        for row in database.select("instances", "uuid display_name", deleted=0)
    }
    assert {uuid: server["name"] for uuid, server in seen.items()} == living
    assert workload.operations["resize"] > 0
