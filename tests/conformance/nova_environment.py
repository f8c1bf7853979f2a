# SPDX-License-Identifier: Apache-2.0
"""The real Nova in an environment of its own, to compare with: made once, kept in `.venv-nova/`.

`make_nova_environment()` -> the folder of its programs. Needs the package index on first use (5 s with uv).
Treetop itself never imports Nova: `nova-manage` runs as a program.
"""

import fcntl
import hashlib
import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
LOCK = Path(__file__).with_name("requirements.lock")
ENVIRONMENT = REPOSITORY / ".venv-nova"


def make_nova_environment() -> Path:
    """Install what `requirements.lock` says, unless that was done; return the folder of the programs."""
    wanted = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()
    stamp = ENVIRONMENT / "installed"
    ENVIRONMENT.mkdir(exist_ok=True)
    with (ENVIRONMENT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs at once
        if not stamp.exists() or stamp.read_text() != wanted:
            venv.create(ENVIRONMENT, with_pip=_uv() is None, clear=False)
            run(_install_command())
            stamp.write_text(wanted)
    return ENVIRONMENT / "bin"


def sync_schema(programs: Path, folder: Path, connection: str) -> None:
    """Make a cell's tables in an empty database, as an operator does: `nova-manage db sync --local_cell`.

    connection, folder: as for `configure`.
    """
    configuration = configure(folder, connection)
    run([str(programs / "nova-manage"), "--config-file", str(configuration), "db", "sync", "--local_cell"])


def sync_api_schema(programs: Path, folder: Path, connection: str) -> None:
    """Make the API database's tables in an empty database, as an operator does: `nova-manage api_db sync`."""
    configuration = configure(folder, connection, section="api_database")
    run([str(programs / "nova-manage"), "--config-file", str(configuration), "api_db", "sync"])


def read_servers(programs: Path, configuration: Path) -> dict[str, Any]:
    """Return what Nova's own objects read of every server of a cell that is not deleted, by uuid."""
    script = str(Path(__file__).with_name("read_with_nova.py"))
    return dict(json.loads(run([str(programs / "python"), script, str(configuration)])))


def configure(folder: Path, connection: str, *, section: str = "database") -> Path:
    """Write a nova.conf. connection: SQLAlchemy URL with the password, of `section`. folder: private."""
    configuration = folder / "nova.conf"
    configuration.touch(mode=0o600)
    configuration.write_text(
        f"[DEFAULT]\nstate_path = {folder}\nlog_file = {folder}/nova.log\ntransport_url = fake://\n"
        f"[{section}]\nconnection = {connection}\n[oslo_concurrency]\nlock_path = {folder}\n"
    )
    return configuration


def _uv() -> str | None:
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.exists() else shutil.which("uv")


def _install_command() -> list[str]:
    python, uv = str(ENVIRONMENT / "bin" / "python"), _uv()
    if uv is None:
        return [python, "-m", "pip", "install", "--quiet", "--requirement", str(LOCK)]
    return [uv, "pip", "install", "--quiet", "--python", python, "--requirement", str(LOCK)]


def run(command: list[str]) -> str:
    """Run a program to its end and return what it prints; fail with the end of its output if it failed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)} failed:\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
    return done.stdout
