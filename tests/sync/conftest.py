# SPDX-License-Identifier: Apache-2.0
"""Running zones for tests: `top` (schema in place), `cell` (on each engine), `mariadb_cell`, `postgres_cell`."""

from pathlib import Path

import pytest

from tests.servers import MariaDBDatabase, PostgresDatabase
from tests.sync.running import Cell, Top


@pytest.fixture
def top(top_dsn: str, tmp_path: Path) -> Top:
    return Top(dsn=top_dsn, folder=tmp_path).prepare()


@pytest.fixture
def mariadb_cell(mariadb_database: MariaDBDatabase, tmp_path: Path) -> Cell:
    return Cell(database=mariadb_database, folder=tmp_path)


@pytest.fixture
def postgres_cell(postgres_database: PostgresDatabase, tmp_path: Path) -> Cell:
    return Cell(database=postgres_database, folder=tmp_path)


@pytest.fixture(params=["mariadb", "postgres"])
def cell(request: pytest.FixtureRequest) -> Cell:
    made: Cell = request.getfixturevalue(f"{request.param}_cell")
    return made
