# SPDX-License-Identifier: Apache-2.0
"""One connection to a demo zone's database as the side that writes it, with the same calls on both engines.

Rows are dicts of column -> value, statements are made here and nowhere else in the demo. Reads happen in
autocommit; a write needs `transaction()`. Every table and column name comes from this package, never from
outside, which is why names may be pasted into statements. Errors are the driver's own (`Error`).
"""
# ruff: noqa: S608 - statements are made of this package's own names, values are parameters

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from importlib.resources import files
from typing import Any, Final

import psycopg
import pymysql
from psycopg import sql
from pymysql.constants import CLIENT

from treetop.demo.row import Row, Value
from treetop.model.zone import Engine, SourceUrl, ZoneKind

Error: Final = (pymysql.MySQLError, psycopg.Error)


class _Abandon(Exception):
    """Raised by `ZoneDatabase.abandon`."""


class ZoneDatabase:
    """A zone's database, opened to be changed. One thread; `close` it, or use it as a context manager.

    transactions: how many were committed through this object.
    """

    def __init__(self, url: SourceUrl, password: str | None) -> None:
        """Connect. Raises the driver's error when the zone does not answer or refuses the password."""
        self.engine = url.engine
        self.transactions = 0
        # Any: two DB-API connections with the same calls and no common type
        self._connection: Any = _connect(url, password)
        self._cursor: Any = self._connection.cursor()
        self._quote = '"' if self.engine is Engine.POSTGRESQL else "`"

    def __enter__(self) -> "ZoneDatabase":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; an open transaction is rolled back by the server."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what the block wrote when it ends, roll back when it raises or calls `abandon`."""
        self._execute("BEGIN")
        try:
            yield
        except _Abandon:
            self._execute("ROLLBACK")
        except BaseException:
            self._execute("ROLLBACK")
            raise
        else:
            self._execute("COMMIT")
            self.transactions += 1

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Keep what the block wrote, or undo only that when it raises or calls `abandon`."""
        self._execute("SAVEPOINT part")
        try:
            yield
        except _Abandon:
            self._execute("ROLLBACK TO SAVEPOINT part")
        else:
            self._execute("RELEASE SAVEPOINT part")

    def abandon(self) -> None:
        """Leave the innermost `savepoint` or `transaction` block and undo what it wrote."""
        raise _Abandon

    def insert(self, table: str, *rows: Row) -> int:
        """Insert rows (all with the same columns) and return the first one's id (0: the table has none)."""
        names = list(rows[0])
        marks = "(" + ", ".join(["%s"] * len(names)) + ")"
        statement = f"INSERT INTO {self._name(table)} ({self._names(names)}) VALUES " + ", ".join(
            [marks] * len(rows)
        )
        if table == "tags":  # the one table without an id
            self._execute(statement, [value for row in rows for value in row.values()])
            return 0
        self._execute(statement + " RETURNING id", [value for row in rows for value in row.values()])
        found = self._cursor.fetchall()
        return int(found[0][0])

    def update(self, table: str, changes: Mapping[str, Value], **where: Value) -> int:
        """Set columns of the rows where all of `where` are equal; return how many rows there were."""
        assignments = ", ".join(f"{self._name(name)} = %s" for name in changes)
        condition, values = self._condition(where)
        self._execute(
            f"UPDATE {self._name(table)} SET {assignments}{condition}", [*changes.values(), *values]
        )
        return int(self._cursor.rowcount)

    def soft_delete(self, table: str, now: datetime, **where: Value) -> int:
        """Delete rows as Nova does: `deleted` becomes the row's id, rows already deleted stay as they are."""
        condition, values = self._condition({**where, "deleted": 0})
        self._execute(
            f"UPDATE {self._name(table)} SET deleted = id, deleted_at = %s{condition}", [now, *values]
        )
        return int(self._cursor.rowcount)

    def delete(self, table: str, **where: Value) -> int:
        """Delete rows for good; return how many."""
        condition, values = self._condition(where)
        self._execute(f"DELETE FROM {self._name(table)}{condition}", values)
        return int(self._cursor.rowcount)

    def move(self, table: str, target: str, column: str, keys: Sequence[Value]) -> int:
        """Copy the rows with `column` among `keys` into a table of the same shape, and delete them here."""
        if not keys:
            return 0
        condition = f" WHERE {self._name(column)} IN ({', '.join(['%s'] * len(keys))})"
        self._execute(f"SELECT * FROM {self._name(table)}{condition}", keys)
        rows = self._fetch()
        if rows:  # not INSERT … SELECT: on PostgreSQL the two tables have different enumeration types
            self.insert(target, *rows)
            self._execute(f"DELETE FROM {self._name(table)}{condition}", keys)
        return len(rows)

    def select(self, table: str, columns: str, order_by: str = "id", **where: Value) -> list[Row]:
        """Read columns (separated by blanks, `*` for all) of the rows where all of `where` are equal."""
        names = "*" if columns == "*" else self._names(columns.split())
        condition, values = self._condition(where)
        order = self._name(order_by)
        self._execute(f"SELECT {names} FROM {self._name(table)}{condition} ORDER BY {order}", values)
        return self._fetch()

    def count(self, table: str, **where: Value) -> int:
        """Count rows where all of `where` are equal."""
        condition, values = self._condition(where)
        self._execute(f"SELECT count(*) FROM {self._name(table)}{condition}", values)
        return int(self._cursor.fetchone()[0])

    def largest_id(self, table: str) -> int:
        """Return the highest id in a table, 0 when it is empty."""
        self._execute(f"SELECT max(id) FROM {self._name(table)}")
        return int(self._cursor.fetchone()[0] or 0)

    def create_tables(self, kind: ZoneKind = ZoneKind.CELL) -> None:
        """Make Nova's tables in an empty database: a cell's, or those of the API database."""
        engine = "postgresql" if self.engine is Engine.POSTGRESQL else "mariadb"
        name = f"nova_api.{engine}.sql" if kind is ZoneKind.API else f"{engine}.sql"
        self.run_script(files("treetop.demo").joinpath("schema", name).read_text(encoding="utf-8"))

    def run_script(self, text: str) -> None:
        """Run statements separated by a semicolon at the end of a line."""
        for statement in text.split(";\n"):
            if statement.strip():
                self._cursor.execute(statement)

    def bulk(self, *, is_on: bool) -> None:
        """Switch foreign key checks and per-commit flushes of this connection off for a load, or on again."""
        if self.engine is Engine.POSTGRESQL:
            self._execute(f"SET session_replication_role = {'replica' if is_on else 'origin'}")
            self._execute(f"SET synchronous_commit = {'off' if is_on else 'on'}")
            return
        self._execute(f"SET foreign_key_checks = {0 if is_on else 1}, unique_checks = {0 if is_on else 1}")

    def copy(self, table: str, columns: Sequence[str], lines: bytes) -> None:
        """Insert rows given as lines of tab-separated text (both engines read the same form)."""
        if self.engine is Engine.POSTGRESQL:
            statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
                sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
            )
            with self._cursor.copy(statement) as copy:
                copy.write(lines)
            return
        with tempfile.NamedTemporaryFile(prefix="treetop-load-") as file:  # the protocol wants a file's name
            file.write(lines)
            file.flush()
            self._execute(
                f"LOAD DATA LOCAL INFILE %s INTO TABLE {self._name(table)} CHARACTER SET utf8mb4 "
                f"({self._names(columns)})",
                [file.name],
            )

    def adjust_sequences(self, tables: Sequence[str]) -> None:
        """Let the next ids follow those that were loaded (MariaDB does that by itself)."""
        if self.engine is not Engine.POSTGRESQL:
            return
        for table in tables:
            self._execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {self._name(table)} "
                "HAVING max(id) IS NOT NULL"
            )

    def _fetch(self) -> list[Row]:
        names = [column[0] for column in self._cursor.description]
        return [dict(zip(names, row, strict=True)) for row in self._cursor.fetchall()]

    def _execute(self, statement: str, values: Sequence[Value] = ()) -> None:
        self._cursor.execute(statement, values or None)

    def _name(self, name: str) -> str:
        return f"{self._quote}{name}{self._quote}"

    def _names(self, names: Sequence[str]) -> str:
        return ", ".join(map(self._name, names))

    def _condition(self, where: Mapping[str, Value]) -> tuple[str, list[Value]]:
        if not where:
            return "", []
        return " WHERE " + " AND ".join(f"{self._name(name)} = %s" for name in where), list(where.values())


def _connect(url: SourceUrl, password: str | None) -> Any:
    if url.engine is Engine.POSTGRESQL:
        return psycopg.connect(
            host=url.socket or url.host,
            port=url.port,
            user=url.user,
            password=password,
            dbname=url.database,
            autocommit=True,
            connect_timeout=10,
            application_name="treetop demo",
        )
    return pymysql.connect(
        host=url.host,
        port=url.port,
        unix_socket=url.socket,
        user=url.user,
        password=password or "",
        database=url.database,
        charset="utf8mb4",
        autocommit=True,
        local_infile=True,
        client_flag=CLIENT.FOUND_ROWS,  # count rows found, as PostgreSQL does, not only those that changed
        connect_timeout=10,
    )
