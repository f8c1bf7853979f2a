# SPDX-License-Identifier: Apache-2.0
"""The tables that are kept at the top as a zone has them: what is read of them is what there is room for."""

import psycopg
import pytest

from treetop.model.source_url import parse_source_url
from treetop.model.zone import Trust, ZoneKind, parse_zone_name
from treetop.nova.mirrored_tables import MIRRORED_API_TABLES, MIRRORED_CELL_TABLES, top_table
from treetop.nova.table import Kind
from treetop.store.migrate import sync_schema
from treetop.store.zones import add_zone, find_zone, remove_zone

TYPES = {
    Kind.INTEGER: "bigint",
    Kind.BOOLEAN: "boolean",
    Kind.TEXT: "text",
    Kind.TIMESTAMP: "timestamp without time zone",
    Kind.REAL: "double precision",
}
TABLES = (*MIRRORED_API_TABLES.values(), *MIRRORED_CELL_TABLES.values())


@pytest.fixture
def top(top_dsn):
    sync_schema(top_dsn)
    with psycopg.connect(top_dsn, autocommit=True) as connection:
        yield connection


def test_each_has_the_columns_that_are_shared_in_their_order(top):
    found = {}
    for table, column, kind in top.execute(
        "SELECT table_name, column_name, data_type FROM information_schema.columns"
        " WHERE table_name LIKE 'nova\\_%' ORDER BY table_name, ordinal_position"
    ):
        found.setdefault(table, []).append((column, kind))

    wanted = {}
    for table in TABLES:
        kinds = {column.name: column.kind for column in table.columns}
        columns = [(name, TYPES[kinds.get(name, Kind.TEXT)]) for name in table.shared_columns]
        wanted[top_table(table.name)] = [("zone_id", "smallint"), *columns]
    assert found == wanted


def test_nothing_that_names_a_host_or_holds_a_password_is_read_of_a_zone_that_shares_servers_only():
    read = {
        (table.name, name)
        for table in TABLES
        if table.trust is Trust.SERVERS
        for name in table.shared_columns
    }

    assert not [table for table, name in read if name == "host" and table != "instance_actions_events"]
    assert not {"transport_url", "database_connection", "spec"} & {name for _, name in read}


def test_a_removed_zone_takes_its_rows_along(top):
    for name in ("api", "other"):
        add_zone(
            top,
            name=parse_zone_name(name),
            region=name,
            trust=Trust.SERVERS,
            url=parse_source_url(f"mysql://u@{name}/nova_api"),
            password=None,
            kind=ZoneKind.API,
        )
    for table in TABLES:
        top.execute(f"INSERT INTO {top_table(table.name)} (zone_id, id) SELECT id, 7 FROM zone")
    kept = find_zone(top, "other")

    removed = remove_zone(top, "api")

    assert removed.kind is ZoneKind.API
    for table in TABLES:
        assert top.execute(f"SELECT zone_id FROM {top_table(table.name)}").fetchall() == [(kept.id,)]
