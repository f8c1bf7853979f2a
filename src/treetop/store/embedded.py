# SPDX-License-Identifier: Apache-2.0
"""A private PostgreSQL in a folder of its own: made when the folder is new, started, found again, stopped.

Folder -> a server on 127.0.0.1, its DSN, its password file. In the folder: `data`, `server.log`, `password`
(first line), `pgpass` (what the DSN points to: the DSN itself holds no secret and may be shown), `port`
(taken again next time if free), `owner.lock`.

TCP only: zones are reached by TCP anyway, and a socket's path may have 107 bytes at most. Every local account
can reach 127.0.0.1, so everyone needs the password (SCRAM), which only readers of the private folder know.

After `kill -9` of Treetop the server lives on, and the next `start` takes it over; with `dies_with_parent` it
shuts down by itself.
"""

import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from treetop.errors import Refuse, StoreUnavailable
from treetop.store.binaries import copy_programs, find_binaries
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
from treetop.store.initdb import SETTINGS_FILE, SUPERUSER, check_version, initialise
from treetop.store.unprivileged import Account, account_for, place_for, runs

START_SECONDS = 60.0  # crash recovery of a busy server takes some seconds
STOP_SECONDS = 60.0
_ALWAYS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "cluster_name": "treetop",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "lc_messages": "C",
    "jit": "off",  # compiling costs more than a page of the list takes
    "shared_buffers": "64MB",
}
_LEFT_OVER = "pre-existing shared memory block"  # backends of a killed postmaster that have not ended yet
_PORT_TAKEN = "could not bind IPv4 address"


