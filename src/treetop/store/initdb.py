# SPDX-License-Identifier: Apache-2.0
"""Make the data folder of a private PostgreSQL: whole or not at all.

Programs, account, password -> a new data folder with the superuser `treetop`, SCRAM for everybody, UTF-8,
C locale. Not synced to disk (`--no-sync`): a machine that loses power that second leaves a folder to delete.
"""

import shutil
import subprocess
from pathlib import Path

from treetop.errors import Refuse
from treetop.store.binaries import server_version
from treetop.store.daemon import server_environment, write_private
from treetop.store.unprivileged import Account

SUPERUSER = "treetop"
SETTINGS_FILE = "treetop.conf"  # beside postgresql.conf, and stronger


def initialise(data: Path, *, bin_dir: Path, account: Account, password: str) -> None:
    """Make `data`, which must not exist; its parent must be the account's.

    Raises `Refuse` with what initdb said.
        A folder appears under its name only when it is complete; what an earlier, killed try left is removed.
    """
    new = data.with_name("data.new")
    shutil.rmtree(new, ignore_errors=True)
    password_file = data.with_name("initdb.password")
    write_private(password_file, password + "\n")
    account.own(password_file)
    command = [bin_dir / "initdb", "--pgdata", new, "--username", SUPERUSER, "--pwfile", password_file]
    options = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"]
    made = subprocess.run(
        [*map(str, (*account.prefix, *command, *options))],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        user=account.user,
        group=account.group,
        extra_groups=None if account.user is None else [],
        cwd=new.parent,
        env=server_environment(),
        check=False,
    )
    password_file.unlink()
    if made.returncode != 0:
        shown = "\n".join(made.stdout.decode(errors="replace").splitlines()[-10:])
        raise Refuse(f"initdb of {new} failed:\n{shown}", hint=f"{bin_dir}/initdb --version; df {new.parent}")
    with (new / "postgresql.conf").open("a") as configuration:  # initdb's own has what it found to work here
        configuration.write(f"include '{SETTINGS_FILE}'\n")
    new.rename(data)


def check_version(data: Path, *, bin_dir: Path) -> None:
    """Raise `Refuse` when the data was made by another major version than the programs in `bin_dir`."""
    made_by = (data / "PG_VERSION").read_text().strip()
    found = server_version(bin_dir)
    if made_by != str(found):
        raise Refuse(
            f"{data} was made by PostgreSQL {made_by}, but {bin_dir} is version {found}",
            hint=f"name the folder of PostgreSQL {made_by} with bin_dir, or delete {data} to start anew",
        )
