# SPDX-License-Identifier: Apache-2.0
"""A demo region: its cells, and on the first cell's server, as small deployments have it, cell0 and the API database.

`DemoRegion(cells)` -> `cell0` and `api`, zones to be started after the first cell. `fill` loads the API database for
populations that the cells have or will have. Its cell mappings are as Nova writes them, Nova's password and all.
"""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote

from treetop.demo.population import Population
from treetop.demo.region_loading import load_region
from treetop.demo.region_rows import Cell
from treetop.demo.zones import DemoZone
from treetop.model.zone import Engine, ZoneKind, ZoneName

REGION: Final = "demo"


class DemoRegion:
    """The zones of one region. Not thread-safe; the zones are."""

    def __init__(self, cells: Sequence[DemoZone]) -> None:
        self.cells = tuple(cells)
        host = self.cells[0]
        self.cell0 = host.guest(name="cell0", kind=ZoneKind.CELL, database="nova_cell0")
        self.api = host.guest(name=f"{REGION}-api", kind=ZoneKind.API, database="nova_api")

    @property
    def zones(self) -> tuple[DemoZone, ...]:
        """All of them: the cells first, which have the servers of the others."""
        return (*self.cells, self.cell0, self.api)

    def fill(self, populations: Mapping[ZoneName, Population]) -> None:
        """Load the API database, once. Every cell's server has to run: the mappings name its port."""
        cells = tuple(
            Cell(id=number, population=populations[zone.name], connection=_connection(zone))
            for number, zone in enumerate((self.cell0, *self.cells), 1)
        )
        with self.api.open_as_admin() as database:
            load_region(database, cells)


def _connection(zone: DemoZone) -> str:
    """A cell's database as nova.conf would name it."""
    url = zone.nova_url()
    password = zone.nova_password_file.read_text().splitlines()[0]
    scheme = "postgresql+psycopg2" if url.engine is Engine.POSTGRESQL else "mysql+pymysql"
    options = "" if url.engine is Engine.POSTGRESQL else "?charset=utf8"
    return f"{scheme}://{url.user}:{quote(password, safe='')}@{url.host}:{url.port}/{url.database}{options}"
