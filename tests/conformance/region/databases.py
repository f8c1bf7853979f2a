# SPDX-License-Identifier: Apache-2.0
"""The region's databases on a MariaDB: Nova's own tables, filled.

`make_region(server, folder)` -> `Region`; `empty_region(server, folder, cells)` for other rows. The tables are what
`nova-manage` makes, once for cell0, copied for the cells. Takes about ten seconds, most of it Nova's.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.conformance.nova_environment import configure, make_nova_environment, run
from tests.conformance.region.api_rows import api_rows, cell_id
from tests.conformance.region.build_requests import build_request_rows
from tests.conformance.region.history import history_rows
from tests.conformance.region.hosts import compute_node_rows, service_rows
from tests.conformance.region.plan import CELL0, CELLS, NOW, cell_uuid
from tests.conformance.region.servers import Made, cell_servers
from tests.conformance.region.special_servers import special_servers
from tests.servers import MariaDBDatabase, create_mariadb_database
from treetop.demo.mariadb import PrivateMariaDB
from treetop.demo.row import Row
from treetop.demo.server_rows import Rows
from treetop.demo.zone_database import ZoneDatabase

_API: Final = "nova_api"
_ROWS_PER_STATEMENT: Final = 200


@dataclass(frozen=True, kw_only=True)
class Region:
    """A filled region. cells: name -> database, cell0 among them; configuration: the nova.conf that leads there."""

    api: MariaDBDatabase
    cells: Mapping[str, MariaDBDatabase]
    configuration: Path


def make_region(server: PrivateMariaDB, folder: Path) -> Region:
    """Make and fill the databases. folder: private, empty; it gets nova.conf."""
    names = (CELL0, *CELLS)
    region = empty_region(server, folder, names)
    servers = {name: _servers(name) for name in names}
    for name in names:
        with _open(region.cells[name]) as database:
            _write(database, _cell_rows(name, servers[name]))
    with _open(region.api) as database:
        _write(database, {"cell_mappings": [_mapping(name, region.cells[name]) for name in names]})
        _write(database, api_rows(servers))
        _write(database, build_request_rows())
    return region


def empty_region(server: PrivateMariaDB, folder: Path, cells: Sequence[str]) -> Region:
    """Make the databases with Nova's tables. cells: their names, cell0 first. folder: as for `make_region`."""
    cell0, *others = databases = [create_mariadb_database(server, f"nova_{name}") for name in cells]
    api = create_mariadb_database(server, _API)
    configuration = configure(folder, connection_of(cell0))
    with configuration.open("a") as text:
        text.write(f"[api_database]\nconnection = {connection_of(api)}\n")
    manage = [str(make_nova_environment() / "nova-manage"), "--config-file", str(configuration)]
    run([*manage, "api_db", "sync"])
    run([*manage, "db", "sync", "--local_cell"])
    for other in others:
        _copy_tables(cell0, other)
    return Region(api=api, cells=dict(zip(cells, databases, strict=True)), configuration=configuration)


def connection_of(database: MariaDBDatabase) -> str:
    """How Nova writes down where a database is: a URL of SQLAlchemy's, with the password."""
    password = password_of(database)
    return f"mysql+pymysql://root:{password}@127.0.0.1:{database.port}/{database.name}?charset=utf8"


def password_of(database: MariaDBDatabase) -> str:
    """The password of root."""
    return Path(database.password.name).read_text().splitlines()[0]


def _servers(cell: str) -> list[Made]:
    found = [*cell_servers(cell), *special_servers(cell)]
    for made in found:
        made.rows |= history_rows(made)
    return found


def _cell_rows(cell: str, servers: list[Made]) -> Rows:
    rows: Rows = {"services": list(service_rows(cell)), "compute_nodes": list(compute_node_rows(cell))}
    for made in servers:
        for table, found in made.rows.items():
            rows.setdefault(table, []).extend(found)
    return rows


def _mapping(cell: str, database: MariaDBDatabase) -> Row:
    return {
        "id": cell_id(cell),
        "created_at": NOW,
        "updated_at": None,
        "uuid": cell_uuid(cell),
        "name": cell,
        "transport_url": "none:///" if cell == CELL0 else "fake:///",
        "database_connection": connection_of(database),
        "disabled": False,
    }


def _open(database: MariaDBDatabase) -> ZoneDatabase:
    return ZoneDatabase(database.source_url(), password_of(database))


def _copy_tables(source: MariaDBDatabase, target: MariaDBDatabase) -> None:
    """Make the tables of one cell in another, without those that only archiving uses."""
    with target.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SET foreign_key_checks = 0")
        cursor.execute(f"SHOW TABLES FROM `{source.name}`")
        for (table,) in cursor.fetchall():
            if table.startswith("shadow_"):
                continue
            cursor.execute(f"SHOW CREATE TABLE `{source.name}`.`{table}`")
            cursor.execute(cursor.fetchall()[0][1])


def _write(database: ZoneDatabase, rows: Rows) -> None:
    """Insert rows of any columns, as few statements as the columns allow."""
    database.bulk(is_on=True)
    with database.transaction():
        for table, found in rows.items():
            alike: dict[tuple[str, ...], list[Row]] = defaultdict(list)
            for row in found:
                alike[tuple(row)].append(row)
            for group in alike.values():
                for first in range(0, len(group), _ROWS_PER_STATEMENT):
                    database.insert(table, *group[first : first + _ROWS_PER_STATEMENT])
