# SPDX-License-Identifier: Apache-2.0
"""A top with one registered zone that the test owns, and what tests of apply ask it."""

from datetime import UTC, datetime

import psycopg
from psycopg.rows import dict_row

from treetop.apply.writer import Progress
from treetop.model.change import Position
from treetop.model.source_url import parse_source_url
from treetop.model.zone import Trust, Zone, parse_zone_name
from treetop.nova.mirrored_tables import MIRRORED_TABLES, top_table
from treetop.store import leases
from treetop.store.migrate import sync_schema
from treetop.store.zones import add_zone

OWNER = "test/1"
Rows = dict[str, dict[str, object]]


def claim_zone(dsn: str) -> Zone:
    """Make the schema, register a zone, and own it."""
    sync_schema(dsn)
    with psycopg.connect(dsn, autocommit=True) as conn:
        zone = add_zone(
            conn,
            name=parse_zone_name("west"),
            region="r",
            trust=Trust.FULL,
            url=parse_source_url("mysql://u@h/d"),
            password=None,
        )
        leases.claim(conn, zone.id, owner=OWNER)
    return zone


def progress_at(number: int) -> Progress:
    now = datetime.now(UTC)
    return Progress(position=Position(str(number)), as_of=now, committed_at=now, transactions=1, changes=1)


def rows_at_top(dsn: str) -> Rows:
    with psycopg.connect(dsn, row_factory=dict_row) as conn:
        return {str(row["uuid"]): row for row in conn.execute("SELECT * FROM server").fetchall()}


def everything_at_top(dsn: str) -> dict[str, list[dict[str, object]]]:
    """Every row of the servers and of the mirrored tables, by table."""
    tables = {"server": "uuid"} | {top_table(name): "id" for name in MIRRORED_TABLES}
    with psycopg.connect(dsn, row_factory=dict_row) as conn:
        return {
            name: conn.execute(f"SELECT * FROM {name} ORDER BY zone_id, {key}").fetchall()
            for name, key in tables.items()
        }


def empty_top(dsn: str) -> None:
    with psycopg.connect(dsn) as conn:
        for name in ("server", *map(top_table, MIRRORED_TABLES)):
            conn.execute(f"DELETE FROM {name}")
        conn.execute("UPDATE zone_position SET position = NULL, lease_until = now() + interval '1 hour'")