class EmbeddedPostgres:
    """One private server. Not thread-safe; one process owns its folder between `start` and `stop`.

    folder: made if missing (mode 0700). bin_dir: see `store.binaries`. port: None takes a free one.
    settings: server settings on top of ours, written anew at every start.
    dies_with_parent: the server shuts down when the thread that called `start` ends, even by `kill -9`.
    """

    def __init__(
        self,
        *,
        folder: Path,
        bin_dir: Path | None = None,
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
        dies_with_parent: bool = False,
    ) -> None:
        self.folder = folder.absolute()
        self.log = self.folder / "server.log"
        self.password_file = self.folder / "password"
        self._bin_dir = bin_dir
        self._wanted_port = port
        self._port = port
        self._settings = _ALWAYS | dict(settings or {})
        self._parent_death_signal = "INT" if dies_with_parent else None
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = FolderLock(self.folder)
        self._account = Account()
        self._data = self.folder / "data"

    @property
    def port(self) -> int:
        """The TCP port on 127.0.0.1; raises `Refuse` before the first `start`."""
        if self._port is None:
            raise Refuse(f"the server in {self.folder} was never started", hint="call start() first")
        return self._port

    @property
    def data(self) -> Path:
        """PostgreSQL's own folder; outside of `folder` when it runs as another account."""
        return self._data

    def conninfo(self, database: str = "postgres") -> str:
        """Return the libpq DSN of `database` as the superuser; it holds no password."""
        return make_conninfo(
            host="127.0.0.1",
            port=self.port,
            user=SUPERUSER,
            dbname=database,
            passfile=str(self.folder / "pgpass"),
            sslmode="disable",
            gssencmode="disable",
        )

    def start(self) -> None:
        """Make the server ready: initialise a new folder, take over a running server, or start one.

        Idempotent. Raises `Refuse` when it cannot be (folder in use, port taken, no programs) and
        `StoreUnavailable` with the end of the server's log when it does not come up.
        """
        bin_dir = find_binaries(self._bin_dir)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock.acquire()
        try:
            self._locate(bin_dir)
            bin_dir = self._reachable(bin_dir)
            if not self._data.exists():
                self._initialise(bin_dir)
            check_version(self._data, bin_dir=bin_dir)
            if not self._take_over():
                self._start_until(bin_dir, time.monotonic() + START_SECONDS)
        except BaseException:
            self._lock.release()
            raise

    def stop(self) -> None:
        """Stop the server, disconnecting its clients, and wait until it is gone; idempotent."""
        if not self.folder.exists():
            return
        self._lock.acquire()
        try:
            if self._process is None:
                self._locate(find_binaries(self._bin_dir))
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):  # fast, immediate, by force
                for pid in self._postmasters():
                    signal_process(pid, number)
                if wait_for(lambda: not processes_in(self._data), seconds=STOP_SECONDS):
                    break
            self._reap()
        finally:
            self._lock.release()

    def kill(self) -> None:
        """Kill the postmaster as a crash would (SIGKILL); its backends notice and end by themselves soon."""
        for pid in self._postmasters():
            signal_process(pid, signal.SIGKILL)
        if self._process is not None:
            self._process.kill()  # it may be too young to have a pid file
        self._reap()

    def is_running(self) -> bool:
        """Tell whether the postmaster lives (it may still be starting)."""
        return bool(self._postmasters())

    def remove(self) -> None:
        """Stop the server and delete the folder with all its data."""
        self.stop()
        shutil.rmtree(self._data.parent, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _locate(self, bin_dir: Path) -> None:
        self._account = account_for(bin_dir / "initdb")
        self._data = place_for(self._account, self.folder) / "data"

    def _reachable(self, bin_dir: Path) -> Path:
        if self._account.reaches_program:
            return bin_dir
        copy = copy_programs(bin_dir, self._data.with_name("programs"))
        if not runs(self._account, copy / "initdb"):
            raise Refuse(
                f"PostgreSQL refuses to run as root, and a copy of {bin_dir} does not run as another account",
                hint="apt-get install postgresql, or run Treetop as an ordinary user",
            )
        return copy

    def _initialise(self, bin_dir: Path) -> None:
        password = secrets.token_urlsafe(24)
        write_private(self.password_file, password + "\n")
        write_private(self.folder / "pgpass", f"*:*:*:{SUPERUSER}:{password}\n")
        initialise(self._data, bin_dir=bin_dir, account=self._account, password=password)

    def _take_over(self) -> bool:
        """Use a server that is running here already, if it runs as wanted; else see that it ends."""
        if not self._postmasters():
            return False
        port = self._pid_file_port()
        if port is not None and self._is_as_wanted(port):
            self._port = port
            wait_for(lambda: self._answers() or not self._postmasters(), seconds=START_SECONDS)
            if self._answers():
                return True
        for pid in self._postmasters():
            signal_process(pid, signal.SIGINT)
        if not wait_for(lambda: not processes_in(self._data), seconds=STOP_SECONDS):
            pids = processes_in(self._data)
            raise StoreUnavailable(
                f"an earlier server in {self._data} does not end (processes {pids})",
                hint=f"kill -QUIT {pids[0]}",
            )
        return False

    def _is_as_wanted(self, port: int) -> bool:
        if self._parent_death_signal is not None and self._has_ended():
            return False  # somebody else's child: it would not die with us
        configured = (self._data / SETTINGS_FILE).read_text()
        return self._wanted_port in (None, port) and configured == self._configuration(port)

    def _start_until(self, bin_dir: Path, deadline: float) -> None:
        while True:
            self._port = choose_port(wanted=self._wanted_port, last=self._saved_port())
            write_private(self._data / SETTINGS_FILE, self._configuration(self._port))
            self._account.own(self._data / SETTINGS_FILE)
            written = self.log.stat().st_size if self.log.exists() else 0
            self._forget_dead_postmaster()
            self._process = spawn(
                [bin_dir / "postgres", "-D", self._data],
                log=self.log,
                folder=self._data.parent,
                account=self._account,
                parent_death_signal=self._parent_death_signal,
            )
            if self._comes_up(deadline):
                write_private(self.folder / "port", f"{self._port}\n")
                return
            said = last_lines(self.log, since=written)
            may_pass = _LEFT_OVER in said or (_PORT_TAKEN in said and self._wanted_port is None)
            if not may_pass or time.monotonic() > deadline:
                self.kill()
                raise StoreUnavailable(
                    f"the server in {self.folder} did not start:\n{said}", hint=f"less {self.log}"
                )
            time.sleep(0.1)

    def _comes_up(self, deadline: float) -> bool:
        left = max(0.0, deadline - time.monotonic())
        return wait_for(lambda: self._answers() or self._has_ended(), seconds=left) and not self._has_ended()

    def _answers(self) -> bool:
        """Tell whether *this* folder's server takes connections (another one may have got our port)."""
        try:
            with psycopg.connect(self.conninfo(), connect_timeout=5) as connection:
                shown = connection.execute("SHOW data_directory").fetchone()
        except psycopg.OperationalError:
            return False
        return shown is not None and Path(str(shown[0])).resolve() == self._data.resolve()

    def _has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _reap(self) -> None:
        if self._process is not None:
            self._process.wait(timeout=STOP_SECONDS)
            self._process = None

    def _postmasters(self) -> list[int]:
        """Return the living postmaster of our data folder as a list of one, or an empty one."""
        lines = self._pid_file_lines()
        if not lines or not lines[0].isdigit():
            return []
        return [pid for pid in processes_in(self._data) if pid == int(lines[0])]

    def _forget_dead_postmaster(self) -> None:
        """Remove a pid file whose server is gone: its pid may belong to somebody else by now."""
        if not processes_in(self._data):  # PostgreSQL relies on that file while old backends live
            (self._data / "postmaster.pid").unlink(missing_ok=True)

    def _pid_file_lines(self) -> list[str]:
        try:
            return (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []

    def _pid_file_port(self) -> int | None:
        lines = self._pid_file_lines()
        return int(lines[3]) if len(lines) > 3 and lines[3].isdigit() else None

    def _saved_port(self) -> int | None:
        try:
            return int((self.folder / "port").read_text())
        except (OSError, ValueError):
            return None

    def _configuration(self, port: int) -> str:
        settings = self._settings | {"port": str(port)}
        lines = [
            f"{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in sorted(settings.items())
        ]
        return "\n".join(["# Written by Treetop at every start: changes here are lost.", *lines, ""])
