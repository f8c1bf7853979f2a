# SPDX-License-Identifier: Apache-2.0
"""What every command has in common: finding it, its help, its exit status, how errors are told."""

import os
import signal
import subprocess
import time

import psycopg
import pytest

from tests.cli.conftest import PROGRAM, SECRET, process
from tests.servers import wait_until
from treetop.cli import main as application
from treetop.cli.commands import COMMANDS, command_manager


@pytest.mark.parametrize("words", [(), ("help",), ("--help",)])
def test_without_a_command_all_commands_are_listed_with_what_they_do(treetop, words):
    done = treetop(*words)

    assert done.status == 0
    assert done.err == ""
    for name in COMMANDS:
        assert f"\n  {name} " in done.out
    assert "Register a zone" in done.out
    assert "could not" not in done.out.lower()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_describes_itself_and_its_arguments(treetop, name):
    asked = treetop(*name.split(), "--help")

    assert (asked.status, asked.err) == (0, "")
    assert asked.out.startswith(f"usage: treetop {name} ")
    assert treetop("help", *name.split()) == asked


def test_the_help_of_zone_add_shows_urls_and_where_passwords_are(treetop):
    text = treetop("zone", "add", "--help").out

    for word in ("mysql://USER@HOST:3306/", "postgresql://USER@HOST:5432/", "--password-file", "--trust"):
        assert word in text


def test_help_needs_no_readable_configuration(treetop, monkeypatch):
    monkeypatch.setenv("OS_API__PORT", "nowhere")

    assert treetop("zone", "list", "--help").status == 0


def test_version_is_printed(treetop):
    assert treetop("--version").out == "treetop 0.1.0\n"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("zone", "lst"), "treetop zone list"),
        (("zonee", "list"), "treetop zone list"),
        (("zone",), "treetop zone add or: treetop zone list"),
        (("db",), "treetop db sync or: treetop db version"),
        (("dmeo",), "treetop demo"),
        (("xyzzy",), "treetop help"),
        (("help", "xyzzy"), "treetop help"),
        (("--nonsense", "zone", "list"), "treetop --help"),
        (("-p", SECRET), "treetop --help"),
        ((f"mysql://u:{SECRET}@h/d",), "treetop help"),
    ],
)
def test_an_unknown_command_is_answered_with_the_nearest(refused, words, hint):
    assert refused(*words).hint.startswith(hint)


@pytest.mark.parametrize(
    "words",
    [
        ("zone", "add"),
        ("zone", "add", "west"),
        ("zone", "add", "west", "mysql://u@h/d", "--trust", "some"),
        ("zone", "add", "west", "mysql://u@h/d", "--password-file", "a", "--password-env", "B"),
        ("zone", "add", "west", "mysql://u@h/d", f"--password={SECRET}"),
        ("zone", "add", "west", "mysql://u@h/d", "-p", SECRET),
        ("zone", "add", "west", "extra", f"mysql://u:{SECRET}@h/d"),
        ("zone", "list", "-f", "xml"),
        ("zone", "list", "west"),
        ("zone", "verify", "west", "--timeout", "0"),
        ("serve", "--port", "65536"),
        ("serve", "--port", "0"),
        ("serve", "--port", "http"),
        ("demo", "--seconds", "-3"),
        ("demo", "--seconds", "nan"),
        ("demo", "--servers", "0"),
        ("demo", "--rate", "inf"),
    ],
)
def test_wrong_arguments_are_refused_with_the_help_to_read(refused, words):
    name = " ".join(words[:2]) if " ".join(words[:2]) in COMMANDS else words[0]

    assert refused(*words).hint == f"treetop {name} --help"


def test_a_document_at_the_end_needs_an_end(refused):
    assert refused("demo", "--json").hint == "treetop demo --seconds 20 --json"


def test_debug_shows_where_an_error_came_from(treetop):
    done = treetop("--debug", "zone", "list")

    assert done.status == 2
    assert done.err.startswith("Traceback")
    assert "\nError: no top is configured" in done.err


def test_a_fault_of_our_own_is_told_with_its_traceback(treetop, monkeypatch):
    monkeypatch.setattr(application, "load_settings", lambda _files: 1 / 0)

    done = treetop("zone", "list")

    assert done.status == 1
    assert "ZeroDivisionError" in done.err
    assert done.err.splitlines()[-1].startswith("Try: report it")


def test_what_the_system_refuses_is_an_error_like_any_other(refused, monkeypatch):
    def full(_files):
        raise OSError(28, "No space left on device", "/somewhere")

    monkeypatch.setattr(application, "load_settings", full)

    assert "No space left on device: '/somewhere'" in refused("zone", "list", status=1).error


def test_a_reader_that_went_away_is_no_traceback():
    with subprocess.Popen([*PROGRAM, "complete"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        running.stdout.close()
        said = running.stderr.read()
        status = running.wait(30)

    assert (status, said) == (141, b"")


def test_a_terminal_without_unicode_gets_the_rest():
    done = process("zone", "list", environment={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})

    assert done.status == 2
    assert done.err.startswith("Error: no top is configured")


def test_ctrl_c_ends_a_command_at_once_and_quietly(top_server):
    """The command waits for a lock meanwhile, as it would for another one that migrates."""
    with psycopg.connect(top_server.conninfo(), autocommit=True) as holder:
        holder.execute("SELECT pg_advisory_lock(87740001)")
        running = subprocess.Popen(
            # tests that a shell put into the background ignore Ctrl-C, and so would the command
            ["env", "--default-signal=INT", *PROGRAM, "db", "sync"],
            env=os.environ | {"OS_STORE__CONNECTION": top_server.conninfo()},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        wait_until(
            "the command waits",
            lambda: holder.execute(
                "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            ).fetchone(),
            seconds=20,
        )
        begun = time.monotonic()
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=10)

    assert (running.returncode, out, err) == (130, b"", b"")
    assert time.monotonic() - begun < 5


def test_commands_can_be_completed_by_a_shell(treetop):
    done = treetop("complete")

    assert done.status == 0
    for name in {name.split()[0] for name in COMMANDS}:
        assert name in done.out


def test_finding_a_command_imports_no_other():
    code = (
        "import sys\n"
        "from treetop.cli.main import main\n"
        "assert main(['zone', 'list']) == 2\n"
        "print(*sorted(name for name in sys.modules), sep='\\n')\n"
    )
    done = subprocess.run([PROGRAM[0], "-c", code], capture_output=True, text=True, check=True, timeout=60)
    loaded = set(done.stdout.split())

    assert "treetop.cli.zone" in loaded
    heavy = ("falcon", "waitress", "pymysql", "cryptography", "cmd2", "psycopg_pool", "orjson")
    ours = ("api", "apply", "demo", "sync", "cli.demo", "cli.daemon", "cli.verify", "store.embedded")
    unwanted = {*heavy, *(f"treetop.{name}" for name in ours)}
    assert loaded & unwanted == set()


def test_every_command_can_be_found_and_imported():
    for name in COMMANDS:
        assert command_manager().find_command(name.split())[1] == name
