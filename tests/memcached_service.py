# SPDX-License-Identifier: Apache-2.0
"""A memcached of the tests' own on a free port of 127.0.0.1, to stop and start."""

import os
import socket
import subprocess
from pathlib import Path

from tests.servers import wait_until
from treetop.store.daemon import free_port, spawn
from treetop.store.unprivileged import Account


class MemcachedService:
    """address: HOST:PORT, the same after a restart, which forgets everything."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.address = f"127.0.0.1:{self._port}"

    def start(self) -> None:
        """Serve; return when it answers."""
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        self._process = spawn(
            ["memcached", "-l", "127.0.0.1", "-p", str(self._port), "-U", "0", "-m", "16", *user],
            log=self._folder / "memcached.log",
            folder=self._folder,
            account=Account(),
            parent_death_signal="TERM",
        )
        wait_until("memcached answers", self._answers)

    def stop(self) -> None:
        """Stop; idempotent."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=20)
            self._process = None

    def items(self) -> int:
        """How many items it holds."""
        with socket.create_connection(("127.0.0.1", self._port), timeout=5) as connection:
            connection.sendall(b"stats\r\nquit\r\n")
            text = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
        return int(text.split("STAT curr_items ")[1].split()[0])

    def _answers(self) -> bool:
        try:
            self.items()
        except OSError:
            return False
        return True
