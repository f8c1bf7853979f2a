# SPDX-License-Identifier: Apache-2.0
"""Run PostgreSQL's programs when we are root, which they refuse, without touching the machine's accounts.

A program -> the `Account` to run it under. Tried in this order:

1. not root: as we are;
2. a user namespace of its own (`unshare`), in which root looks like an ordinary account: every file stays
   root's, nothing needs a permission changed. Containers may forbid it;
3. an ordinary account that exists already. It cannot enter root's folders, so its data goes to a folder of
   its own (`place_for`), and programs it cannot reach are copied there (`store.binaries`).

Nothing here creates accounts or changes a folder that Treetop did not make.
"""

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from treetop.errors import Refuse

_ACCOUNTS = ("postgres", "nobody")  # the distribution's own first
_LASTING_TEMPORARY = Path("/var/tmp")  # noqa: S108  survives a reboot, and every account may enter it


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """How to start a program: words put before its command, and the ids to become (None: stay who we are).

    reaches_program: False when the account cannot enter the folder the program is in.
    """

    prefix: tuple[str, ...] = ()
    user: int | None = None
    group: int | None = None
    reaches_program: bool = True

    def own(self, path: Path) -> None:
        """Give a file or folder that Treetop made to this account."""
        if self.user is not None and self.group is not None:
            os.chown(path, self.user, self.group)


def account_for(program: Path) -> Account:
    """Return the first account under which `program --version` runs and that is not root.

    Failing that, the first account that runs anything at all, with `reaches_program` False. Raises `Refuse`
    when there is none.
    """
    entries = [entry for name in _ACCOUNTS if (entry := _account(name)) is not None]
    if os.geteuid() != 0 and _account_number(os.geteuid()) is not None:
        return Account()
    unshare = shutil.which("unshare")
    mapped = [
        Account(prefix=(unshare, "--user", f"--map-user={entry.pw_uid}", f"--map-group={entry.pw_gid}", "--"))
        for entry in entries
        if unshare is not None
    ]
    changed = [Account(user=entry.pw_uid, group=entry.pw_gid) for entry in entries]
    for account in mapped + changed:
        if runs(account, program):
            return account
    for account in changed:
        if runs(account, Path("/bin/true")):
            return replace(account, reaches_program=False)
    raise Refuse(
        f"PostgreSQL refuses to run as root, and {program} runs neither in a user namespace nor as "
        f"{' or '.join(_ACCOUNTS)}",
        hint="run Treetop as an ordinary user, or give it a PostgreSQL of your own with the `dsn` option",
    )


def runs(account: Account, program: Path) -> bool:
    """Tell whether `program --version` works under `account`."""
    try:
        subprocess.run(
            [*account.prefix, program, "--version"],
            user=account.user,
            group=account.group,
            extra_groups=None if account.user is None else [],
            cwd="/",
            capture_output=True,
            timeout=30,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def place_for(account: Account, folder: Path) -> Path:
    """Return where the data for `folder` is kept: the folder itself, or one that only `account` can enter.

    Makes what is missing, private to the account. Raises `Refuse` when somebody else's folder is in the way.
    """
    if account.user is None or account.group is None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder
    name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
    place = _LASTING_TEMPORARY / f"treetop-{account.user}-{name}"
    try:
        place.mkdir(mode=0o700)
    except FileExistsError:
        found = place.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.user or found.st_mode & 0o077:
            raise Refuse(
                f"{place} is in the way: it is not a private folder of Treetop's", hint=f"ls -ld {place}"
            ) from None
    else:
        account.own(place)
    return place


def _account(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _account_number(number: int) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwuid(number)  # initdb wants to know its account's name
    except KeyError:
        return None
