# SPDX-License-Identifier: Apache-2.0
"""Mirrored tables of real zones: loaded, followed, truncated, compared, mended; nothing of hosts without trust."""

import json

from tests.sync.mirrored import (
    add_server,
    fill_api_database,
    rows_at_top,
    rows_in_zone,
)
from tests.sync.running import LIVE, Cell, Top
from treetop.model.zone import ZoneKind
from treetop.nova.mirrored_tables import MIRRORED_API_TABLES


def require_same_rows(top: Top, cell: Cell, tables: object) -> None:
    at_top, in_zone = rows_at_top(top, tables), rows_in_zone(cell, tables)
    for name in in_zone:
        assert at_top[name] == in_zone[name], name


def test_an_api_database_is_loaded_and_followed(top: Top, cell: Cell) -> None:
    fill_api_database(cell, servers=40)
    top.add("api", cell, kind=ZoneKind.API)
    with top.worker("api", chunk_servers="2"):
        top.wait_for_state("api", LIVE)
        require_same_rows(top, cell, MIRRORED_API_TABLES)

        with cell.open() as zone, zone.transaction():
            add_server(zone, 100, availability_zone="az1", scheduler_hints={"group": ["g1"], "_nova_x": [1]})
            zone.delete("build_requests", id=1)
            zone.update("flavors", {"rxtx_factor": 2.5, "description": "d", "disabled": True}, id=1)
            zone.update("key_pairs", {"id": 70, "type": "ssh"}, id=1)
            zone.delete("quotas")
        cell.execute("DELETE FROM flavor_projects")
        cell.execute("TRUNCATE aggregate_metadata")
        top.wait_until_applied("api")

        require_same_rows(top, cell, MIRRORED_API_TABLES)
        top.require_equal("api")
        asked = top.execute(
            "SELECT availability_zone, scheduler_hints FROM nova_request_specs WHERE id IN (1, 41) ORDER BY id"
        )
    assert [(zone, json.loads(hints)) for zone, hints in asked] == [(None, {}), ("az1", {"group": ["g1"]})]
    report = top.report("api")
    assert (report.servers, report.is_loaded) == (0, True)
