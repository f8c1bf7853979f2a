# SPDX-License-Identifier: Apache-2.0
"""Command lines run in this process, and a top for them.

`treetop("zone", "list")` -> what it printed and its status; `refused("zone", "add")` -> its error, checked to be
one that a person can read and that holds no secret; `top` -> the DSN of a top without zones, set as the one to use.
"""

import logging
import os
import re
import subprocess
import sys
from dataclasses import dataclass

import psycopg
import pytest

from treetop import config
from treetop.cli.main import main
from treetop.store.migrate import sync_schema
from treetop.store.session import open_session
from treetop.store.zones import list_zones, remove_zone

SECRET = "sw0rdfish"  # every password of these tests holds it, and no output may
PROGRAM = (sys.executable, "-m", "treetop")


@dataclass(frozen=True, kw_only=True)
class Done:
    status: int
    out: str
    err: str


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """What follows `Error:` and `Try:`."""

    error: str
    hint: str


def refusal(done, *, status):
    """Check that a command said what is wrong, in two lines and without a secret; return them."""
    assert SECRET not in done.out + done.err
    said = re.fullmatch(r"Error: (.+)\nTry: (.+)\n", done.err)
    assert said, done.err
    assert (done.status, done.out) == (status, "")
    return Refusal(error=said[1], hint=said[2])


def process(*words, environment=None, **options):
    """Run a command line as a process of its own to its end."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    done = subprocess.run(
        [*PROGRAM, *words],
        env=kept | (environment or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )
    return Done(status=done.returncode, out=done.stdout, err=done.stderr)


@pytest.fixture(autouse=True)
def as_it_was(monkeypatch, tmp_path):
    """No option from outside; logging as it was, which commands set up for their process."""
    for name in [name for name in os.environ if name.startswith("OS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(config, "DEFAULT_FILE", tmp_path / "no-such.conf")
    root = logging.getLogger()
    before = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = before


@pytest.fixture
def treetop(capsys):
    def run(*words):
        capsys.readouterr()
        status = main(words)
        out, err = capsys.readouterr()
        return Done(status=status, out=out, err=err)

    return run


@pytest.fixture
def refused(treetop):
    def run(*words, status=2):
        return refusal(treetop(*words), status=status)

    return run


@pytest.fixture(scope="session")
def cli_dsn(top_server):
    with psycopg.connect(top_server.conninfo(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE cli")
    sync_schema(top_server.conninfo("cli"))
    return top_server.conninfo("cli")


@pytest.fixture
def top(cli_dsn, monkeypatch):
    with open_session(cli_dsn, name="test") as connection:
        connection.autocommit = True
        for zone in list_zones(connection):
            remove_zone(connection, zone.name)
    monkeypatch.setenv("OS_STORE__CONNECTION", cli_dsn)
    return cli_dsn


@pytest.fixture
def empty_top(top_dsn, monkeypatch):
    """A database that Treetop has never seen."""
    monkeypatch.setenv("OS_STORE__CONNECTION", top_dsn)
    return top_dsn
