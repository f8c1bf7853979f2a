# SPDX-License-Identifier: Apache-2.0
"""Rows of two projects in every table that answers are made of, where every value says whose it is.

All of a project's texts hold its word, its uuids and ids begin with its digits: an answer that holds neither shows
nothing of that project. The tables and columns are those that the database has: a new one is filled like the others.
"""

import json
from dataclasses import dataclass

import psycopg
from psycopg import sql

from tests.store.builders import a_zone, add_server, server_columns
from treetop.nova.mirrored_tables import MIRRORED_API_TABLES, MIRRORED_CELL_TABLES, top_table

CELLS = (1, 2)
API_ZONE = 3
MADE_IN = "2026-01-02 03:04:05"


@dataclass(frozen=True)
class Side:
    """One of the two. digits: four hexadecimal ones; number: of its rows."""

    word: str
    digits: str
    number: int

    @property
    def project(self) -> str:
        return self.digits * 8

    @property
    def user(self) -> str:
        return self.digits * 7 + "0001"

    def uuid(self, number: int) -> str:
        return f"{self.digits * 2}-{self.digits}-{self.digits}-{self.digits}-{number:012x}"

    def text(self, column: str) -> str:
        return f"{self.word}-{column}"

    @property
    def hosts(self) -> tuple[str, ...]:
        """What names of hosts begin with, wherever they are."""
        return self.text("compute-host"), self.text("migrations-source"), self.text("migrations-dest")

    def is_in(self, text: str) -> bool:
        return self.word in text or self.digits * 2 in text


MINE = Side(word="wombat", digits="a1a1", number=1)
THEIRS = Side(word="quokka", digits="b2b2", number=2)
SIDES = (MINE, THEIRS)

#: Names of the servers that each side has in each cell, with what makes them special.
SERVERS = {
    "active": {},
    "broken": {
        "vm_state": "error",
        "faults": {"9": {"created": "2026-01-01T00:00:00Z", "code": 500, "message": "m", "details": "d"}},
    },
    "building": {"vm_state": "building", "task_state": "spawning", "launched_at": None},
    "gone": {"vm_state": "deleted", "deleted": True, "terminated_at": MADE_IN},
    "binned": {"vm_state": "soft-delete"},
}


def fill(top: psycopg.Connection) -> None:
    """Write everything."""
    for zone_id in CELLS:
        a_zone(top, zone_id)
    a_zone(top, API_ZONE, name="api")
    top.execute("UPDATE zone SET kind = 'api' WHERE id = %s", (API_ZONE,))
    texts = _texts(top, "server")
    for side in SIDES:
        for number, changes in enumerate(SERVERS.values()):
            for zone_id in CELLS:
                add_server(top, _server(side, zone_id, 10 * zone_id + number, texts) | changes)
    for zones, tables in ((CELLS, MIRRORED_CELL_TABLES), ((API_ZONE,), MIRRORED_API_TABLES)):
        for zone_id in zones:
            for side in SIDES:
                for name in tables:
                    _fill_mirror(top, top_table(name), side, zone_id)


def _texts(top: psycopg.Connection, table: str) -> list[str]:
    return [name for name, kind in _columns(top, table) if kind == "text"]


def _columns(top: psycopg.Connection, table: str) -> list[tuple[str, str]]:
    return top.execute(
        "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
        (table,),
    ).fetchall()


def _server(side: Side, zone_id: int, number: int, texts: list[str]) -> dict[str, object]:
    """The columns of one server; texts that mean something are what they mean, the rest say whose they are."""
    plain = server_columns(number)
    meaning = {
        "vm_state": "active",
        "kernel_id": "",
        "ramdisk_id": "",
        "config_drive": "",
        "task_state": None,
    }
    network = {"addr": f"10.{side.number}.0.{number}", "version": 4, "OS-EXT-IPS:type": "fixed"}
    return (
        plain
        | {name: side.text(name) for name in texts}
        | meaning
        | {
            "zone_id": zone_id,
            "uuid": side.uuid(number),
            "project_id": side.project,
            "user_id": side.user,
            "host": side.text("compute-host"),
            "node": side.text("compute-host"),
            **{name: plain[name] for name in ("flavor", "flavor_id", "flavor_name")},  # of a public flavor
            "trusted_certs": json.dumps([side.text("certificate")]),
            "addresses": json.dumps(
                {side.text("network"): [network | {"OS-EXT-IPS-MAC:mac_addr": side.text("mac")}]}
            ),
            "fixed_ips": f" 10.{side.number}.0.{number} ",
            "metadata": {"1": [side.text("key"), side.text("value")]},
            "system_metadata": {"1": ["image_os_distro", side.text("distro")]},
            "tags": {side.text("tag"): True},
            "volumes": {"1": {"id": side.uuid(900 + number), "delete_on_termination": True}},
        }
    )  # fmt: skip


def _fill_mirror(top: psycopg.Connection, table: str, side: Side, zone_id: int) -> None:
    """One row of the side, its columns filled by their names and types."""
    row = {name: _value(side, table, name, kind, zone_id) for name, kind in _columns(top, table)}
    top.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join(sql.Placeholder() * len(row)),
        ),
        list(row.values()),
    )


def _value(side: Side, table: str, name: str, kind: str, zone_id: int) -> object:
    by_name: dict[str, object] = {
        "zone_id": zone_id,
        "id": side.number,
        "deleted": 0,
        "instance_uuid": side.uuid(10 * CELLS[0]),
        "uuid": side.uuid(zone_id),
        "project_id": side.project,
        "user_id": side.user,
        "host": side.text("compute-host"),
        "hypervisor_hostname": side.text("compute-host"),
        "binary": "nova-compute",
        "resource": "instances",
        "policy": "anti-affinity",
        "scheduler_hints": json.dumps({"query": [side.text("hint")]}),
        "rules": json.dumps({"max_server_per_host": 3}),
        "tags": "[]",
        "instance": _build_request(side),
    }
    if table == "nova_migrations":  # one that every answer about migrations shows
        by_name |= {"status": "running", "migration_type": "live-migration"}
    if name in by_name:
        return by_name[name]
    if kind == "text":
        return side.text(f"{table.removeprefix('nova_')}-{name}")
    if kind == "boolean":  # disabled, hidden, public…
        return False
    if kind.startswith("timestamp"):
        return MADE_IN
    return side.number  # also a reference to the side's row of another table


def _build_request(side: Side) -> str:
    """A server that no cell has yet, as Nova writes it down."""
    data = {
        "uuid": side.uuid(77),
        "project_id": side.project,
        "user_id": side.user,
        "display_name": side.text("build-name"),
        "created_at": "2026-01-02T03:04:05Z",
    }
    return json.dumps(
        {"nova_object.name": "Instance", "nova_object.version": "2.8", "nova_object.data": data}
    )
