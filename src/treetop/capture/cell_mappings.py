# SPDX-License-Identifier: Apache-2.0
"""Read a region's cell mappings from its API database, and look what a database is to Nova, as a person asks for it.

The statement itself cuts user and password off the cells' URLs: they do not leave Nova's database. `transport_url`
is not read at all. Raises `StopZone` with what a person must mend, `Retry` when the database does not answer.
"""

from typing import Final

from treetop.capture.one_query import query_zone
from treetop.model.zone import Engine, Zone, ZoneKind
from treetop.nova.cell_mapping import CellMapping

#: A table that only one kind of Nova's databases has; `instance_mappings` besides, as other projects may map cells.
_TELLING: Final = {
    ZoneKind.API: ("cell_mappings", "instance_mappings"),
    ZoneKind.CELL: ("instances", "instance_extra"),
}
#: Everything up to the last @. (?s): a dot is a line's end, too; known to PCRE, ICU and PostgreSQL alike.
_MAPPINGS: Final = """
SELECT uuid, name, disabled, regexp_replace(coalesce(database_connection, ''), '(?s)//.*@', '//')
  FROM cell_mappings
 ORDER BY id
"""


def read_cell_mappings(zone: Zone) -> list[CellMapping]:
    """Every cell of the region, disabled ones and cell0 too, in Nova's order. zone: of kind `api`."""
    is_postgres = zone.url.engine is Engine.POSTGRESQL
    table = "cell_mappings" if is_postgres else f"`{zone.url.database}`.cell_mappings"
    columns = "id, uuid, name, disabled, database_connection"
    rows = query_zone(zone, _MAPPINGS, hint=f"GRANT SELECT ({columns}) ON {table} TO {zone.url.user}")
    return [
        CellMapping(uuid=str(uuid), name=name, is_disabled=bool(disabled), connection=str(connection))
        for uuid, name, disabled, connection in rows
    ]


def find_kind(zone: Zone) -> ZoneKind | None:
    """Look what a database is to Nova by the tables that our role may see; None: neither, or it may see none."""
    schema = "current_schema()" if zone.url.engine is Engine.POSTGRESQL else "DATABASE()"
    names = ", ".join(f"'{name}'" for names in _TELLING.values() for name in names)
    rows = query_zone(
        zone,
        "SELECT table_name FROM information_schema.tables"  # noqa: S608  # our own names
        f" WHERE table_schema = {schema} AND table_name IN ({names})",
        hint="let the role read Nova's tables: docs/howto/connect-a-region.md has the GRANTs",
    )
    found = {str(name) for (name,) in rows}
    return next((kind for kind, tables in _TELLING.items() if found.issuperset(tables)), None)
