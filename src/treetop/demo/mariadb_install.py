# SPDX-License-Identifier: Apache-2.0
"""Find MariaDB's programs and make a data folder with them: whole or not at all.

PATH and the usual folders -> programs; a password -> a data folder in which only root@localhost and
root@127.0.0.1 exist, both with that password.
"""

import os
import shutil
import subprocess
from pathlib import Path

from treetop.errors import Refuse
from treetop.store.daemon import server_environment, write_private

_PLACES = (
    "/usr/sbin",
    "/usr/local/sbin",
    "/usr/libexec",
    "/usr/local/bin",
)  # often missing from a user's PATH


def find_mariadbd() -> Path | None:
    """Return the server program, or None when MariaDB is not installed (or without its installer)."""
    server, installer = _find("mariadbd"), _find("mariadb-install-db")
    return server if installer is not None else None


def initialise(data: Path, *, password: str) -> None:
    """Make `data`, which must not exist. Raises `Refuse` with what mariadb-install-db said.

    A folder appears under its name only when it is complete; what an earlier, killed try left is removed.
    """
    new = data.with_name("data.new")
    shutil.rmtree(new, ignore_errors=True)
    accounts = data.with_name("accounts.sql")
    write_private(accounts, _accounts_sql(password))
    options = ["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"]
    if os.geteuid() == 0:
        options.append("--user=root")
    made = subprocess.run(
        [
            str(_find("mariadb-install-db")),
            "--no-defaults",
            f"--datadir=./{new.name}",
            f"--extra-file=./{accounts.name}",
            *options,
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=data.parent,  # relative paths: the script splits those with spaces
        env={**server_environment(), "TMPDIR": str(temporary_folder(data))},
        check=False,
    )
    accounts.unlink()
    if made.returncode != 0:
        shown = "\n".join(made.stdout.decode(errors="replace").splitlines()[-15:])
        raise Refuse(f"mariadb-install-db of {new} failed:\n{shown}", hint=f"df {data.parent}")
    new.rename(data)


def temporary_folder(data: Path) -> Path:
    """Make and return the folder for temporary tables of the server with `data`.

    In a shared one (/tmp) every MariaDB that starts deletes the temporary tables of the running ones: of 60
    installations, 6 at a time, 2 failed with "Unknown table 'mysql.tmp_...'".
    """
    folder = data.with_name("tmp")
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _find(program: str) -> Path | None:
    path = os.pathsep.join([os.environ.get("PATH", ""), *_PLACES])
    found = shutil.which(program, path=path)
    return Path(found).resolve() if found is not None else None


def _accounts_sql(password: str) -> str:
    """Return what the bootstrap server runs once (it writes no binary log)."""
    return "\n".join(
        (
            "DELETE FROM mysql.global_priv WHERE User IN ('', 'root') AND Host <> 'localhost';",
            "FLUSH PRIVILEGES;",
            f"ALTER USER root@localhost IDENTIFIED BY '{password}';",
            f"CREATE USER root@'127.0.0.1' IDENTIFIED BY '{password}';",
            "GRANT ALL PRIVILEGES ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;",
            "",
        )
    )
