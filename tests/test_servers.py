# SPDX-License-Identifier: Apache-2.0
"""The tests' own tools do what they say: fresh databases, a proxy that cuts, pauses and refuses."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import psycopg
import pytest

from tests.servers import TcpProxy, create_postgres_database, drop_postgres_database, wait_until


@pytest.fixture
def echo_port() -> Iterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=echo, args=(client,), daemon=True).start()

    def echo(client: socket.socket) -> None:
        with client:
            try:
                while data := client.recv(4096):
                    client.sendall(data)
            except OSError:
                return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_wait_until_fails_with_its_message_after_the_deadline():
    with pytest.raises(AssertionError, match="pigs fly"):
        wait_until("pigs fly", lambda: False, seconds=0.05)


def test_wait_until_returns_what_it_found():
    assert wait_until("there is a value", lambda: [3]) == [3]


def test_a_cut_gives_exactly_the_bytes_before_it(echo_port):
    with (
        TcpProxy(echo_port) as proxy,
        socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as client,
    ):
        proxy.cut_after(5)
        client.sendall(b"0123456789")

        assert client.recv(5, socket.MSG_WAITALL) == b"01234"
        with contextlib.suppress(ConnectionResetError):  # an end of stream is as good
            assert client.recv(1) == b"", "the connection went on"
        assert proxy.forwarded == 5


def test_a_proxy_takes_new_connections_after_a_cut(echo_port):
    with TcpProxy(echo_port) as proxy:
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as client:
            client.sendall(b"x")
            assert client.recv(1) == b"x"
            proxy.cut()
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as client:
            client.sendall(b"y")
            assert client.recv(1) == b"y"


def test_a_paused_proxy_passes_nothing_and_loses_nothing(echo_port):
    with (
        TcpProxy(echo_port) as proxy,
        socket.create_connection(("127.0.0.1", proxy.port), timeout=0.2) as client,
    ):
        proxy.pause()
        client.sendall(b"held")
        with pytest.raises(TimeoutError):
            client.recv(4)

        proxy.resume()

        client.settimeout(5)
        assert client.recv(4, socket.MSG_WAITALL) == b"held"


def test_a_refusing_proxy_closes_new_connections(echo_port):
    with TcpProxy(echo_port) as proxy:
        proxy.refuse()
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as client:
            assert client.recv(1) == b""
        proxy.accept()
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as client:
            client.sendall(b"y")
            assert client.recv(1) == b"y"


def test_dropping_a_postgres_database_takes_its_slots_and_connections_along(postgres_server):
    database = create_postgres_database(postgres_server, "with_leftovers")
    database.execute("SELECT pg_create_logical_replication_slot('left', 'pgoutput')")
    with database.connect() as connection:
        drop_postgres_database(database)

        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    with psycopg.connect(postgres_server.conninfo()) as connection:
        assert connection.execute(
            "SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'left'"
        ).fetchone() == (0,)


def test_mariadb_databases_have_the_log_a_zone_needs(mariadb_database):
    names = "@@log_bin, @@binlog_format, @@binlog_row_image, @@binlog_row_metadata, @@gtid_strict_mode"
    assert mariadb_database.execute(f"SELECT {names}") == [(1, "ROW", "FULL", "FULL", 1)]


def test_postgres_databases_have_the_log_a_zone_needs(postgres_database):
    assert postgres_database.execute("SHOW wal_level") == [("logical",)]


def test_the_top_is_another_server_than_the_zone(top_dsn, postgres_database):
    with psycopg.connect(top_dsn) as connection:
        assert connection.execute("SHOW wal_level").fetchone() == ("replica",)
        assert connection.info.port != postgres_database.port
