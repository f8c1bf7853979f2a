# SPDX-License-Identifier: Apache-2.0
"""`treetop region add|list|show|remove` on a real top, with real API databases to look into."""

import io
import json

import psycopg
import pytest

from tests.cli.conftest import SECRET
from tests.cli.json_contract import documented_fields, field_names
from tests.region_database import make_tables, map_cell
from treetop.model.zone import ZoneKind

CELL = "mysql://collector@db.example.org:3306/nova_cell1"


@pytest.fixture(params=["mariadb", "postgres"])
def api_database(request):
    return make_tables(request.getfixturevalue(f"{request.param}_database"))


@pytest.fixture
def lab(treetop, top, postgres_database):
    """A region with its API database and a cell; return the URL of the former."""
    url = str(make_tables(postgres_database).source_url())
    added = treetop(
        "region", "add", "Lab 1", "--nova-api", url, "--password-file", password_file(postgres_database)
    )
    assert (added.status, added.err) == (0, "")
    assert treetop("zone", "add", "cell1", CELL, "--region", "Lab 1").status == 0
    return url


def password_file(database):
    return database.password.name


def add(database, name="RegionOne", *words):
    url = str(database.source_url())
    return ("region", "add", name, "--nova-api", url, "--password-file", password_file(database), *words)


def printed(treetop, *words):
    done = treetop(*words, "-f", "json")
    assert (done.status, done.err) == (0, "")
    return json.loads(done.out)


def test_adding_a_region_registers_its_api_database_as_a_zone(treetop, top, api_database):
    map_cell(api_database, "cell0", f"mysql+pymysql://nova:{SECRET}@db1/nova_cell0")
    done = treetop(*add(api_database, "RegionOne", "--trust", "full"))

    assert (done.status, done.err) == (0, "")
    assert "zone regionone-api; it knows 1 cells, `treetop zone discover`" in done.out
    zone = printed(treetop, "zone", "show", "regionone-api")
    assert {name: zone[name] for name in ("region", "kind", "trust", "url", "password")} == {
        "region": "RegionOne",
        "kind": "api",
        "trust": "full",
        "url": str(api_database.source_url()),
        "password": str(api_database.password),
    }


def test_the_zone_can_be_named(treetop, top, api_database):
    treetop(*add(api_database, "größe 7", "--zone-name", "top-db"))

    assert printed(treetop, "region", "show", "größe 7")["api_zone"] == "top-db"


def test_a_cells_database_is_no_regions(refused, treetop, top, request):
    for name in ("mariadb", "postgres"):
        cell = make_tables(request.getfixturevalue(f"{name}_database"), ZoneKind.CELL)
        said = refused(*add(cell), status=1)
        assert "is the database of a Nova cell" in said.error
        assert "treetop zone add NAME URL" in said.hint
    assert printed(treetop, "zone", "list") == []


def test_a_database_without_novas_tables_is_no_regions(refused, top, request):
    for name in ("mariadb", "postgres"):
        said = refused(*add(request.getfixturevalue(f"{name}_database")), status=1)
        assert "shows no table of a Nova API database" in said.error
        assert "[api_database] connection" in said.hint


@pytest.mark.parametrize("engine", ["mysql", "postgresql"])
def test_a_database_that_does_not_answer_is_not_registered(refused, treetop, top, engine):
    said = refused("region", "add", "RegionOne", "--nova-api", f"{engine}://u@127.0.0.1:1/nova_api", status=1)

    assert f"{engine}://u@127.0.0.1:1/nova_api" in said.error
    assert "127.0.0.1:1" in said.hint
    assert printed(treetop, "region", "list") == []


def test_a_wrong_password_is_told_with_the_way_to_give_another(refused, top, api_database, tmp_path):
    (tmp_path / "wrong").write_text(SECRET)
    words = [*add(api_database)[:-1], str(tmp_path / "wrong")]

    assert "--password-file PATH" in refused(*words, status=1).hint


def test_an_environment_variable_that_is_not_set_is_named(refused, top):
    said = refused(
        "region", "add", "R", "--nova-api", "mysql://u@127.0.0.1:1/d", "--password-env", "NO_SUCH", status=1
    )
    assert said.hint == "set NO_SUCH here, and where `treetop sync` runs"


