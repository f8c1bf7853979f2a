# SPDX-License-Identifier: Apache-2.0
"""A private MariaDB in a folder of its own, with the binary log a zone needs: for demo zones and tests.

Folder -> a server on 127.0.0.1 and a way in as root. In the folder: `data`, `server.log`, `password` (first
line), `my.cnf` (the only options read), `tmp`, `port`, `owner.lock`. root has a password because every local account
can reach 127.0.0.1; only readers of the private folder know it.

As root the server runs as root (`--user=root`), so it needs no account and no permission changed. After
`kill -9` of Treetop it lives on, and the next `start` takes it over; with `dies_with_parent` it shuts down
by itself.
"""

import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pymysql
from pymysql.connections import Connection
from pymysql.cursors import Cursor

from treetop.demo.mariadb_install import find_mariadbd, initialise, temporary_folder
from treetop.errors import Refuse, Retry
from treetop.store.daemon import (
    FolderLock,
    choose_port,
    last_lines,
    processes_in,
    signal_process,
    spawn,
    wait_for,
    write_private,
)
from treetop.store.unprivileged import Account

START_SECONDS = 60.0
STOP_SECONDS = 60.0
_PORT_TAKEN = "Can't start server: Bind on TCP/IP port"
_DEFAULTS = {
    "bind_address": "127.0.0.1",
    "skip_name_resolve": "ON",
    "character_set_server": "utf8mb4",
    "default_time_zone": "+00:00",
    "log_bin": "binlog",
    "binlog_format": "ROW",
    "binlog_row_image": "FULL",
    "binlog_row_metadata": "FULL",
    "gtid_strict_mode": "ON",
    "server_id": "1",
    "log_slave_updates": "ON",
    "innodb_buffer_pool_size": "64M",
    "innodb_log_file_size": "32M",
    "performance_schema": "OFF",
    "max_connections": "200",
}


