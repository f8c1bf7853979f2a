# SPDX-License-Identifier: Apache-2.0
"""Who may do what in a demo zone: Nova's own role, and Treetop's collector with nothing it does not need.

A server's administrator makes an empty database with Nova's tables and two roles in it. The collector reads
the log and the watched tables; it can change nothing. On PostgreSQL the administrator also makes the
publication, with the statements that Treetop tells any operator to paste.
"""

from typing import Final

import psycopg
from psycopg import sql
from pymysql.connections import Connection
from pymysql.cursors import Cursor

from treetop.capture.postgres_publication import script
from treetop.capture.postgres_tables import find_tables
from treetop.model.zone import Trust, ZoneKind
from treetop.nova.watched import watched_tables

DATABASE: Final = "nova_cell"
COLLECTOR: Final = "treetop_collector"
NOVA: Final = "nova"

_TABLES: Final = watched_tables(ZoneKind.CELL, Trust.FULL)


def prepare_mariadb(connection: "Connection[Cursor]", passwords: dict[str, str], tables: str) -> None:
    """Make database, tables and roles anew; what was there under these names is dropped.

    connection: as root, without a database. passwords: role -> password. tables: DDL, as in `schema`.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
        cursor.execute(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb3")
        cursor.execute(f"USE {DATABASE}")
        for statement in tables.split(";\n"):
            if statement.strip():
                cursor.execute(statement)
        for role in (NOVA, COLLECTOR):
            account = f"{role}@'127.0.0.1'"
            cursor.execute(f"CREATE OR REPLACE USER {account} IDENTIFIED BY %s", (passwords[role],))
        cursor.execute(f"GRANT ALL ON {DATABASE}.* TO {NOVA}@'127.0.0.1'")
        cursor.execute(f"GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO {COLLECTOR}@'127.0.0.1'")
        for table in _TABLES:
            cursor.execute(f"GRANT SELECT ON {DATABASE}.{table} TO {COLLECTOR}@'127.0.0.1'")


def drop_and_create_postgres(
    admin: "psycopg.Connection[tuple[object, ...]]", passwords: dict[str, str]
) -> None:
    """Make database and roles anew. admin: a superuser in autocommit, in another database."""
    database = sql.Identifier(DATABASE)
    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(database))
    for role, options in ((NOVA, "LOGIN"), (COLLECTOR, "LOGIN REPLICATION")):
        name = sql.Identifier(role)
        admin.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(name))
        create = sql.SQL("CREATE ROLE {} {} PASSWORD {}")
        admin.execute(create.format(name, sql.SQL(options), sql.Literal(passwords[role])))
    admin.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, sql.Identifier(NOVA)))


def prepare_postgres(admin: "psycopg.Connection[tuple[object, ...]]", tables: str) -> None:
    """Make tables, rights and publication in an empty database. admin: a superuser in it, in autocommit."""
    with admin.transaction():
        admin.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(NOVA)))
        admin.execute(tables.encode())
        names = sql.SQL(", ").join(map(sql.Identifier, _TABLES))
        admin.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(names, sql.Identifier(COLLECTOR)))
    admin.execute(script(admin, find_tables(admin, _TABLES), exists=False).encode())
