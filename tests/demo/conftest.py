# SPDX-License-Identifier: Apache-2.0
"""Databases with Nova's tables, on each engine: `cell` (empty) and `loaded` (a small population)."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.servers import (
    MariaDBDatabase,
    PostgresDatabase,
    create_mariadb_database,
    create_postgres_database,
    drop_mariadb_database,
    drop_postgres_database,
)
from treetop.demo.loading import load_zone
from treetop.demo.operations.session import Session
from treetop.demo.population import Population
from treetop.demo.workload import Workload
from treetop.demo.zone_database import ZoneDatabase

SERVERS = 120
LOADED_AT = datetime(2026, 3, 1, 12)  # noqa: DTZ001 - Nova writes naive UTC


def a_population(zone: str = "west", seed: int = 1, servers: int = SERVERS, hosts: int = 4) -> Population:
    return Population(zone=zone, seed=seed, servers=servers, hosts=hosts, loaded_at=LOADED_AT)


def open_zone(database: MariaDBDatabase | PostgresDatabase) -> ZoneDatabase:
    password = Path(database.password.name).read_text().splitlines()[0]
    return ZoneDatabase(database.source_url(), password)


class Clock:
    """A clock that goes on by a second each time somebody looks."""

    def __init__(self) -> None:
        self.at = LOADED_AT

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


def a_workload(database: ZoneDatabase, seed: int = 7) -> Workload:
    return Workload(database, a_population(), seed=seed, now=Clock())


def a_session(database: ZoneDatabase) -> Session:
    return a_workload(database)._session


@pytest.fixture(scope="module", params=["mariadb", "postgres"])
def shared_zone(request: pytest.FixtureRequest) -> Iterator[ZoneDatabase]:
    """A loaded zone for all tests of a file, each with servers of its own."""
    server = request.getfixturevalue(f"{request.param}_server")
    name = "shared_by_" + request.module.__name__.rpartition(".")[2]
    if request.param == "mariadb":
        database: MariaDBDatabase | PostgresDatabase = create_mariadb_database(server, name)
    else:
        database = create_postgres_database(server, name)
    with open_zone(database) as zone:
        zone.create_tables()
        load_zone(zone, a_population(servers=40))
        yield zone
    if isinstance(database, MariaDBDatabase):
        drop_mariadb_database(database)
    else:
        drop_postgres_database(database)


@pytest.fixture(params=["mariadb", "postgres"])
def cell(request: pytest.FixtureRequest) -> Iterator[ZoneDatabase]:
    database = request.getfixturevalue(f"{request.param}_database")
    with open_zone(database) as zone:
        zone.create_tables()
        yield zone


@pytest.fixture
def loaded(cell: ZoneDatabase) -> ZoneDatabase:
    load_zone(cell, a_population())
    return cell
