# SPDX-License-Identifier: Apache-2.0
"""`treetop zone add|list|show|remove` on a real top: what is registered, what is printed, in every format."""

import csv
import io
import json
import os
import pty
import subprocess

import psycopg
import pytest

from tests.cli.conftest import PROGRAM, SECRET, process
from tests.cli.json_contract import documented_fields, field_names

URL = "mysql://collector@db.example.org:3306/nova_cell1"


@pytest.fixture
def west(treetop, top, tmp_path):
    """A zone that was added with a password file."""
    file = tmp_path / "west.password"
    file.write_text(SECRET)
    done = treetop(
        "zone", "add", "west", URL, "--password-file", str(file), "--region", "Lab 1", "--trust", "full"
    )
    assert (done.status, done.err) == (0, "")
    return file


def shown(treetop, name):
    done = treetop("zone", "show", name, "-f", "json")
    assert (done.status, done.err) == (0, "")
    return json.loads(done.out)


def test_an_added_zone_is_shown_as_it_was_given(treetop, west):
    zone = shown(treetop, "west")

    assert {
        name: zone[name] for name in ("name", "region", "engine", "trust", "state", "url", "password")
    } == {
        "name": "west",
        "region": "Lab 1",
        "engine": "mysql",
        "trust": "full",
        "state": "new",
        "url": URL,
        "password": f"file:{west}",
    }
    assert (zone["servers"], zone["is_loaded"], zone["lag_seconds"]) == (0, False, None)
    assert (zone["reason"], zone["hint"]) == ("no worker reads this zone", "treetop sync")


def test_adding_says_what_to_type_next(treetop, top):
    said = treetop("zone", "add", "east", "postgres://u@h/d").out

    assert "treetop sync" in said
    assert "treetop zone list" in said


def test_adding_a_zone_to_a_region_that_is_not_known_says_so(treetop, west):
    assert "region Lab 1 is new" not in treetop("zone", "add", "a", "mysql://u@h1/d", "--region", "Lab 1").out

    said = treetop("zone", "add", "b", "mysql://u@h2/d", "--region", "Lab 11").out

    assert "region Lab 11 is new; known before: Lab 1\n" in said


def test_a_zone_shares_no_hosts_unless_told_so(treetop, top):
    treetop("zone", "add", "east", "postgres://u@h/d")
    zone = shown(treetop, "east")

    assert (zone["trust"], zone["region"], zone["password"]) == ("servers", "RegionOne", None)


def test_a_relative_password_file_is_kept_as_the_workers_will_find_it(treetop, top, tmp_path, monkeypatch):
    (tmp_path / "here").write_text(SECRET)
    monkeypatch.chdir(tmp_path)
    treetop("zone", "add", "east", "postgres://u@h/d", "--password-file", "here")

    assert shown(treetop, "east")["password"] == f"file:{tmp_path / 'here'}"


def test_the_top_holds_no_password(treetop, west, top):
    treetop("zone", "add", "east", "postgres://u@h/d", "--password-env", "EAST_PASSWORD")
    with psycopg.connect(top) as connection:
        text = str(connection.execute("SELECT * FROM zone").fetchall())

    assert "env:EAST_PASSWORD" in text
    assert SECRET not in text


def test_the_list_has_the_documented_fields(treetop, west):
    (zone,) = json.loads(treetop("zone", "list", "-f", "json").out)

    assert field_names(zone) == documented_fields("zone list -f json")


def test_showing_has_the_documented_fields(treetop, west):
    assert field_names(shown(treetop, "west")) == documented_fields("zone show NAME -f json")


def test_the_demo_has_the_documented_fields():
    """Its document is compared with the real one in tests/demo/test_run.py."""
    assert documented_fields("demo --seconds N --json")[-1] == "verified.differences"


def test_an_empty_list_is_empty_in_every_format(treetop, top):
    assert json.loads(treetop("zone", "list", "-f", "json").out) == []
    assert treetop("zone", "list", "-f", "value").out == ""
    assert treetop("zone", "list").status == 0


