# SPDX-License-Identifier: Apache-2.0
"""What tests get from the fixtures of conftest.py: a zone's databases, a wait with a deadline, a bad network.

def test_reconnects(mariadb_database):                # a fresh database on the session's MariaDB
    with mariadb_database.connect() as connection: ...
    with TcpProxy(mariadb_database.port) as proxy:    # 127.0.0.1:proxy.port -> the server
        url = mariadb_database.source_url(port=proxy.port)
        proxy.cut_after(1000)                         # breaks every connection 1,000 bytes from now
        wait_until("the stream is back", lambda: ..., seconds=10)
"""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeVar

import psycopg
import pymysql

from treetop.demo.mariadb import PrivateMariaDB
from treetop.model.zone import Engine, PasswordReference, SourceUrl
from treetop.store.embedded import EmbeddedPostgres

Found = TypeVar("Found")


def wait_until(message: str, predicate: Callable[[], Found], seconds: float = 10.0) -> Found:
    """Return the first true value of `predicate()`; fail with `message` when there was none in time.

    message: the fact that is waited for ("the zone is live"). Errors of the predicate end the wait.
    """
    deadline = time.monotonic() + seconds
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {message} (last value: {value!r})")
        time.sleep(0.01)


@dataclass(frozen=True, kw_only=True)
class MariaDBDatabase:
    """An empty database on a private MariaDB (binlog ROW, FULL image, FULL metadata); user root."""

    server: PrivateMariaDB
    name: str

    @property
    def port(self) -> int:
        return self.server.port

    @property
    def password(self) -> PasswordReference:
        return PasswordReference(kind="file", name=str(self.server.password_file))

    def connect(self, *, autocommit: bool = True) -> "pymysql.connections.Connection[Any]":
        """Return a new connection; use it as a context manager, which closes it."""
        return self.server.root_connection(self.name, autocommit=autocommit)

    def execute(self, sql: str, arguments: Any = None) -> list[tuple[Any, ...]]:
        """Run one statement in its own connection and return its rows."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(sql, arguments)
            return list(cursor.fetchall())

    def source_url(self, *, port: int | None = None, **options: str) -> SourceUrl:
        """Return the URL of a zone; `port` puts a proxy in between."""
        return _source_url(Engine.MARIADB, "root", port or self.port, self.name, options)


@dataclass(frozen=True, kw_only=True)
class PostgresDatabase:
    """An empty database on a private PostgreSQL with wal_level=logical; user treetop (superuser)."""

    server: EmbeddedPostgres
    name: str

    @property
    def port(self) -> int:
        return self.server.port

    @property
    def dsn(self) -> str:
        return self.server.conninfo(self.name)

    @property
    def password(self) -> PasswordReference:
        return PasswordReference(kind="file", name=str(self.server.password_file))

    def connect(self, *, autocommit: bool = True) -> "psycopg.Connection[tuple[Any, ...]]":
        """Return a new connection; use it as a context manager, which closes it."""
        return psycopg.connect(self.dsn, autocommit=autocommit)

    def execute(self, sql: str, arguments: Any = None) -> list[tuple[Any, ...]]:
        """Run one statement in its own connection and return its rows."""
        with self.connect() as connection:
            cursor = connection.execute(sql, arguments)  # type: ignore[call-overload]
            return list(cursor.fetchall()) if cursor.description else []

    def source_url(self, *, port: int | None = None, **options: str) -> SourceUrl:
        """Return the URL of a zone; `port` puts a proxy in between."""
        return _source_url(Engine.POSTGRESQL, "treetop", port or self.port, self.name, options)


def _source_url(engine: Engine, user: str, port: int, database: str, options: dict[str, str]) -> SourceUrl:
    return SourceUrl(
        engine=engine, user=user, host="127.0.0.1", port=port, database=database, options=options
    )


def create_mariadb_database(server: PrivateMariaDB, name: str) -> MariaDBDatabase:
    with server.root_connection() as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb3")  # as Nova's own: utf8mb3
    return MariaDBDatabase(server=server, name=name)


def drop_mariadb_database(database: MariaDBDatabase) -> None:
    """Drop the database, ending whatever a test left connected to it; the server must be running."""
    with database.server.root_connection() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM information_schema.processlist WHERE db = %s", (database.name,))
        for (number,) in cursor.fetchall():
            try:
                cursor.execute("KILL %s", (number,))
            except pymysql.err.OperationalError as error:
                if error.args[0] != 1094:  # ended by itself meanwhile
                    raise
        cursor.execute("SET lock_wait_timeout = 20")
        cursor.execute(f"DROP DATABASE IF EXISTS `{database.name}`")


def create_postgres_database(server: EmbeddedPostgres, name: str) -> PostgresDatabase:
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return PostgresDatabase(server=server, name=name)


def drop_postgres_database(database: PostgresDatabase) -> None:
    """Drop the database with its replication slots and connections; the server must be running."""
    with psycopg.connect(database.server.conninfo(), autocommit=True) as connection:
        slots = "FROM pg_replication_slots WHERE database = %s"

        def drop_slots() -> bool:
            connection.execute(
                f"SELECT pg_terminate_backend(active_pid) {slots} AND active", (database.name,)
            )
            connection.execute(
                f"SELECT pg_drop_replication_slot(slot_name) {slots} AND NOT active", (database.name,)
            )
            return connection.execute(f"SELECT {slots}", (database.name,)).fetchone() is None

        wait_until(f"no replication slot is left in {database.name}", drop_slots)
        connection.execute(f'DROP DATABASE IF EXISTS "{database.name}" WITH (FORCE)')


class TcpProxy:
    """A network that can fail, between a client and a server on 127.0.0.1. Use it as a context manager.

    port: where clients connect. Thread-safe. Nothing is cut, paused or refused at first.
    """

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._lock = threading.Lock()
        self._flowing = threading.Event()
        self._flowing.set()
        self._accepting = True
        self._budget: int | None = None
        self._forwarded = 0
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._start(self._accept)

    def __enter__(self) -> "TcpProxy":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def forwarded(self) -> int:
        """Bytes passed from the server to clients so far."""
        return self._forwarded

    @property
    def connections(self) -> int:
        """Connections that are open now."""
        with self._lock:
            return len(self._sockets) // 2

    def cut(self) -> None:
        """Break every connection now (RST on both sides); new ones are accepted."""
        with self._lock:
            broken, self._sockets = self._sockets, set()
        for sock in broken:
            with contextlib.suppress(OSError):  # its pump was faster
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            _shut(sock)

    def cut_after(self, number_of_bytes: int) -> None:
        """Pass exactly this many more bytes from the server, over all connections, then `cut` once."""
        with self._lock:
            self._budget = number_of_bytes

    def pause(self) -> None:
        """Pass nothing more, in both directions, and keep connections open: a half-open network."""
        self._flowing.clear()

    def resume(self) -> None:
        """Pass what was held back and go on."""
        self._flowing.set()

    def refuse(self) -> None:
        """Close new connections at once, until `accept`; open ones stay."""
        self._accepting = False

    def accept(self) -> None:
        """Take new connections again."""
        self._accepting = True

    def close(self) -> None:
        """Break everything and stop listening; idempotent."""
        self._accepting = False
        _shut(self._listener)
        self._flowing.set()
        self.cut()
        for thread in self._threads:
            thread.join(timeout=5)

    def _start(self, work: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                break
            try:
                server = socket.create_connection(("127.0.0.1", self._target_port), timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            with self._lock:
                taken = self._accepting
                if taken:
                    self._sockets |= {client, server}
            if not taken:
                client.close()
                server.close()
                continue
            self._start(self._pump, client, server, False)
            self._start(self._pump, server, client, True)
        self._listener.close()

    def _pump(self, source: socket.socket, sink: socket.socket, from_server: bool) -> None:
        try:
            while data := source.recv(65536):
                self._flowing.wait()
                sink.sendall(self._allowed(data) if from_server else data)
                if from_server and self._is_spent():
                    self.cut()
        except OSError:
            pass  # cut, or one side is gone
        with self._lock:
            self._sockets -= {source, sink}
        _shut(sink)
        source.close()

    def _is_spent(self) -> bool:
        """Say, once, that the budget is used up."""
        with self._lock:
            is_spent = self._budget == 0
            if is_spent:
                self._budget = None
        return is_spent

    def _allowed(self, data: bytes) -> bytes:
        with self._lock:
            if self._budget is not None:
                data = data[: self._budget]
                self._budget -= len(data)
            self._forwarded += len(data)
        return data


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the other side was faster
        sock.shutdown(socket.SHUT_RDWR)
