# SPDX-License-Identifier: Apache-2.0
"""Bad input to the zone commands: two lines, the right status, no password repeated, nothing half done."""

import json
import os

import psycopg
import pytest

from tests.cli.conftest import SECRET
from treetop.store.migrate import migrations

URL = "mysql://collector@db.example.org:3306/nova_cell1"


@pytest.fixture
def west(treetop, top):
    assert treetop("zone", "add", "west", URL).status == 0


def names(treetop):
    return [zone["name"] for zone in json.loads(treetop("zone", "list", "-f", "json").out)]


def test_a_name_is_taken_once(treetop, refused, west):
    said = refused("zone", "add", "west", "mysql://other@elsewhere/db")

    assert "there is a zone west already" in said.error
    assert said.hint == "treetop zone show west"
    assert names(treetop) == ["west"]


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "mysql://collector@db.example.org/nova_cell1",
        "mariadb://other@DB.example.org/nova_cell1?ssl_ca=/ca.pem",
    ],
)
def test_a_database_is_one_zone(treetop, refused, west, url):
    said = refused("zone", "add", "again", url)

    assert "is zone west already" in said.error
    assert said.hint == "treetop zone show west"
    assert names(treetop) == ["west"]


def test_a_name_that_was_too_long_or_odd_is_told_the_rule(treetop, refused, top):
    for name in ("", "West", "a b", "-a", "a.b", "é", "x" * 64, "a\nb"):
        assert "use 1 to 63 of a-z" in refused("zone", "add", "--", name, URL).hint
    assert names(treetop) == []


def test_arguments_in_the_wrong_order_give_no_password_away(refused, top):
    refused("zone", "add", f"mysql://u:{SECRET}@h/d", "west")
    for command in ("show", "remove", "verify"):
        refused("zone", command, f"mysql://u:{SECRET}@h/d")
    refused("sync", "--zone", f"mysql://u:{SECRET}@h/d")


def test_a_password_in_the_url_is_refused_with_the_way_to_give_it(treetop, refused, top):
    said = refused("zone", "add", "west", f"mysql://u:{SECRET}@h/d")

    assert "holds a password" in said.error
    assert "--password-file" in said.hint
    assert names(treetop) == []


@pytest.mark.parametrize("region", ["", "  ", "a\nb", "x" * 256, "\udcff"])
def test_a_region_is_one_printable_line(treetop, refused, top, region):
    refused("zone", "add", "west", URL, "--region", region)

    assert names(treetop) == []


def test_a_password_file_has_to_be_there(treetop, refused, top, tmp_path):
    for path in (tmp_path / "none", tmp_path, ""):
        said = refused("zone", "add", "west", URL, "--password-file", str(path))
        assert "cannot read the password file" in said.error
        assert said.hint.startswith("ls -l /")
    assert names(treetop) == []


def test_a_password_in_place_of_the_variables_name_is_not_repeated(treetop, refused, top):
    for text in (f"{SECRET}!", f"1{SECRET}", f"{SECRET} x", f"{SECRET}é", ""):
        assert "--password-env NAME" in refused("zone", "add", "west", URL, "--password-env", text).hint
    assert names(treetop) == []


@pytest.mark.parametrize("words", [("show",), ("remove", "--yes"), ("remove",), ("verify",)])
def test_an_unknown_zone_is_said_to_be_unknown(refused, top, words):
    said = refused("zone", *words, "nowhere")

    assert said.error == "there is no zone 'nowhere'"
    assert said.hint == "treetop zone list"


@pytest.mark.parametrize(
    "words", [("zone", "list"), ("zone", "show", "a"), ("zone", "remove", "a", "--yes"), ("zone", "verify", "a"),
              ("zone", "add", "west", URL), ("zone", "discover"),
              ("region", "list"), ("region", "show", "a"), ("region", "remove", "a", "--yes"),
              ("region", "add", "a", "--nova-api", URL), ("sync",), ("serve",), ("db", "sync"), ("db", "version")]
)  # fmt: skip
class TestEveryCommand:
    """Commands that need the top, when there is none as needed."""

    def test_without_a_top_says_how_to_name_one(self, refused, words):
        said = refused(*words)
        assert "[store] connection is not set" in said.error
        assert "OS_STORE__CONNECTION" in said.hint

    def test_with_a_top_that_does_not_answer_fails(self, refused, monkeypatch, words):
        monkeypatch.setenv("OS_STORE__CONNECTION", f"host=127.0.0.1 port=1 user=u password={SECRET}")
        assert "does not answer" in refused(*words, status=1).error

    def test_with_a_wrong_password_fails(self, refused, monkeypatch, top_server, words):
        dsn = f"postgresql://treetop:{SECRET}@127.0.0.1:{top_server.port}/postgres"
        monkeypatch.setenv("OS_STORE__CONNECTION", dsn)
        assert "authentication failed" in refused(*words, status=1).error

    def test_with_a_connection_that_cannot_be_read_is_refused(self, refused, monkeypatch, words):
        for text in (SECRET, f"postgresql://u:x@{SECRET}@h/d", f"postgresql://u:x/{SECRET}@h/d"):
            monkeypatch.setenv("OS_STORE__CONNECTION", text)
            assert "passfile=" in refused(*words).hint

    def test_with_a_newer_schema_is_refused(self, treetop, refused, empty_top, words):
        assert treetop("db", "sync").status == 0
        with psycopg.connect(empty_top, autocommit=True) as connection:
            connection.execute("INSERT INTO schema_version VALUES (%s, 'later')", (len(migrations()) + 1,))
        if words == ("db", "version"):
            assert treetop(*words).out == f"schema {len(migrations()) + 1}, needed {len(migrations())}\n"
            return
        assert "upgrade treetop" in refused(*words).hint

    def test_without_the_schema_says_how_to_make_it(self, treetop, refused, empty_top, words):
        if words == ("db", "version"):
            assert treetop(*words).out == f"schema 0, needed {len(migrations())}\n"
        elif words == ("db", "sync"):
            assert treetop(*words).out.startswith("applied 0001_")
            assert treetop(*words).out == "the schema is up to date\n"
        else:
            assert refused(*words).hint == "run: treetop db sync"


def test_an_unreadable_password_file_is_refused_at_once(treetop, top, tmp_path, monkeypatch, refused):
    file = tmp_path / "closed"
    file.write_text(SECRET)
    monkeypatch.setattr(os, "access", lambda path, _mode: str(path) != str(file))  # root may read everything

    assert str(file) in refused("zone", "add", "west", URL, "--password-file", str(file)).error
    assert names(treetop) == []