@pytest.mark.parametrize("form", ["json", "csv", "table", "value", "yaml"])
@pytest.mark.parametrize("words", [("zone", "list"), ("zone", "show", "west")])
def test_every_format_names_the_zone_and_no_password(treetop, west, form, words):
    if words[1] == "show" and form == "csv":
        form = "shell"  # one object has no rows
    done = treetop(*words, "-f", form)

    assert (done.status, done.err) == (0, "")
    assert "west" in done.out
    assert SECRET not in done.out


def test_columns_can_be_chosen(treetop, west):
    assert treetop("zone", "list", "-f", "value", "-c", "name", "-c", "state").out == "west new\n"
    assert treetop("zone", "show", "west", "-f", "value", "-c", "engine").out == "mysql\n"
    rows = list(csv.DictReader(io.StringIO(treetop("zone", "list", "-f", "csv").out)))
    assert rows[0]["region"] == "Lab 1"


def test_zones_are_listed_by_name(treetop, top):
    for name in ("b", "c", "a"):
        treetop("zone", "add", name, f"postgres://u@h/{name}")

    assert treetop("zone", "list", "-f", "value", "-c", "name").out.split() == ["a", "b", "c"]


def test_output_that_is_no_terminal_has_no_escape_sequences(west, top):
    done = process("zone", "list", environment={"OS_STORE__CONNECTION": top, "TERM": "xterm"})

    assert (done.status, done.err) == (0, "")
    assert "west" in done.out
    assert "\x1b" not in done.out


@pytest.mark.parametrize("words", [("zone", "list"), ("zone", "show", "west"), ("help",)])
def test_a_terminal_that_wants_no_colour_gets_none(west, top, words):
    """A 20 column one, too."""
    settings = {"OS_STORE__CONNECTION": top, "TERM": "xterm-256color", "NO_COLOR": "1", "COLUMNS": "20"}
    ours, terminal = pty.openpty()
    with subprocess.Popen(
        [*PROGRAM, *words],
        env=os.environ | settings | {"PAGER": "cat"},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    ):
        os.close(terminal)
        text = b"".join(iter(lambda: _read(ours), b""))
    os.close(ours)

    assert b"west" in text or b"zone list" in text
    assert b"\x1b[3" not in text


def _read(descriptor):
    try:
        return os.read(descriptor, 4096)
    except OSError:  # the terminal's other side is closed
        return b""


def test_a_removed_zone_is_gone_and_the_name_is_free(treetop, west):
    done = treetop("zone", "remove", "west", "--yes")

    assert done.status == 0
    assert "west and its rows are gone" in done.out
    assert treetop("zone", "list", "-f", "value").out == ""
    assert treetop("zone", "add", "west", URL).status == 0


def test_a_zone_that_does_not_answer_can_be_removed(treetop, top):
    treetop("zone", "add", "east", "postgres://u@127.0.0.1:1/d")
    done = treetop("zone", "remove", "east", "--yes")

    assert done.status == 0
    assert "Warning: the zone does not answer" in done.err
    assert "SELECT pg_drop_replication_slot('treetop_east_" in done.err
    assert treetop("zone", "list", "-f", "value").out == ""


def test_without_a_terminal_nothing_is_removed_unless_told_so(treetop, refused, west):
    assert refused("zone", "remove", "west").hint == "treetop zone remove west --yes"
    assert shown(treetop, "west")["name"] == "west"


@pytest.mark.parametrize(
    ("answer", "left"), [("y\n", ""), ("yes\n", ""), ("\n", "west\n"), ("n\n", "west\n"), ("", "west\n")]
)
def test_on_a_terminal_removing_asks(treetop, west, monkeypatch, answer, left):
    class Keyboard(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr("sys.stdin", Keyboard(answer))
    treetop("zone", "remove", "west")

    assert treetop("zone", "list", "-f", "value", "-c", "name").out == left
