# SPDX-License-Identifier: Apache-2.0
"""The demo's tables are those that the real Nova makes, down to column order, collations and keys."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.nova_environment import make_nova_environment, sync_schema
from tests.servers import (
    MariaDBDatabase,
    PostgresDatabase,
    create_mariadb_database,
    create_postgres_database,
    drop_mariadb_database,
    drop_postgres_database,
)
from treetop.demo.zone_database import ZoneDatabase
from treetop.nova.table import Kind
from treetop.nova.tables import CELL_TABLES

_MARIADB_COLUMNS = """
SELECT table_name, ordinal_position, column_name, column_type, is_nullable, column_default,
       character_set_name, collation_name, extra
  FROM information_schema.columns WHERE table_schema = database() ORDER BY 1, 2
"""
_MARIADB_KEYS = """
SELECT table_name, index_name, seq_in_index, column_name, sub_part, non_unique
  FROM information_schema.statistics WHERE table_schema = database() ORDER BY 1, 2, 3
"""
_MARIADB_REFERENCES = """
SELECT table_name, constraint_name, column_name, referenced_table_name, referenced_column_name
  FROM information_schema.key_column_usage
 WHERE table_schema = database() AND referenced_table_name IS NOT NULL ORDER BY 1, 2
"""
_MARIADB_TABLES = """
SELECT table_name, engine, table_collation FROM information_schema.tables
 WHERE table_schema = database() ORDER BY 1
"""
_POSTGRES_COLUMNS = """
SELECT c.relname::text, a.attnum, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull,
       pg_get_expr(d.adbin, d.adrelid), a.attstorage::text
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 ORDER BY 1, 2
"""
_POSTGRES_KEYS = "SELECT tablename::text, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2"
_POSTGRES_REFERENCES = """
SELECT conrelid::regclass::text, conname::text, pg_get_constraintdef(oid) FROM pg_constraint
 WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2
"""
_POSTGRES_TYPES = """
SELECT t.typname::text, string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder)
  FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid GROUP BY 1 ORDER BY 1
"""
_KINDS = {
    Kind.INTEGER: ("int", "bigint"),
    Kind.BOOLEAN: ("tinyint(1)", "boolean"),
    Kind.TEXT: ("varchar", "mediumtext", "text", "enum", "character varying", "inet", "instances0locked_by"),
    Kind.TIMESTAMP: ("datetime", "timestamp without time zone"),
}


@pytest.fixture(scope="module")
def nova_on_mariadb(mariadb_server: Any, tmp_path_factory: Any) -> Iterator[MariaDBDatabase]:
    """A database with the tables that `nova-manage` made."""
    database = create_mariadb_database(mariadb_server, "nova_real")
    password = Path(database.password.name).read_text().splitlines()[0]
    url = f"mysql+pymysql://root:{password}@127.0.0.1:{database.port}/{database.name}?charset=utf8"
    sync_schema(make_nova_environment(), tmp_path_factory.mktemp("nova-mariadb"), url)
    yield database
    drop_mariadb_database(database)


@pytest.fixture(scope="module")
def nova_on_postgres(postgres_server: Any, tmp_path_factory: Any) -> Iterator[PostgresDatabase]:
    """A database with the tables that `nova-manage` made."""
    database = create_postgres_database(postgres_server, "nova_real")
    password = Path(database.password.name).read_text().splitlines()[0]
    url = f"postgresql+psycopg2://treetop:{password}@127.0.0.1:{database.port}/{database.name}"
    sync_schema(make_nova_environment(), tmp_path_factory.mktemp("nova-postgres"), url)
    yield database
    drop_postgres_database(database)


def _make_tables(database: MariaDBDatabase | PostgresDatabase) -> list[str]:
    password = Path(database.password.name).read_text().splitlines()[0]
    with ZoneDatabase(database.source_url(), password) as zone:
        zone.create_tables()
    return sorted({row[0] for row in database.execute(_tables_query(database))})


def _tables_query(database: MariaDBDatabase | PostgresDatabase) -> str:
    return _MARIADB_TABLES if isinstance(database, MariaDBDatabase) else _POSTGRES_COLUMNS


def _of(rows: list[tuple[Any, ...]], tables: list[str]) -> list[tuple[Any, ...]]:
    return [row for row in rows if row[0] in tables]


@pytest.mark.parametrize("query", [_MARIADB_TABLES, _MARIADB_COLUMNS, _MARIADB_KEYS, _MARIADB_REFERENCES])
def test_mariadb_tables_are_those_of_nova(
    query: str, mariadb_database: MariaDBDatabase, nova_on_mariadb: MariaDBDatabase
) -> None:
    tables = _make_tables(mariadb_database)

    ours, real = mariadb_database.execute(query), _of(nova_on_mariadb.execute(query), tables)

    assert ours == real
    assert len({row[0] for row in real}) >= 10


@pytest.mark.parametrize("query", [_POSTGRES_COLUMNS, _POSTGRES_KEYS, _POSTGRES_REFERENCES])
def test_postgres_tables_are_those_of_nova(
    query: str, postgres_database: PostgresDatabase, nova_on_postgres: PostgresDatabase
) -> None:
    tables = _make_tables(postgres_database)

    ours, real = postgres_database.execute(query), _of(nova_on_postgres.execute(query), tables)

    assert ours == real
    assert len({row[0] for row in real}) > 20


def test_postgres_enumerations_are_those_of_nova(
    postgres_database: PostgresDatabase, nova_on_postgres: PostgresDatabase
) -> None:
    _make_tables(postgres_database)

    ours, real = (
        dict(postgres_database.execute(_POSTGRES_TYPES)),
        dict(nova_on_postgres.execute(_POSTGRES_TYPES)),
    )

    assert ours
    assert ours == {name: real[name] for name in ours}


def test_nova_has_every_column_that_treetop_reads(
    nova_on_mariadb: MariaDBDatabase, nova_on_postgres: PostgresDatabase
) -> None:
    for rows in (nova_on_mariadb.execute(_MARIADB_COLUMNS), nova_on_postgres.execute(_POSTGRES_COLUMNS)):
        types = {(row[0], row[2]): row[3] for row in rows}

        for table in CELL_TABLES.values():
            for column in table.columns:
                assert types[table.name, column.name].startswith(_KINDS[column.kind]), (
                    table.name,
                    column.name,
                )
