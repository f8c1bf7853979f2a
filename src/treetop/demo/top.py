# SPDX-License-Identifier: Apache-2.0
"""The demo's top: an embedded PostgreSQL with the schema, the registered zones, and the two daemons.

The daemons are the real commands (`treetop sync`, `treetop serve`) as child processes that end with this one.
Zones may be registered while the daemons run, from several threads.
"""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psycopg

from treetop.demo.region import REGION
from treetop.demo.zones import DemoZone
from treetop.errors import Retry
from treetop.model.zone import Trust
from treetop.store.daemon import last_lines
from treetop.store.embedded import EmbeddedPostgres
from treetop.store.migrate import sync_schema
from treetop.store.session import open_session
from treetop.store.zones import add_zone

DATABASE = "treetop"
READY_SECONDS = 20.0
STOP_SECONDS = 6.0
_SETTINGS = {"shared_buffers": "256MB", "max_wal_size": "2GB", "checkpoint_timeout": "30min"}


class DemoTop:
    """The top's database and daemons in one private folder. Only `register` is thread-safe."""

    def __init__(self, folder: Path, *, bin_dir: Path | None, port: int) -> None:
        self._server = EmbeddedPostgres(
            folder=folder / "top", bin_dir=bin_dir, settings=_SETTINGS, dies_with_parent=True
        )
        self._folder = folder
        self._port = port
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def conninfo(self) -> str:
        """How to reach the top's database; holds no password."""
        return self._server.conninfo(DATABASE)

    @property
    def url(self) -> str:
        """The compute endpoint."""
        return f"http://127.0.0.1:{self._port}/v2.1"

    def start(self) -> None:
        """Make the database and its schema."""
        self._server.start()
        with psycopg.connect(self._server.conninfo(), autocommit=True) as conn:
            conn.execute(f"CREATE DATABASE {DATABASE}")
        sync_schema(self.conninfo)

    def register(self, zone: DemoZone, trust: Trust) -> None:
        """Write a zone into the registry; `treetop sync` finds it within a second."""
        with open_session(self.conninfo, name="demo") as conn:
            add_zone(
                conn,
                name=zone.name,
                region=REGION,
                trust=trust,
                url=zone.source_url(),
                password=zone.password,
                kind=zone.kind,
            )

    def start_daemons(self) -> None:
        """Start reading and serving; returns when the API answers. Raises `Retry` when one of them ended."""
        self._start_daemon("sync")
        self._start_daemon("serve", "--port", str(self._port))
        deadline = time.monotonic() + READY_SECONDS
        while not self._answers():
            self.require_daemons()
            if time.monotonic() > deadline:
                raise Retry(f"the API did not answer on {self.url} within {READY_SECONDS:g} s")
            time.sleep(0.05)

    def require_daemons(self) -> None:
        """Raise `Retry` with the end of its log when a daemon is gone."""
        for name, process in self._daemons.items():
            if process.poll() is not None:
                raise Retry(
                    f"treetop {name} ended with status {process.returncode}:\n{last_lines(self._log(name))}",
                    hint="OS_DEFAULT__DEBUG=true treetop demo says more; report it if it goes on",
                )

    def stop_daemons(self) -> None:
        """End reading and serving; idempotent."""
        for process in self._daemons.values():
            process.terminate()
        for process in self._daemons.values():
            try:
                process.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin is not None:
                process.stdin.close()
        self._daemons.clear()

    def remove(self) -> None:
        """Stop and delete the database, whoever left it running, and the daemons' logs."""
        self._server.remove()
        for log in map(self._log, ("sync", "serve")):
            log.unlink(missing_ok=True)

    def _start_daemon(self, name: str, *arguments: str) -> None:
        with self._log(name).open("wb") as log:
            self._daemons[name] = subprocess.Popen(
                [sys.executable, "-m", "treetop", name, "--with-parent", *arguments],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                # $ begins the name of an option there, and may be a letter of a folder's name
                env={**os.environ, "OS_STORE__CONNECTION": self.conninfo.replace("$", "$$")},
                start_new_session=True,  # Ctrl-C is for the demo, which stops its daemons in order
            )

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url, timeout=1):  # noqa: S310  # our own loopback URL
                return True
        except (urllib.error.URLError, OSError):
            return False
