# SPDX-License-Identifier: Apache-2.0
"""A region of Nova's with many servers, for the real nova-api and Treetop to list: cells, cell0 and the API database
on one private MariaDB, filled from demo populations; and a top that real workers have loaded from them.

Takes minutes: rows of 100,000 servers are made one by one, as Nova would have written them.
"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psycopg

from bench.pipeline import command, wait_for_zones
from bench.top import private_top
from tests.conformance.region.databases import Region, connection_of, empty_region, password_of
from tests.servers import MariaDBDatabase
from treetop.demo.loading import load_zone
from treetop.demo.mariadb import PrivateMariaDB
from treetop.demo.population import Population
from treetop.demo.region_loading import load_region
from treetop.demo.region_rows import Cell
from treetop.demo.zone_database import ZoneDatabase
from treetop.model.zone import SourceUrl, Trust, ZoneKind, ZoneName
from treetop.store.embedded import EmbeddedPostgres
from treetop.store.zones import add_zone

CELL0: Final = "cell0"
API: Final = "api"
HOSTS: Final = 100
CELL0_SERVERS: Final = 50
_MARIADB: Final = {
    "innodb_flush_log_at_trx_commit": "0",
    "sync_binlog": "0",
    "innodb_buffer_pool_size": "2G",
    "innodb_log_file_size": "512M",
    "max_connections": "300",
}


@contextmanager
def large_region(folder: Path, *, cells: int, servers_per_cell: int) -> Iterator[Region]:
    """A filled region; removed afterwards. folder: private, empty."""
    server = PrivateMariaDB(folder=folder / "mariadb", settings=_MARIADB, dies_with_parent=True)
    server.start()
    try:
        names = [CELL0, *(f"cell{number}" for number in range(1, cells + 1))]
        region = empty_region(server, folder, names)
        populations = {
            name: _population(name, CELL0_SERVERS if name == CELL0 else servers_per_cell) for name in names
        }
        with ProcessPoolExecutor(max_workers=2) as fillers:
            for filled in [
                *(
                    fillers.submit(_fill_cell, *_access(region.cells[name]), populations[name])
                    for name in names
                ),
                fillers.submit(_fill_api, *_access(region.api), tuple(_cells(region, populations))),
            ]:
                filled.result()
        yield region
    finally:
        server.remove()


@contextmanager
def rolled_up(region: Region) -> Iterator[EmbeddedPostgres]:
    """A top with every zone of the region, loaded; its workers have ended."""
    with private_top() as top:
        with psycopg.connect(top.conninfo(), autocommit=True) as connection:
            zones = {name: (database, ZoneKind.CELL) for name, database in region.cells.items()}
            for name, (database, kind) in (zones | {API: (region.api, ZoneKind.API)}).items():
                add_zone(
                    connection,
                    name=ZoneName(name),
                    region="bench",
                    trust=Trust.FULL,
                    url=database.source_url(),
                    password=database.password,
                    kind=kind,
                )
        with command(top, "sync"):
            wait_for_zones(top, lambda report: report.state == "live")
        with psycopg.connect(top.conninfo(), autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        yield top


def _population(name: str, servers: int) -> Population:
    return Population(
        zone=name,
        seed=1,
        servers=servers,
        hosts=0 if name == CELL0 else HOSTS,
        loaded_at=datetime.now(UTC).replace(tzinfo=None, microsecond=0),
    )


def _cells(region: Region, populations: dict[str, Population]) -> Iterator[Cell]:
    for number, (name, database) in enumerate(region.cells.items(), 1):
        yield Cell(id=number, population=populations[name], connection=connection_of(database))


def _access(database: MariaDBDatabase) -> tuple[SourceUrl, str]:
    return database.source_url(), password_of(database)


def _fill_cell(url: SourceUrl, password: str, population: Population) -> None:
    with ZoneDatabase(url, password) as database:
        load_zone(database, population)


def _fill_api(url: SourceUrl, password: str, cells: tuple[Cell, ...]) -> None:
    with ZoneDatabase(url, password) as database:
        load_region(database, cells)
