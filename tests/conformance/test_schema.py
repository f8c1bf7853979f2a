# SPDX-License-Identifier: Apache-2.0
"""The demo's tables are those that the real Nova makes, down to column order, collations and keys."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.nova_environment import make_nova_environment, sync_api_schema, sync_schema
from tests.servers import (
    MariaDBDatabase,
    PostgresDatabase,
    create_mariadb_database,
    create_postgres_database,
    drop_mariadb_database,
    drop_postgres_database,
)
from treetop.demo.zone_database import ZoneDatabase
from treetop.model.zone import ZoneKind
from treetop.nova.mirrored_tables import MIRRORED_API_TABLES, MIRRORED_CELL_TABLES
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
SELECT c.relname::text, row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum), a.attname::text,
       format_type(a.atttypid, a.atttypmod), a.attnotnull,
       pg_get_expr(d.adbin, d.adrelid), a.attstorage::text
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY 1, 2
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
    Kind.TEXT: (
        *("varchar", "mediumtext", "text", "enum", "character varying", "inet"),
        *("instances0locked_by", "keypair_types", "migration_type"),
    ),
    Kind.TIMESTAMP: ("datetime", "timestamp without time zone"),
    Kind.REAL: ("float", "double precision"),
}


_SYNC = {ZoneKind.CELL: sync_schema, ZoneKind.API: sync_api_schema}
_TABLES = {ZoneKind.CELL: CELL_TABLES | MIRRORED_CELL_TABLES, ZoneKind.API: dict(MIRRORED_API_TABLES)}

kinds = pytest.mark.parametrize("kind", list(ZoneKind))


@pytest.fixture(scope="module")
def nova_on_mariadb(
    mariadb_server: Any, tmp_path_factory: Any
) -> Iterator[Mapping[ZoneKind, MariaDBDatabase]]:
    """Databases with the tables that `nova-manage` made."""
    made = {kind: create_mariadb_database(mariadb_server, f"nova_real_{kind}") for kind in ZoneKind}
    for kind, database in made.items():
        url = f"mysql+pymysql://root:{_password(database)}@127.0.0.1:{database.port}/{database.name}?charset=utf8"
        _SYNC[kind](make_nova_environment(), tmp_path_factory.mktemp("nova-mariadb"), url)
    yield made
    for database in made.values():
        drop_mariadb_database(database)


@pytest.fixture(scope="module")
def nova_on_postgres(
    postgres_server: Any, tmp_path_factory: Any
) -> Iterator[Mapping[ZoneKind, PostgresDatabase]]:
    """Databases with the tables that `nova-manage` made."""
    made = {kind: create_postgres_database(postgres_server, f"nova_real_{kind}") for kind in ZoneKind}
    for kind, database in made.items():
        url = f"postgresql+psycopg2://treetop:{_password(database)}@127.0.0.1:{database.port}/{database.name}"
        _SYNC[kind](make_nova_environment(), tmp_path_factory.mktemp("nova-postgres"), url)
    yield made
    for database in made.values():
        drop_postgres_database(database)


def _password(database: MariaDBDatabase | PostgresDatabase) -> str:
    return Path(database.password.name).read_text().splitlines()[0]


def _make_tables(database: MariaDBDatabase | PostgresDatabase, kind: ZoneKind) -> list[str]:
    with ZoneDatabase(database.source_url(), _password(database)) as zone:
        zone.create_tables(kind)
    return sorted({row[0] for row in database.execute(_tables_query(database))})


def _tables_query(database: MariaDBDatabase | PostgresDatabase) -> str:
    return _MARIADB_TABLES if isinstance(database, MariaDBDatabase) else _POSTGRES_COLUMNS


def _of(rows: list[tuple[Any, ...]], tables: list[str]) -> list[tuple[Any, ...]]:
    return [row for row in rows if row[0] in tables]


@kinds
@pytest.mark.parametrize("query", [_MARIADB_TABLES, _MARIADB_COLUMNS, _MARIADB_KEYS, _MARIADB_REFERENCES])
def test_mariadb_tables_are_those_of_nova(
    query: str,
    kind: ZoneKind,
    mariadb_database: MariaDBDatabase,
    nova_on_mariadb: Mapping[ZoneKind, MariaDBDatabase],
) -> None:
    tables = _make_tables(mariadb_database, kind)

    ours, real = mariadb_database.execute(query), _of(nova_on_mariadb[kind].execute(query), tables)

    assert ours == real
    assert len(real) >= 8


@kinds
@pytest.mark.parametrize("query", [_POSTGRES_COLUMNS, _POSTGRES_KEYS, _POSTGRES_REFERENCES])
def test_postgres_tables_are_those_of_nova(
    query: str,
    kind: ZoneKind,
    postgres_database: PostgresDatabase,
    nova_on_postgres: Mapping[ZoneKind, PostgresDatabase],
) -> None:
    tables = _make_tables(postgres_database, kind)

    ours, real = postgres_database.execute(query), _of(nova_on_postgres[kind].execute(query), tables)

    assert ours == real
    assert len(real) > 20


@kinds
def test_postgres_enumerations_are_those_of_nova(
    kind: ZoneKind, postgres_database: PostgresDatabase, nova_on_postgres: Mapping[ZoneKind, PostgresDatabase]
) -> None:
    _make_tables(postgres_database, kind)

    ours, real = (
        dict(postgres_database.execute(_POSTGRES_TYPES)),
        dict(nova_on_postgres[kind].execute(_POSTGRES_TYPES)),
    )

    assert ours
    assert ours == {name: real[name] for name in ours}


@kinds
def test_nova_has_every_column_that_treetop_reads(
    kind: ZoneKind,
    nova_on_mariadb: Mapping[ZoneKind, MariaDBDatabase],
    nova_on_postgres: Mapping[ZoneKind, PostgresDatabase],
) -> None:
    for rows in (
        nova_on_mariadb[kind].execute(_MARIADB_COLUMNS),
        nova_on_postgres[kind].execute(_POSTGRES_COLUMNS),
    ):
        types = {(row[0], row[2]): row[3] for row in rows}

        for table in _TABLES[kind].values():
            for column in table.columns:
                assert types[table.name, column.name].startswith(_KINDS[column.kind]), (
                    table.name,
                    column.name,
                )
