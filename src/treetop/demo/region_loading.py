# SPDX-License-Identifier: Apache-2.0
"""Fill a demo region's API database from the populations of its cells, as text through COPY or LOAD DATA.

The servers are planned anew from their numbers, so no cell has to be there; the rows agree with what `load_zone`
writes from the same populations.
"""

from collections import defaultdict
from collections.abc import Iterator

from treetop.demo.loading import CHUNK_SERVERS, copy_lines
from treetop.demo.population import plan_server
from treetop.demo.region_rows import Cell, offer_rows, request_rows
from treetop.demo.server_rows import Rows
from treetop.demo.zone_database import ZoneDatabase


def load_region(database: ZoneDatabase, cells: tuple[Cell, ...]) -> None:
    """Insert everything into empty tables. The connection must be allowed to switch foreign key checks off."""
    database.bulk(is_on=True)
    try:
        for rows in (offer_rows(cells), *_requests(cells)):
            with database.transaction():
                for table, found in rows.items():
                    if found:
                        database.copy(table, list(found[0]), copy_lines(found))
        database.adjust_sequences(list(offer_rows(cells)))
    finally:
        database.bulk(is_on=False)


def _requests(cells: tuple[Cell, ...]) -> Iterator[Rows]:
    for cell in cells:
        for first in range(1, cell.population.servers + 1, CHUNK_SERVERS):
            batch: Rows = defaultdict(list)
            for number in range(first, min(first + CHUNK_SERVERS, cell.population.servers + 1)):
                for table, rows in request_rows(plan_server(cell.population, number), cell).items():
                    batch[table] += rows
            yield batch
