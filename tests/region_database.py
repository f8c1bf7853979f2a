# SPDX-License-Identifier: Apache-2.0
"""A region's API database on either engine, with cell mappings as Nova writes them: users and passwords in clear."""

from pathlib import Path

from tests.servers import MariaDBDatabase, PostgresDatabase
from treetop.demo.zone_database import ZoneDatabase
from treetop.model.zone import ZoneKind
from treetop.nova.cell_mapping import CELL0_UUID

NOVAS_PASSWORD = "m@rk3r-sw0rdfish/#?%"  # as people paste it: not quoted


def open_database(database: MariaDBDatabase | PostgresDatabase) -> ZoneDatabase:
    password = Path(database.password.name).read_text().splitlines()[0]
    return ZoneDatabase(database.source_url(), password)


def make_tables(
    database: MariaDBDatabase | PostgresDatabase, kind: ZoneKind = ZoneKind.API
) -> MariaDBDatabase | PostgresDatabase:
    with open_database(database) as zone:
        zone.create_tables(kind)
    return database


def map_cell(
    database: MariaDBDatabase | PostgresDatabase,
    name: str | None,
    connection: str,
    *,
    uuid: str | None = None,
    is_disabled: bool = False,
) -> None:
    """Add a row to `cell_mappings`. name "cell0": with the uuid that makes it that."""
    with open_database(database) as zone:
        number = zone.count("cell_mappings")
        made_up = CELL0_UUID if name == "cell0" else f"0d5f5d2a-8b0e-4d2b-8f2b-{number:012d}"
        with zone.transaction():
            zone.insert(
                "cell_mappings",
                {
                    "uuid": uuid or made_up,
                    "name": name,
                    "transport_url": "none:///" if name == "cell0" else f"rabbit://n:{NOVAS_PASSWORD}@mq/",
                    "database_connection": connection,
                    "disabled": is_disabled,
                },
            )
