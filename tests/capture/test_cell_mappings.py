# SPDX-License-Identifier: Apache-2.0
"""Cell mappings as they come out of a real API database, on each engine: all of them, and no password with them."""

import contextlib
from dataclasses import replace

import pytest

from tests.region_database import NOVAS_PASSWORD, make_tables, map_cell
from treetop.capture.cell_mappings import find_kind, read_cell_mappings
from treetop.capture.one_query import query_zone
from treetop.errors import Retry, StopZone
from treetop.model.zone import Trust, Zone, ZoneId, ZoneKind, ZoneName


def a_zone(database):
    return Zone(
        id=ZoneId(1),
        name=ZoneName("regionone-api"),
        region="RegionOne",
        trust=Trust.SERVERS,
        url=database.source_url(),
        password=database.password,
        kind=ZoneKind.API,
    )


@pytest.fixture(params=["mariadb", "postgres"])
def database(request):
    return request.getfixturevalue(f"{request.param}_database")


def test_every_mapping_is_read_without_what_is_before_its_host(database):
    make_tables(database)
    map_cell(database, "cell0", f"mysql+pymysql://nova:{NOVAS_PASSWORD}@db1/nova_cell0?charset=utf8")
    map_cell(database, None, f"postgresql://n:a\n{NOVAS_PASSWORD}@[2001:db8::1]/c", is_disabled=True)
    map_cell(database, "Größe", "{scheme}://{username}:{password}@{hostname}/{path}")

    found = read_cell_mappings(a_zone(database))

    assert [(each.name, each.is_disabled, each.connection) for each in found] == [
        ("cell0", False, "mysql+pymysql://db1/nova_cell0?charset=utf8"),
        (None, True, "postgresql://[2001:db8::1]/c"),
        ("Größe", False, "{scheme}://{hostname}/{path}"),
    ]
    assert [each.is_cell0 for each in found] == [True, False, False]


def test_a_database_is_known_by_its_tables(database):
    assert find_kind(a_zone(database)) is None
    make_tables(database, ZoneKind.CELL)
    assert find_kind(a_zone(database)) is ZoneKind.CELL


def test_an_api_database_is_known_by_its_tables(database):
    make_tables(database)
    assert find_kind(a_zone(database)) is ZoneKind.API


def test_a_table_that_is_not_there_needs_a_person(database):
    with pytest.raises(StopZone, match=r"cell_mappings") as error:
        read_cell_mappings(a_zone(database))
    assert "GRANT SELECT (id, uuid, name, disabled, database_connection)" in error.value.hint


def test_a_database_that_does_not_answer_may_later(database):
    zone = a_zone(database)
    with pytest.raises(Retry):
        read_cell_mappings(replace(zone, url=replace(zone.url, port=1)))


@contextlib.contextmanager
def mariadb_role(database):
    """A role that may log in and see one table that is none of Nova's."""
    database.execute("CREATE TABLE other (id INTEGER)")
    database.execute("CREATE OR REPLACE USER mapping_reader@'127.0.0.1' IDENTIFIED BY 'reader'")
    database.execute(f"GRANT SELECT ON {database.name}.other TO mapping_reader@'127.0.0.1'")
    yield
    database.execute("DROP USER mapping_reader@'127.0.0.1'")


@contextlib.contextmanager
def postgres_role(database):
    database.execute("CREATE ROLE mapping_reader LOGIN PASSWORD 'reader'")
    yield
    database.execute("DROP OWNED BY mapping_reader")
    database.execute("DROP ROLE mapping_reader")


def test_the_grant_that_is_hinted_at_is_enough(database, tmp_path):
    make_tables(database)
    map_cell(database, "cell1", "mysql://n:x@db1/c")
    (tmp_path / "password").write_text("reader")
    zone = a_zone(database)
    zone = replace(
        zone,
        url=replace(zone.url, user="mapping_reader"),
        password=replace(zone.password, name=str(tmp_path / "password")),
    )
    role = postgres_role if hasattr(database, "dsn") else mariadb_role
    with role(database):
        with pytest.raises(StopZone, match=r"denied") as error:
            read_cell_mappings(zone)
        assert find_kind(zone) is None

        host = "" if hasattr(database, "dsn") else "@'127.0.0.1'"
        database.execute(error.value.hint + host)

        assert [each.name for each in read_cell_mappings(zone)] == ["cell1"]


def test_nothing_can_be_written_over_the_connection(database):
    """Though the role may: it is the server's administrator."""

    make_tables(database)
    with pytest.raises((StopZone, Retry), match=r"(?i)read.only"):
        query_zone(a_zone(database), "DELETE FROM cell_mappings", hint="")
