# SPDX-License-Identifier: Apache-2.0
"""Own one server process: start it with a log, find it again after a crash of ours, see it end.

Commands, folders, ports -> processes. A server is known by its working directory, which PostgreSQL and
MariaDB set to their data folder: pid files may be stale and pids used again by somebody else. Linux only
(`/proc`).
"""

import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from treetop.errors import Refuse
from treetop.store.unprivileged import Account

_PORTS = range(15000, 32000)  # below Linux's ephemeral ports: a restart finds its port free again
_POLL_SECONDS = 0.02


class FolderLock:
    """Says that one process of ours owns a folder; the kernel takes it back when that process dies."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "owner.lock"
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Own the folder; do nothing when we do already. Raises `Refuse` when another process does."""
        if self._descriptor is not None:
            return
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(descriptor, 20).decode(errors="replace") or "unknown"
            os.close(descriptor)
            raise Refuse(
                f"{self._path.parent} is in use by process {owner}",
                hint=f"stop that one first (ps -fp {owner}), or use another folder",
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Let others own the folder; idempotent."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def spawn(
    command: Sequence[str | Path],
    *,
    log: Path,
    folder: Path,
    account: Account,
    parent_death_signal: str | None,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> subprocess.Popen[bytes]:
    """Start a server in `folder`, in its own session (Ctrl-C does not reach it), its output added to `log`.

    parent_death_signal: sent to it when the *thread* that called us ends, however it ends; None, or a
    machine without util-linux's `setpriv`: it lives on. environment: added to ours.
    """
    last_wish = _last_wish(parent_death_signal)
    with log.open("ab") as output:
        return subprocess.Popen(
            [*account.prefix, *last_wish, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd=folder,
            env={**server_environment(), **environment},
            user=account.user,
            group=account.group,
            extra_groups=None if account.user is None else [],
        )


def server_environment() -> Mapping[str, str]:
    """Return our environment without what would turn a private server into another one (PG*, MYSQL*)."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PG", "MYSQL", "MARIADB"))
    }
    return kept | {"LC_ALL": "C"}


def processes_in(folder: Path) -> list[int]:
    """Return the pids whose working directory is `folder`; the dead and unreaped do not count."""
    wanted = str(folder.resolve())
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                where = os.readlink(entry / "cwd")
            except OSError:
                continue  # ended meanwhile, a zombie, or somebody else's
            if where == wanted:
                found.append(int(entry.name))
    return found


def wait_for(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Look at `condition` until it holds or the time is over; return whether it held."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def signal_process(pid: int, number: signal.Signals) -> None:
    """Send a signal; a process that has ended meanwhile is fine."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def is_port_free(port: int) -> bool:
    """Tell whether a server could listen on 127.0.0.1:`port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def choose_port(*, wanted: int | None, last: int | None) -> int:
    """Return the port to listen on: the wanted one, else the last one if it is free, else any free one.

    Raises `Refuse` when the wanted one is taken.
    """
    if wanted is not None and not is_port_free(wanted):
        raise Refuse(
            f"port {wanted} of 127.0.0.1 is taken",
            hint=f"ss -ltnp 'sport = :{wanted}' shows by whom; stop it or choose another port",
        )
    if wanted is not None:
        return wanted
    return last if last is not None and is_port_free(last) else free_port()


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on now. Somebody may be faster: be ready for it."""
    for _ in range(100):
        port = _PORTS[secrets.randbelow(len(_PORTS))]
        if is_port_free(port):
            return port
    raise Refuse(
        f"no free port among 100 tries from {_PORTS.start} to {_PORTS.stop}",
        hint="ss -ltn shows who listens; name a free one with the `port` option",
    )


def last_lines(log: Path, *, since: int = 0, lines: int = 15) -> str:
    """Return the end of what `log` got after its first `since` bytes; empty when there is nothing."""
    try:
        text = log.read_bytes()[since:]
    except OSError:
        return ""
    return "\n".join(text.decode(errors="replace").splitlines()[-lines:])


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whatever was there before."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)


def _last_wish(parent_death_signal: str | None) -> list[str]:
    setpriv = shutil.which("setpriv")
    if parent_death_signal is None or setpriv is None:
        return []
    wish = [setpriv, "--pdeathsig", parent_death_signal]
    works = subprocess.run([*wish, "true"], capture_output=True, check=False).returncode == 0
    return wish if works else []  # BusyBox has a setpriv without the option
