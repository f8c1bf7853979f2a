# SPDX-License-Identifier: Apache-2.0
"""Who may do what in a demo zone: Nova's own role, and Treetop's collector with nothing it does not need.

A server's administrator makes the two roles, and for each zone on that server a database with Nova's tables. The
collector reads the log and the watched tables; it can change nothing. On PostgreSQL the administrator also makes
the publication, with the statements that Treetop tells any operator to paste.
"""

from collections.abc import Mapping
from typing import Final

import psycopg
from psycopg import sql
from pymysql.connections import Connection
from pymysql.cursors import Cursor

from treetop.capture.postgres_publication import script
from treetop.capture.postgres_tables import find_tables
from treetop.nova.table import Table

COLLECTOR: Final = "treetop_collector"
NOVA: Final = "nova"

_ROLES: Final = {NOVA: "LOGIN", COLLECTOR: "LOGIN REPLICATION"}


def make_mariadb_roles(connection: "Connection[Cursor]", passwords: Mapping[str, str]) -> None:
    """Make the roles anew. connection: as root, without a database. passwords: role -> password."""
    with connection.cursor() as cursor:
        for role in _ROLES:
            account = f"{role}@'127.0.0.1'"
            cursor.execute(f"CREATE OR REPLACE USER {account} IDENTIFIED BY %s", (passwords[role],))
        cursor.execute(f"GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO {COLLECTOR}@'127.0.0.1'")


def make_mariadb_database(
    connection: "Connection[Cursor]", database: str, ddl: str, watched: Mapping[str, Table]
) -> None:
    """Make a zone's database anew; what was there under its name is dropped.

    ddl: Nova's tables, as in `schema`. watched: what the collector may read.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {database}")
        cursor.execute(f"CREATE DATABASE {database} CHARACTER SET utf8mb3")
        cursor.execute(f"USE {database}")
        for statement in ddl.split(";\n"):
            if statement.strip():
                cursor.execute(statement)
        cursor.execute(f"GRANT ALL ON {database}.* TO {NOVA}@'127.0.0.1'")
        for table in watched:
            cursor.execute(f"GRANT SELECT ON {database}.{table} TO {COLLECTOR}@'127.0.0.1'")


def make_postgres_roles(
    admin: "psycopg.Connection[tuple[object, ...]]", passwords: Mapping[str, str]
) -> None:
    """Make the roles, or give them these passwords. admin: a superuser in autocommit."""
    known = {name for (name,) in admin.execute("SELECT rolname FROM pg_roles").fetchall()}
    for role, options in _ROLES.items():
        statement = sql.SQL(
            "ALTER ROLE {} {} PASSWORD {}" if role in known else "CREATE ROLE {} {} PASSWORD {}"
        )
        admin.execute(statement.format(sql.Identifier(role), sql.SQL(options), sql.Literal(passwords[role])))


def make_postgres_database(admin: "psycopg.Connection[tuple[object, ...]]", database: str) -> None:
    """Make a zone's database anew, empty. admin: a superuser in autocommit, in another database."""
    name = sql.Identifier(database)
    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
    admin.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, sql.Identifier(NOVA)))


def make_postgres_tables(
    admin: "psycopg.Connection[tuple[object, ...]]", ddl: str, watched: Mapping[str, Table]
) -> None:
    """Make tables, rights and publication in an empty database. admin: a superuser in it, in autocommit."""
    with admin.transaction():
        admin.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(NOVA)))
        admin.execute(ddl.encode())
        names = sql.SQL(", ").join(map(sql.Identifier, watched))
        admin.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(names, sql.Identifier(COLLECTOR)))
    admin.execute(script(admin, find_tables(admin, watched), exists=False).encode())