class PrivateMariaDB:
    """One private server. Not thread-safe; one process owns its folder between `start` and `stop`.

    folder: made if missing (mode 0700). port: None takes a free one. settings: server options over the
    defaults, named as in a my.cnf with `_` for `-`, written anew at every start; an empty value writes the
    bare option (`skip_log_bin`), "-" leaves a default out. dies_with_parent: as in `EmbeddedPostgres`.
    """

    def __init__(
        self,
        *,
        folder: Path,
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
        dies_with_parent: bool = False,
    ) -> None:
        self.folder = folder.absolute()
        self.log = self.folder / "server.log"
        self.password_file = self.folder / "password"
        self._data = self.folder / "data"
        self._wanted_port = port
        self._port = port
        self._settings = _DEFAULTS | dict(settings or {})
        self._parent_death_signal = "TERM" if dies_with_parent else None
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = FolderLock(self.folder)

    @property
    def port(self) -> int:
        """The TCP port on 127.0.0.1; raises `Refuse` before the first `start`."""
        if self._port is None:
            raise Refuse(f"the server in {self.folder} was never started", hint="call start() first")
        return self._port

    @property
    def socket(self) -> Path:
        """The Unix socket; unusable when its path is over 107 bytes (TCP always works)."""
        return self._data / "mysql.sock"

    def root_connection(
        self, database: str | None = None, *, autocommit: bool = True
    ) -> "Connection[Cursor]":
        """Return a new connection as root; the caller closes it. Raises `pymysql.err.OperationalError`."""
        return pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user="root",
            password=self.password_file.read_text().splitlines()[0],
            database=database,
            charset="utf8mb4",
            autocommit=autocommit,
            connect_timeout=10,
        )

    def start(self) -> None:
        """Make the server ready: initialise a new folder, take over a running server, or start one.

        Idempotent. Raises `Refuse` when it cannot be (no MariaDB, folder in use, port taken) and `Retry` with
        the end of the server's log when it does not come up.
        """
        program = find_mariadbd()
        if program is None:
            raise Refuse("MariaDB is not installed", hint="apt-get install mariadb-server")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock.acquire()
        try:
            if not self._data.exists():
                self._initialise()
            if not self._take_over():
                self._start_until(program, time.monotonic() + START_SECONDS)
        except BaseException:
            self._lock.release()
            raise

    def stop(self) -> None:
        """Shut the server down and wait until it is gone; idempotent."""
        if not self.folder.exists():
            return
        self._lock.acquire()
        try:
            self._end()
        finally:
            self._lock.release()

    def kill(self) -> None:
        """Kill the server as a crash would (SIGKILL)."""
        for pid in processes_in(self._data):
            signal_process(pid, signal.SIGKILL)
        wait_for(lambda: not processes_in(self._data), seconds=STOP_SECONDS)
        self._reap()

    def is_running(self) -> bool:
        """Tell whether the server's process lives (it may still be starting)."""
        return bool(processes_in(self._data))

    def remove(self) -> None:
        """Stop the server and delete the folder with all its data."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _initialise(self) -> None:
        password = secrets.token_urlsafe(24)
        write_private(self.password_file, password + "\n")
        initialise(self._data, password=password)

    def _take_over(self) -> bool:
        """Use a server that is running here already, if it runs as wanted; else end it."""
        if not self.is_running():
            return False
        port = self._saved_port()
        if port is not None and self._is_as_wanted(port):
            self._port = port
            wait_for(lambda: self._answers() or not self.is_running(), seconds=START_SECONDS)
            if self._answers():
                return True
        self._end()
        return False

    def _is_as_wanted(self, port: int) -> bool:
        if self._parent_death_signal is not None and self._has_ended():
            return False  # somebody else's child: it would not die with us
        configured = (self.folder / "my.cnf").read_text()
        return self._wanted_port in (None, port) and configured == self._configuration(port)

    def _end(self) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            for pid in processes_in(self._data):
                signal_process(pid, number)
            if wait_for(lambda: not processes_in(self._data), seconds=STOP_SECONDS):
                break
        self._reap()

    def _start_until(self, program: Path, deadline: float) -> None:
        while True:
            self._port = choose_port(wanted=self._wanted_port, last=self._saved_port())
            configuration = self.folder / "my.cnf"
            write_private(configuration, self._configuration(self._port))
            write_private(self.folder / "port", f"{self._port}\n")
            written = self.log.stat().st_size if self.log.exists() else 0
            self._process = spawn(
                [program, f"--defaults-file={configuration}"],
                log=self.log,
                folder=self._data,
                account=Account(),
                parent_death_signal=self._parent_death_signal,
            )
            if self._comes_up(deadline):
                return
            self._end()
            said = last_lines(self.log, since=written)
            if _PORT_TAKEN not in said or self._wanted_port is not None or time.monotonic() > deadline:
                raise Retry(f"the server in {self.folder} did not start:\n{said}", hint=f"less {self.log}")

    def _comes_up(self, deadline: float) -> bool:
        left = max(0.0, deadline - time.monotonic())
        return wait_for(lambda: self._answers() or self._has_ended(), seconds=left) and not self._has_ended()

    def _has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _answers(self) -> bool:
        """Tell whether *this* folder's server takes connections (another one may have got our port)."""
        try:
            connection = self.root_connection()
        except pymysql.err.MySQLError:
            return False
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT @@datadir")
            row = cursor.fetchone()
        return row is not None and Path(str(row[0])).resolve() == self._data.resolve()

    def _reap(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=STOP_SECONDS)
            self._process = None

    def _saved_port(self) -> int | None:
        try:
            return int((self.folder / "port").read_text())
        except (OSError, ValueError):
            return None

    def _configuration(self, port: int) -> str:
        settings = self._settings | {"datadir": str(self._data), "socket": "mysql.sock", "port": str(port)}
        settings |= {"pid_file": "mysql.pid", "tmpdir": str(temporary_folder(self._data))}
        if os.geteuid() == 0:
            settings["user"] = "root"
        lines = [
            f"{name} = {value}" if value else name for name, value in sorted(settings.items()) if value != "-"
        ]
        return "\n".join(
            ["# Written by Treetop at every start: changes here are lost.", "[mariadbd]", *lines, ""]
        )
