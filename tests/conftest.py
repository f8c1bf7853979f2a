# SPDX-License-Identifier: Apache-2.0
"""Real servers for tests: private folders, free ports, loopback, ended with the session even by `kill -9`.

| fixture | what a test gets |
|---|---|
| `mariadb_database` | an empty database on the session's MariaDB: `servers.MariaDBDatabase` |
| `postgres_database` | an empty database on the session's PostgreSQL zone: `servers.PostgresDatabase` |
| `top_dsn` | the DSN of an empty database on the session's PostgreSQL for the top (no logical WAL) |
| `own_mariadb`, `own_postgres` | a function that starts a server of the test's own, to kill and restart |
| `keystone` | the session's Keystone, running: `keystone_service.KeystoneService`; start it again if you stop it |
| `memcached` | the session's memcached, running: `memcached_service.MemcachedService` |
| `mariadb_server`, `postgres_server`, `top_server` | the session's servers themselves: do not stop them |

Databases are dropped afterwards, PostgreSQL's with their replication slots. The zone's and the top's servers
are two because making a replication slot waits for every transaction of its server.
"""

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psycopg
import pytest

from tests.conformance.nova_environment import make_nova_environment
from tests.keystone_service import KeystoneService
from tests.memcached_service import MemcachedService
from tests.servers import (
    MariaDBDatabase,
    PostgresDatabase,
    create_mariadb_database,
    create_postgres_database,
    drop_mariadb_database,
    drop_postgres_database,
)
from treetop.demo.mariadb import PrivateMariaDB
from treetop.store.embedded import EmbeddedPostgres

_FAST_AND_LOSING_ON_POWER_CUT = {"fsync": "off", "full_page_writes": "off", "max_connections": "200"}
_ZONE = _FAST_AND_LOSING_ON_POWER_CUT | {
    "wal_level": "logical",
    "max_replication_slots": "60",
    "max_wal_senders": "60",
}
_MARIADB = {"innodb_flush_log_at_trx_commit": "0", "sync_binlog": "0"}
_numbers = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--postgres-bin", type=Path, help="run the tests on this PostgreSQL: the folder of initdb"
    )


@pytest.fixture(scope="session")
def postgres_bin(request: pytest.FixtureRequest) -> Path | None:
    """The folder of PostgreSQL's programs; None: what Treetop finds by itself."""
    return request.config.getoption("--postgres-bin")


@pytest.fixture(scope="session")
def servers_folder() -> Iterator[Path]:
    """A private folder for the session's servers, removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="treetop-tests-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def mariadb_server(servers_folder: Path) -> Iterator[PrivateMariaDB]:
    server = PrivateMariaDB(folder=servers_folder / "mariadb", settings=_MARIADB, dies_with_parent=True)
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def postgres_server(servers_folder: Path, postgres_bin: Path | None) -> Iterator[EmbeddedPostgres]:
    folder = servers_folder / "postgres"
    server = EmbeddedPostgres(folder=folder, bin_dir=postgres_bin, settings=_ZONE, dies_with_parent=True)
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def top_server(servers_folder: Path, postgres_bin: Path | None) -> Iterator[EmbeddedPostgres]:
    folder = servers_folder / "top"
    server = EmbeddedPostgres(
        folder=folder, bin_dir=postgres_bin, settings=_FAST_AND_LOSING_ON_POWER_CUT, dies_with_parent=True
    )
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def keystone(servers_folder: Path) -> Iterator[KeystoneService]:
    service = KeystoneService(folder=servers_folder / "keystone", programs=make_nova_environment())
    service.create()
    yield service
    service.stop()


@pytest.fixture(scope="session")
def memcached(servers_folder: Path) -> Iterator[MemcachedService]:
    service = MemcachedService(servers_folder)
    service.start()
    yield service
    service.stop()


@pytest.fixture
def mariadb_database(mariadb_server: PrivateMariaDB) -> Iterator[MariaDBDatabase]:
    database = create_mariadb_database(mariadb_server, f"cell_{next(_numbers)}")
    yield database
    drop_mariadb_database(database)


@pytest.fixture
def postgres_database(postgres_server: EmbeddedPostgres) -> Iterator[PostgresDatabase]:
    database = create_postgres_database(postgres_server, f"cell_{next(_numbers)}")
    yield database
    drop_postgres_database(database)


@pytest.fixture
def top_dsn(top_server: EmbeddedPostgres) -> Iterator[str]:
    name = f"top_{next(_numbers)}"
    with psycopg.connect(top_server.conninfo(), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    yield top_server.conninfo(name)
    with psycopg.connect(top_server.conninfo(), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def own_mariadb(servers_folder: Path) -> Iterator[Callable[..., PrivateMariaDB]]:
    """Return `make(settings={...})` -> a started server; call it as often as needed; all are removed."""
    made: list[PrivateMariaDB] = []

    def make(settings: Mapping[str, str] | None = None) -> PrivateMariaDB:
        folder = servers_folder / f"own-mariadb-{next(_numbers)}"
        server = PrivateMariaDB(
            folder=folder, settings=_MARIADB | dict(settings or {}), dies_with_parent=True
        )
        made.append(server)
        server.start()
        return server

    yield make
    for server in made:
        server.remove()


@pytest.fixture
def own_postgres(
    servers_folder: Path, postgres_bin: Path | None
) -> Iterator[Callable[..., EmbeddedPostgres]]:
    """Return `make(settings={...})` -> a started server, zone settings by default; all are removed."""
    made: list[EmbeddedPostgres] = []

    def make(settings: Mapping[str, str] | None = None) -> EmbeddedPostgres:
        folder = servers_folder / f"own-postgres-{next(_numbers)}"
        server = EmbeddedPostgres(
            folder=folder,
            bin_dir=postgres_bin,
            settings=_ZONE | dict(settings or {}),
            dies_with_parent=True,
        )
        made.append(server)
        server.start()
        return server

    yield make
    for server in made:
        server.remove()
