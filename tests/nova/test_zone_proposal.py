# SPDX-License-Identifier: Apache-2.0
"""Zones proposed for cells: names that are free, what is there already, hosts as they are seen from here."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treetop.model.source_url import parse_source_url
from treetop.model.zone import NAME_PATTERN, Trust, Zone, ZoneId, ZoneKind, ZoneName
from treetop.nova.cell_mapping import CELL0_UUID, CellMapping
from treetop.nova.zone_proposal import Standing, propose_zones

UUID = "0d5f5d2a-8b0e-4d2b-8f2b-5a3e6d1c9b7e"


def a_cell(name="cell1", connection=None, *, uuid=UUID, is_disabled=False):
    text = connection or f"mysql+pymysql://nova:x@db1/nova_{name}"
    return CellMapping(uuid=uuid, name=name, is_disabled=is_disabled, connection=text)


def a_zone(name, url, *, region="RegionOne", kind=ZoneKind.CELL):
    return Zone(
        id=ZoneId(1),
        name=ZoneName(name),
        region=region,
        trust=Trust.SERVERS,
        url=parse_source_url(url),
        password=None,
        kind=kind,
    )


API = a_zone("regionone-api", "mysql://treetop@db.example.org/nova_api", kind=ZoneKind.API)


def propose(*cells, zones=(), api=API, user="treetop", **options):
    return propose_zones(cells, [api, *zones], api_zone=api, user=user, **options)


def names(*cells, **options):
    return [proposal.zone for proposal in propose(*cells, **options)]


def test_a_cell_becomes_a_zone_of_its_name_read_by_our_user():
    (proposal,) = propose(a_cell(), user="collector")

    assert (proposal.zone, proposal.standing) == ("cell1", Standing.NEW)
    assert str(proposal.url) == "mysql://collector@db1:3306/nova_cell1"
    assert (proposal.reason, proposal.notes, proposal.is_guess) == (None, (), False)


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Cell 1", "cell-1"),
        ("größe/2", "groe-2"),
        ("__a..b__", "a-b"),
        ("x" * 80, "x" * 63),
        (None, f"cell-{UUID}"),
        ("", f"cell-{UUID}"),
        ("测试", f"cell-{UUID}"),
    ],
)
def test_a_name_is_made_one_that_a_zone_can_have(name, zone):
    assert names(a_cell(name)) == [zone]


@given(st.lists(st.none() | st.text(max_size=70), max_size=5), st.text(max_size=70))
def test_names_are_usable_and_differ_whatever_nova_calls_its_cells(cells, region):
    api = a_zone("regionone-api", "mysql://u@h/nova_api", region=region, kind=ZoneKind.API)
    found = names(*(a_cell(name, f"mysql://n@h/c{number}") for number, name in enumerate(cells)), api=api)

    assert len(set(found)) == len(cells)
    assert all(NAME_PATTERN.fullmatch(name) for name in found)


def test_cell0_is_called_so_whatever_nova_calls_it():
    assert names(a_cell(None, "mysql://n@h/nova_cell0", uuid=CELL0_UUID)) == ["cell0"]


def test_a_name_that_another_region_has_gets_the_regions_before_it():
    others = [a_zone("cell0", "mysql://n@other/nova_cell0", region="RegionTwo")]
    cell0 = a_cell("cell0", "mysql://n@db1/nova_cell0", uuid=CELL0_UUID)

    assert names(cell0, zones=others) == ["regionone-cell0"]
    others.append(a_zone("regionone-cell0", "mysql://n@third/nova_cell0", region="RegionThree"))
    assert names(cell0, zones=others) == ["regionone-cell0-2"]


def test_cells_of_one_name_get_different_zones():
    found = names(a_cell("a", "mysql://n@h/x"), a_cell("A", "mysql://n@h/y"), a_cell("A", "mysql://n@h/z"))

    assert found == ["a", "regionone-a", "regionone-a-2"]


def test_a_database_that_is_a_zone_is_not_proposed_again():
    there = a_zone("west", "mariadb://other@DB1:3306/nova_cell1?ssl_verify=off")
    (proposal,) = propose(a_cell(), zones=[there])

    assert (proposal.zone, proposal.standing, proposal.url) == ("west", Standing.REGISTERED, there.url)


def test_a_cell_registered_at_another_address_of_its_server_is_known_by_its_names():
    there = a_zone("cell1", "mysql://u@replica/nova_cell1")

    assert propose(a_cell(), zones=[there])[0].standing is Standing.REGISTERED
    other_region = a_zone("cell1", "mysql://u@replica/nova_cell1", region="RegionTwo")
    assert propose(a_cell(), zones=[other_region])[0].standing is Standing.NEW


def test_a_cell_in_the_api_database_is_refused():
    (proposal,) = propose(a_cell("cell1", "mysql://n@db.example.org/nova_api"))

    assert proposal.standing is Standing.UNUSABLE
    assert "zone regionone-api, which is no cell" in proposal.reason


def test_one_cell_that_cannot_be_used_keeps_no_other_from_being_proposed():
    bad, good = propose(a_cell("a", "sqlite:///a.db"), a_cell("b"))

    assert (bad.standing, bad.url, good.standing) == (Standing.UNUSABLE, None, Standing.NEW)
    assert "sqlite" in bad.reason


def test_a_disabled_cell_is_proposed_and_marked():
    (proposal,) = propose(a_cell(is_disabled=True))

    assert proposal.standing is Standing.NEW
    assert proposal.notes[0].startswith("disabled in Nova")


@pytest.mark.parametrize("place", ["127.0.0.1:3310", "localhost:3310", "[::1]:3310", "127.0.1.1:3310"])
def test_novas_own_machine_is_taken_to_be_the_regions_where_that_is_another(place):
    (proposal,) = propose(a_cell("cell1", f"mysql://n@{place}/nova_cell1"))

    assert str(proposal.url) == "mysql://treetop@db.example.org:3310/nova_cell1"
    assert proposal.is_guess
    assert "on Nova's own machine: taken to be db.example.org" in proposal.notes[-1]


def test_a_socket_is_one_of_novas_machine_too():
    (proposal,) = propose(a_cell("cell1", "mysql://n@/nova_cell1?unix_socket=/run/my.sock"))

    assert str(proposal.url) == "mysql://treetop@db.example.org:3306/nova_cell1"
    assert "socket /run/my.sock" in proposal.notes[-1]


@pytest.mark.parametrize("api", ["mysql://u@127.0.0.1/nova_api", "mysql://u@h/nova_api?socket=/run/my.sock"])
def test_on_novas_own_machine_its_addresses_are_taken_as_they_are(api):
    zone = a_zone("regionone-api", api, kind=ZoneKind.API)
    (proposal,) = propose(a_cell("cell1", "mysql://n@127.0.0.1:3310/c"), api=zone)

    assert (str(proposal.url), proposal.is_guess) == ("mysql://treetop@127.0.0.1:3310/c", False)


def test_a_cell_on_the_regions_server_is_a_mariadb_where_that_is_one():
    api = a_zone("regionone-api", "mariadb://u@db1/nova_api", kind=ZoneKind.API)

    here, elsewhere = propose(a_cell("a"), a_cell("b", "mysql://n@db2/b"), api=api)

    assert (here.url.engine, elsewhere.url.engine) == ("mariadb", "mysql")


def test_a_template_says_what_filled_it():
    template = a_cell("cell1", "{scheme}://{username}:{password}@{hostname}/{path}?{query}")
    own = parse_source_url("mysql://nova@db7/nova")

    (unfilled,) = propose(template)
    (filled,) = propose(template, template_url=own)

    assert "--template-url" in unfilled.reason
    assert str(filled.url) == "mysql://treetop@db7:3306/nova"
    assert filled.notes == ("a template: scheme, hostname, path, query filled in from --template-url",)


def test_files_of_novas_machine_are_named():
    (proposal,) = propose(a_cell("cell1", "mysql://n@db1/c?ssl_ca=/etc/ca.pem"))

    assert proposal.notes == ("these have to be files here, too: /etc/ca.pem",)
