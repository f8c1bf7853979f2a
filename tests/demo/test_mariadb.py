# SPDX-License-Identifier: Apache-2.0
"""The private MariaDB: starts, stops, survives crashes of itself and of us, has the log a zone needs."""

import os
import signal
import subprocess
import sys

import pymysql
import pytest

from tests.servers import wait_until
from treetop.demo.mariadb import PrivateMariaDB, find_mariadbd
from treetop.errors import Refuse, Retry
from treetop.store.daemon import processes_in


@pytest.fixture(scope="module")
def made(servers_folder):
    """One server for all tests here that leave it running or restart it, so that it is installed once."""
    server = PrivateMariaDB(folder=servers_folder / "private mariadb", dies_with_parent=True)
    yield server
    server.remove()


@pytest.fixture
def server(made):
    made.start()
    return made


def value(server, sql):
    with server.root_connection() as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def start_elsewhere(folder, then, options=""):
    """Start a server in `folder` from another process, which then runs `then`; return its exit status."""
    code = (
        "import os, signal; from pathlib import Path; from treetop.demo.mariadb import PrivateMariaDB\n"
        f"server = PrivateMariaDB(folder=Path({str(folder)!r}){options})\nserver.start()\n{then}"
    )
    return subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode


def test_it_listens_on_loopback_only(server):
    assert value(server, "SELECT @@bind_address") == "127.0.0.1"


@pytest.mark.parametrize("account", ["root", "", "mysql", "mariadb.sys"])
def test_nobody_gets_in_without_the_password(server, account):
    with pytest.raises(pymysql.err.OperationalError):
        pymysql.connect(host="127.0.0.1", port=server.port, user=account)
    with pytest.raises(pymysql.err.OperationalError):
        pymysql.connect(unix_socket=str(server.socket), user=account)


def test_the_folder_and_the_password_are_private(server):
    for path in (server.folder, server.password_file):
        assert path.stat().st_mode & 0o077 == 0, path


def test_its_binary_log_is_what_a_zone_needs_from_the_first_statement(server):
    names = "@@binlog_format, @@binlog_row_image, @@binlog_row_metadata, @@log_slave_updates, @@log_bin"
    with server.root_connection() as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT {names}")
        assert cursor.fetchone() == ("ROW", "FULL", "FULL", 1, 1)


def test_its_temporary_tables_are_out_of_reach_of_other_servers(server):
    assert value(server, "SELECT @@tmpdir") == str(server.folder / "tmp")


def test_settings_override_remove_and_add(servers_folder):
    settings = {
        "binlog_row_metadata": "NO_LOG",
        "server_id": "77",
        "gtid_strict_mode": "-",
        "skip_log_bin": "",
    }
    server = PrivateMariaDB(folder=servers_folder / "settings", settings=settings)
    server.start()
    try:
        assert value(server, "SELECT @@binlog_row_metadata") == "NO_LOG"
        assert value(server, "SELECT @@server_id") == 77
        assert value(server, "SELECT @@gtid_strict_mode") == 0
        assert value(server, "SELECT @@log_bin") == 0
    finally:
        server.remove()
    assert not server.folder.exists()


def test_starting_twice_is_starting_once(server):
    before = value(server, "SELECT @@server_uid")
    (pid,) = processes_in(server.folder / "data")
    server.start()
    assert processes_in(server.folder / "data") == [pid]
    assert value(server, "SELECT @@server_uid") == before


def test_stop_waits_until_it_is_gone_and_may_be_repeated(server):
    server.stop()
    assert not server.is_running()
    server.stop()
    with pytest.raises(pymysql.err.OperationalError):
        server.root_connection()


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_committed_rows_and_the_port_survive(server, end):
    with server.root_connection() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE TABLE mysql.kept (x int) ENGINE=InnoDB")
        cursor.execute("INSERT INTO mysql.kept VALUES (7)")
    port = server.port

    getattr(server, end)()
    assert not server.is_running()
    server.start()

    assert server.port == port
    assert value(server, "SELECT x FROM mysql.kept") == 7


def test_a_server_left_by_a_killed_process_is_taken_over(servers_folder):
    folder = servers_folder / "left mariadb"
    assert start_elsewhere(folder, "os.kill(os.getpid(), signal.SIGKILL)") == -signal.SIGKILL
    left = processes_in(folder / "data")
    assert left, "the server died with its starter"
    server = PrivateMariaDB(folder=folder)

    server.start()

    assert processes_in(folder / "data") == left
    assert value(server, "SELECT 1") == 1
    server.remove()
    assert processes_in(folder / "data") == []


def test_a_left_server_with_other_settings_is_replaced(servers_folder):
    folder = servers_folder / "left mariadb with other settings"
    start_elsewhere(folder, "os.kill(os.getpid(), signal.SIGKILL)")
    server = PrivateMariaDB(folder=folder, settings={"server_id": "5"})
    server.start()
    try:
        assert value(server, "SELECT @@server_id") == 5
    finally:
        server.remove()


def test_it_dies_with_its_parent_when_asked_to(servers_folder):
    folder = servers_folder / "mariadb dies"
    start_elsewhere(folder, "os.kill(os.getpid(), signal.SIGKILL)", options=", dies_with_parent=True")
    assert (folder / "port").exists(), "it never ran"
    wait_until("the orphaned server is gone", lambda: not processes_in(folder / "data"))


def test_a_folder_in_use_is_refused(server):
    rival = PrivateMariaDB(folder=server.folder)
    with pytest.raises(Refuse, match=f"in use by process {os.getpid()}"):
        rival.start()
    assert value(server, "SELECT 1") == 1


def test_a_taken_port_is_refused_by_name(server, servers_folder):
    other = PrivateMariaDB(folder=servers_folder / "late mariadb", port=server.port)
    with pytest.raises(Refuse, match=f"port {server.port} of 127.0.0.1 is taken"):
        other.start()
    other.remove()


def test_two_folders_are_two_servers_also_with_long_names(server, servers_folder):
    other = PrivateMariaDB(folder=servers_folder / ("long" * 30))
    other.start()
    try:
        assert other.port != server.port
        assert value(other, "SELECT @@datadir") != value(server, "SELECT @@datadir")
    finally:
        other.remove()


def test_a_bad_setting_is_told_with_the_servers_own_words(servers_folder):
    server = PrivateMariaDB(folder=servers_folder / "bad mariadb", settings={"binlog_fromat": "ROW"})
    with pytest.raises(Retry, match="unknown variable 'binlog_fromat=ROW'"):
        server.start()
    assert not server.is_running()
    server.remove()


def test_the_program_is_found_without_the_administrators_path(monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")  # what an ordinary user on Debian has
    assert find_mariadbd() is not None
