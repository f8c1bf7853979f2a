# SPDX-License-Identifier: Apache-2.0
"""`treetop zone discover` on a real top and real API databases: what is proposed, what is registered, no password."""

import json
import logging
import shlex

import psycopg
import pytest

from tests.cli.conftest import SECRET
from tests.cli.json_contract import documented_fields, field_names
from tests.region_database import NOVAS_PASSWORD, make_tables, map_cell
from treetop.model.zone import ZoneKind

assert SECRET in NOVAS_PASSWORD  # `refused` looks for it in every output


@pytest.fixture(params=["mariadb", "postgres"])
def database(request):
    """An API database without cells."""
    return make_tables(request.getfixturevalue(f"{request.param}_database"))


@pytest.fixture
def region(treetop, top, database):
    """That of region "Lab 1", which is registered."""
    words = ("--nova-api", str(database.source_url()), "--password-file", database.password.name)
    assert treetop("region", "add", "Lab 1", *words).status == 0
    return database


@pytest.fixture
def cells(region):
    """Cells of every sort: cell0, two to be registered (one disabled), and one that cannot be."""
    account = f"nova:{NOVAS_PASSWORD}"
    map_cell(region, "cell0", f"mysql+pymysql://{account}@db0.example.org/nova_cell0?charset=utf8")
    map_cell(region, "Cell 1", f"postgresql+psycopg2://{account}@[2001:db8::1]:6432/nova_cell1")
    map_cell(region, None, f"mysql://{account}@db2.example.org/nova_cell2", is_disabled=True)
    map_cell(region, "odd", f"sqlite:///{NOVAS_PASSWORD}.db")
    return region


def discovered(treetop, *words, status=0):
    done = treetop("zone", "discover", *words, "-f", "json")
    assert done.status == status, done.err
    assert SECRET not in done.out + done.err
    return json.loads(done.out)


def standings(found):
    return {each["zone"]: each["standing"] for each in found}


def names(treetop):
    return [zone["name"] for zone in json.loads(treetop("zone", "list", "-f", "json").out)]


UNNAMED = "cell-0d5f5d2a-8b0e-4d2b-8f2b-000000000002"


def test_every_cell_is_proposed_with_its_place(treetop, cells):
    found = discovered(treetop)
    user = cells.source_url().user

    assert field_names(found[0]) == documented_fields("zone discover -f json")
    assert standings(found) == {"cell0": "new", "cell-1": "new", UNNAMED: "new", "odd": "unusable"}
    assert [each["url"] for each in found] == [
        f"mysql://{user}@db0.example.org:3306/nova_cell0",
        f"postgresql://{user}@[2001:db8::1]:6432/nova_cell1",
        f"mysql://{user}@db2.example.org:3306/nova_cell2",
        None,
    ]
    assert [each["is_disabled"] for each in found] == [False, False, True, False]
    assert "sqlite" in found[3]["reason"]
    assert names(treetop) == ["lab-1-api"]


def test_the_commands_can_be_pasted(treetop, cells):
    commands = [each["command"] for each in discovered(treetop) if each["command"]]
    for command in commands:
        program, *words = shlex.split(command)
        assert program == "treetop"
        assert treetop(*words).status == 0

    assert names(treetop) == [UNNAMED, "cell-1", "cell0", "lab-1-api"]
    assert set(standings(discovered(treetop)).values()) == {"registered", "unusable"}
    zone = json.loads(treetop("zone", "show", "cell0", "-f", "json").out)
    assert (zone["region"], zone["password"]) == ("Lab 1", str(cells.password))


def test_the_table_is_followed_by_what_to_type(treetop, cells):
    done = treetop("zone", "discover")

    assert (done.status, done.err) == (0, "")
    assert SECRET not in done.out
    assert "  treetop zone add cell0 mysql://" in done.out
    assert "odd cannot be registered: its database is reached by sqlite" in done.out
    assert f"{UNNAMED}: disabled in Nova" in done.out


def test_a_cells_name_does_nothing_to_a_terminal(treetop, region):
    map_cell(region, "a\x1b[31m\nb", "sqlite:///x")
    done = treetop("zone", "discover", "--add")

    assert done.status == 3
    assert "a?[31m?b" in done.out
    assert "no zone for cell a?[31m?b: its database" in done.err
    assert "\x1b" not in done.out + done.err


def test_adding_registers_all_that_can_be_and_names_the_others(treetop, cells):
    done = treetop("zone", "discover", "--add", "-f", "json")

    assert done.status == 3
    assert done.err.startswith("Error: no zone for cell odd: its database is reached by sqlite")
    assert "\nTry: treetop zone add odd URL --region 'Lab 1'\n" in done.err
    assert SECRET not in done.out + done.err
    assert standings(json.loads(done.out)) == {
        "cell0": "added", "cell-1": "added", UNNAMED: "added", "odd": "unusable",
    }  # fmt: skip
    assert names(treetop) == [UNNAMED, "cell-1", "cell0", "lab-1-api"]


def test_adding_again_adds_what_is_new(treetop, region):
    map_cell(region, "a", "mysql://n@h/a")
    assert standings(discovered(treetop, "--add")) == {"a": "added"}
    map_cell(region, "b", "mysql://n@h/b")
    assert standings(discovered(treetop, "--add")) == {"a": "registered", "b": "added"}