def test_a_password_in_the_url_is_refused(refused, top):
    said = refused("region", "add", "RegionOne", "--nova-api", f"mysql+pymysql://nova:{SECRET}@db1/nova_api")

    assert "holds a password" in said.error
    assert "--password-file" in said.hint


def test_wrong_arguments_are_refused(refused, top, tmp_path):
    url = ("--nova-api", "mysql://u@h/d")
    (tmp_path / "file").write_text("x")
    refused("region", "add", "RegionOne")
    refused("region", "add", *url)
    refused("region", "add", " ", *url)
    refused("region", "add", "R", *url, "--zone-name", "not a name")
    refused("region", "add", "R", *url, "--trust", "all")
    refused("region", "add", "R", *url, "--password-file", "/no/such/file")
    refused("region", "add", "R", *url, "--password-env", "A", "--password-file", str(tmp_path / "file"))
    assert "treetop region list" in refused("region", "lst").hint
    refused("region", "add", f"mysql://u:{SECRET}@h/d", "--nova-api", "R")


def test_a_region_has_one_api_database(refused, treetop, lab, mariadb_database):
    said = refused(*add(make_tables(mariadb_database), "Lab 1", "--zone-name", "second"))

    assert said.error == "the API database of region Lab 1 is zone lab-1-api already"
    assert said.hint == "treetop zone show lab-1-api"


def test_a_region_lists_its_zones(treetop, lab):
    (region,) = printed(treetop, "region", "list")

    assert field_names(region) == documented_fields("region list -f json")
    assert region == {
        "name": "Lab 1",
        "api_zone": "lab-1-api",
        "cells": 1,
        "servers": 0,
        "state": "new",
        "lag_seconds": None,
    }


def test_a_region_is_shown_with_its_database_and_cells(treetop, lab):
    region = printed(treetop, "region", "show", "Lab 1")

    assert field_names(region) == documented_fields("region show NAME -f json")
    assert (region["nova_api"], region["cell_zones"]) == (lab, ["cell1"])
    assert region["hint"] == "treetop sync"


def test_a_region_of_cells_alone_has_no_api_zone(treetop, top):
    treetop("zone", "add", "cell1", CELL)

    assert printed(treetop, "region", "list")[0]["api_zone"] is None


@pytest.mark.parametrize("form", ["json", "csv", "table", "value", "yaml"])
def test_every_format_names_the_region(treetop, lab, form):
    assert "Lab 1" in treetop("region", "list", "-f", form).out
    assert "cell1" in treetop("region", "show", "Lab 1", "-f", "shell" if form == "csv" else form).out


def test_removing_a_region_removes_all_its_zones(treetop, lab, top):
    treetop("zone", "add", "other", "mysql://u@h/other", "--region", "Lab 2")
    done = treetop("region", "remove", "Lab 1", "--yes")

    assert (done.status, done.out.count("gone from the top")) == (0, 2)
    assert [zone["name"] for zone in printed(treetop, "zone", "list")] == ["other"]
    with psycopg.connect(top) as connection:
        assert connection.execute("SELECT count(*) FROM zone").fetchone() == (1,)


def test_removing_a_region_asks_and_names_what_goes(treetop, refused, lab, monkeypatch):
    assert refused("region", "remove", "Lab 1").hint == "treetop region remove 'Lab 1' --yes"

    class Keyboard(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr("sys.stdin", Keyboard("n\n"))
    assert "which is cell1, lab-1-api" in treetop("region", "remove", "Lab 1").out
    assert len(printed(treetop, "zone", "list")) == 2


@pytest.mark.parametrize("words", [("show",), ("remove", "--yes"), ("remove",)])
def test_an_unknown_region_is_said_to_be_unknown(refused, top, words):
    said = refused("region", *words, "nowhere")

    assert (said.error, said.hint) == ("there is no region 'nowhere'", "treetop region list")
    refused("region", *words, f"mysql://u:{SECRET}@h/d")
