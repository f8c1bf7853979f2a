# SPDX-License-Identifier: Apache-2.0
"""docs/howto/connect-a-region.md, typed as it stands: with exactly those rights a whole region comes to the top."""

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.region_database import make_tables, map_cell, open_database
from tests.servers import (
    MariaDBDatabase,
    PostgresDatabase,
    create_mariadb_database,
    create_postgres_database,
    drop_mariadb_database,
    drop_postgres_database,
    wait_until,
)
from tests.sync.running import LIVE, PATIENCE_SECONDS, Top
from treetop.demo.mariadb import PrivateMariaDB
from treetop.model.zone import ZoneKind, ZoneState
from treetop.store.embedded import EmbeddedPostgres

HOWTO = Path(__file__).parents[2] / "docs" / "howto"
ROLE = "howto_reader"  # in the place of treetop, which is the tests' administrator
PASSWORD = "sw0rdfish"

Database = MariaDBDatabase | PostgresDatabase


def statements(document: str, beginning: str) -> list[str]:
    """The SQL of a document that begins like this."""
    text = (HOWTO / document).read_text()
    found = re.findall(rf"^    ({beginning}[^;]*);", text, re.MULTILINE)
    assert found, beginning
    return [re.sub(r"\btreetop\b", ROLE, statement).replace("…", PASSWORD) for statement in found]


@pytest.fixture
def mariadb(mariadb_server: PrivateMariaDB) -> Iterator[Callable[[str], Database]]:
    """Make databases on a server where the role of the document is."""
    with mariadb_server.root_connection() as connection, connection.cursor() as cursor, ExitStack() as made:
        for statement in statements("connect-a-region.md", "CREATE USER"):
            cursor.execute(statement)
        made.callback(cursor.execute, f"DROP USER {ROLE}@'%'")
        cursor.execute(statements("connect-a-region.md", "GRANT REPLICATION SLAVE")[0])

        def make(name: str) -> Database:
            database = create_mariadb_database(mariadb_server, f"{name}_{uuid.uuid4().hex[:8]}")
            made.callback(drop_mariadb_database, database)
            make_tables(database, ZoneKind.API if name == "nova_api" else ZoneKind.CELL)
            (grant,) = statements("connect-a-region.md", rf"GRANT SELECT ON {name}\.\*")
            database.execute(grant.replace(name, database.name))
            return database

        yield make


@pytest.fixture
def postgres(postgres_server: EmbeddedPostgres) -> Iterator[Callable[[str], Database]]:
    """The same on PostgreSQL."""
    with ExitStack() as made:
        anywhere = PostgresDatabase(server=postgres_server, name="postgres")
        for statement in statements("connect-a-zone.md", "CREATE ROLE treetop LOGIN REPLICATION"):
            anywhere.execute(statement)
        made.callback(anywhere.execute, f"DROP ROLE {ROLE}")

        def make(name: str) -> Database:
            database = create_postgres_database(postgres_server, f"{name}_{uuid.uuid4().hex[:8]}")
            made.callback(drop_postgres_database, database)
            kind = ZoneKind.API if name == "nova_api" else ZoneKind.CELL
            make_tables(database, kind)
            of_api = "flavors" if kind is ZoneKind.API else "instances"
            database.execute(statements("connect-a-region.md", f"GRANT SELECT ON {of_api},")[0])
            return database

        yield make


@pytest.mark.parametrize("engine", ["mariadb", "postgres"])
def test_a_region_is_found_and_read_with_the_rights_of_the_document(
    top: Top,
    mariadb: Callable[[str], Database],
    postgres: Callable[[str], Database],
    engine: str,
    tmp_path: Path,
) -> None:
    """The API database on one engine, cell0 on the other."""
    makers = (mariadb, postgres) if engine == "mariadb" else (postgres, mariadb)
    api, cell0 = makers[0]("nova_api"), makers[1]("nova_cell0")
    with open_database(api) as database, database.transaction():
        database.insert("flavors", {"name": "m1", "flavorid": "m1", "memory_mb": 1, "vcpus": 1, "swap": 0})
    scheme = "postgresql" if isinstance(cell0, PostgresDatabase) else "mysql+pymysql"
    map_cell(api, "cell0", f"{scheme}://nova:secret@127.0.0.1:{cell0.port}/{cell0.name}")
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    url = str(api.source_url()).replace(api.source_url().user, ROLE, 1)

    secret = ("--password-file", str(password))
    added = top.command("region", "add", "RegionOne", "--nova-api", url, *secret, "--trust", "full")
    found = top.command("zone", "discover", "--add")

    assert (added.returncode, found.returncode) == (0, 0), added.stderr + found.stderr
    with top.supervisor(stopped_retry_seconds="1"):
        for name, zone_database in (("regionone-api", api), ("cell0", cell0)):
            if isinstance(zone_database, PostgresDatabase):
                hint = top.wait_for_state(name, ZoneState.STOPPED).hint
                assert hint is not None
                zone_database.execute(hint)
        for name in ("regionone-api", "cell0"):
            top.wait_for_state(name, LIVE, 2 * PATIENCE_SECONDS)
        wait_until(
            "the flavor is there", lambda: top.execute("SELECT id FROM nova_flavors WHERE name = 'm1'")
        )