def test_zones_are_as_the_api_database_unless_told_otherwise(treetop, region, tmp_path):
    map_cell(region, "a", "mysql://n@h/a")
    assert treetop("zone", "remove", "lab-1-api", "--yes").status == 0
    treetop("region", "add", "Lab 1", "--nova-api", str(region.source_url()), "--trust", "full",
            "--password-file", region.password.name)  # fmt: skip
    (tmp_path / "cells").write_text(SECRET)

    (as_api,) = discovered(treetop)
    (told,) = discovered(treetop, "--user", "o'hara@x", "--trust", "servers",
                         "--password-file", str(tmp_path / "cells"))  # fmt: skip

    assert as_api["command"].endswith(f"--trust full --password-file {region.password.name}")
    assert told["url"] == "mysql://o%27hara%40x@h:3306/a"
    assert told["command"].endswith(f"--trust servers --password-file {tmp_path / 'cells'}")


def test_no_password_of_novas_reaches_the_top_or_a_log(treetop, cells, top, caplog):
    with caplog.at_level(logging.DEBUG):
        treetop("--debug", "zone", "discover", "--add")

    assert SECRET not in caplog.text
    with psycopg.connect(top) as connection:
        for table in ("zone", "zone_status", "zone_position"):
            assert SECRET not in str(connection.execute(f"SELECT each::text FROM {table} AS each").fetchall())


def test_a_template_is_filled_from_the_regions_url_or_from_novas_own(treetop, region):
    map_cell(region, "a", "{scheme}://{username}:{password}@{hostname}:{port}/nova_a?{query}")
    map_cell(region, "b", "{scheme}://{username}:{password}@{hostname}:{port}/{path}?{query}")
    at = region.source_url()

    a, b = discovered(treetop)
    assert a["url"] == str(at).replace(at.database, "nova_a")
    assert "a template: scheme, hostname, port, query filled in from the region's URL" in a["notes"]
    assert "--template-url" in b["reason"]

    _, b = discovered(treetop, "--template-url", "mysql+pymysql://nova@db7/nova?charset=utf8")
    assert b["url"] == f"mysql://{at.user}@db7:3306/nova"


def test_a_cell_on_novas_own_machine_is_looked_for_where_the_regions_database_is(
    treetop, top, database, request, monkeypatch
):
    """`localhost` in a mapping, seen from elsewhere: here the region's host is known by another name."""
    monkeypatch.setattr("treetop.nova.zone_proposal.is_local", lambda url: url.host == "localhost")
    words = ("--nova-api", str(database.source_url()), "--password-file", database.password.name)
    assert treetop("region", "add", "Lab 1", *words).status == 0
    fixture = "postgres" if hasattr(database, "dsn") else "mariadb"
    scheme = "postgresql" if hasattr(database, "dsn") else "mysql+pymysql"
    from tests import servers  # noqa: PLC0415

    cell = getattr(servers, f"create_{fixture}_database")(database.server, "cell_of_" + database.name)
    try:
        make_tables(cell, ZoneKind.CELL)
        map_cell(database, "there", f"{scheme}://n:x@localhost:{database.port}/{cell.name}")
        map_cell(database, "gone", f"{scheme}://n:x@localhost:1/nova")

        there, gone = discovered(treetop)
        done = treetop("zone", "discover", "--add")
    finally:
        getattr(servers, f"drop_{fixture}_database")(cell)

    assert (there["standing"], there["host"]) == ("new", "127.0.0.1")
    assert there["notes"] == [
        "Nova has it at localhost, on Nova's own machine: taken to be 127.0.0.1, as in the region's URL"
    ]
    assert gone["standing"] == "unusable"
    assert "on Nova's own machine" in gone["reason"]
    assert done.status == 3
    assert names(treetop) == ["lab-1-api", "there"]


def test_without_a_region_says_how_to_add_one(refused, top):
    assert "treetop region add NAME --nova-api URL" in refused("zone", "discover").hint
    assert "no region 'nowhere'" in refused("zone", "discover", "--region", "nowhere").error
    refused("zone", "discover", "--region", f"mysql://nova:{SECRET}@h/d")


def test_with_several_regions_one_has_to_be_named(treetop, refused, top):
    for name in ("one", "two"):
        treetop(
            "zone", "add", f"{name}-api", f"mysql://u@127.0.0.1:1/{name}", "--region", name, "--kind", "api"
        )

    said = refused("zone", "discover")
    assert said.error == "there are 2 regions: 'one', 'two'"
    assert said.hint == "say which: --region NAME"
    assert "127.0.0.1:1/two" in refused("zone", "discover", "--region", "two", status=1).error


def test_a_region_without_cells_is_told(refused, region):
    said = refused("zone", "discover", "--add", status=1)

    assert "Nova knows no cell in region Lab 1" in said.error
    assert "nova-manage cell_v2 list_cells" in said.hint


def test_a_database_that_is_none_of_novas_is_told(treetop, refused, top, request):
    for name in ("mariadb", "postgres"):
        database = request.getfixturevalue(f"{name}_database")
        words = ("--region", name, "--kind", "api", "--password-file", database.password.name)
        assert treetop("zone", "add", name, str(database.source_url()), *words).status == 0
        said = refused("zone", "discover", "--region", name, status=1)
        assert "cell_mappings" in said.error
        assert "database_connection" in said.hint


def test_wrong_arguments_are_refused(refused, top):
    refused("zone", "discover", "--trust", "all")
    refused("zone", "discover", "--password-file", "/no/such/file")
    refused("zone", "discover", "--password-env", "A", "--password-file", "/etc/passwd")
    refused("zone", "discover", "--template-url", f"mysql://nova:{SECRET}@h/nova")
    refused("zone", "discover", f"mysql://nova:{SECRET}@h/nova")
