# SPDX-License-Identifier: Apache-2.0
"""A zone's database in memory, for property tests of apply: random transactions as a log would give them.

`ZoneModel.transaction` changes the tables and returns the row changes. With `bare_deletes` a DELETE carries only
the key, and an UPDATE leaves unchanged long values out, as PostgreSQL's log does. `chunk` reads the tables as a
chunk reader would. Foreign keys hold as in Nova: no row of a server exists without its `instances` row.
"""

from collections.abc import Collection
from random import Random
from typing import TypeAlias
from uuid import UUID

from tests.apply.mirrored_rows import MIRRORED, SEGMENTS, WATCHED, random_values, segment_chunk
from treetop.model.change import UNCHANGED, Chunk, Mark, Op, Position, Row, RowChange
from treetop.nova.table import Table
from treetop.nova.tables import CELL_TABLES, INSTANCES

Tables: TypeAlias = dict[str, dict[object, dict[str, object]]]

_FLAVOR = (
    '{{"cur": {{"nova_object.data": {{"flavorid": "f{0}", "name": "m{0}", "vcpus": {0}, "memory_mb": 512,'
    ' "root_gb": 1, "ephemeral_gb": 0, "swap": 0, "extra_specs": {{}}}}}}, "old": null, "new": null}}'
)
_NETWORK = (
    '[{{"address": "fa:16:3e:00:00:{0:02x}", "network": {{"label": "net", "subnets": [{{"ips": [{{"address":'
    ' "10.0.0.{0}", "type": "fixed", "version": 4, "floating_ips": []}}]}}]}}}}]'
)
_LONG_VALUES = {"flavor", "network_info", "details", "user_data", "stats", "traceback", "disabled_reason"}


class Everything:
    """A snapshot that holds every transaction."""

    def contains(self, mark: Mark) -> bool:
        return True

    def is_covered_by(self, position: Position) -> bool:
        return True

    def reaches(self, position: Position) -> bool:
        return True


def rows_of(tables: Tables, uuids: Collection[object]) -> dict[str, list[Row]]:
    """Every row of these servers, as a chunk has them."""
    return {
        name: [as_row(table, row) for row in tables[name].values() if row[table.owner] in uuids]
        for name, table in CELL_TABLES.items()
    }


def key_of(name: str, row: dict[str, object]) -> object:
    """The primary key of a row, as `ZoneModel.tables` has it."""
    key = WATCHED[name].key
    return row[key[0]] if len(key) == 1 else tuple(row[column] for column in key)


def as_row(table: Table, row: dict[str, object]) -> Row:
    """Columns by name -> a tuple in the table's order."""
    return tuple(row[column] for column in table.shared_columns)  # type: ignore[return-value]


class ZoneModel:
    """Tables as {name: {key: {column: value}}}, and the randomness that changes them."""

    def __init__(self, random: Random, *, bare_deletes: bool) -> None:
        self.tables: Tables = {name: {} for name in WATCHED}
        self._random = random
        self._bare = bare_deletes
        self._next_id = 1
        self._changes: list[RowChange] = []

    def transaction(self) -> list[RowChange]:
        """Do one to four random operations; return what the log says of them."""
        self._changes = []
        for _ in range(self._random.randint(1, 4)):
            self._random.choice(self._operations())()
        return self._changes

    def chunk(self, *, after: int = 0, upto: int | None = None) -> Chunk:
        """Every row of the servers with after < id <= upto, as a chunk."""
        wanted = {
            row["uuid"]
            for row in self.tables["instances"].values()
            if int(str(row["id"])) > after and (upto is None or int(str(row["id"])) <= upto)
        }
        rows = rows_of(self.tables, wanted)
        return Chunk(after=after, upto=upto, only=None, snapshot=Everything(), rows=rows)

    def chunks(self) -> list[Chunk]:
        """Every row of the zone, a chunk for each segment."""
        mirrored = [
            segment_chunk(
                segment,
                [as_row(segment.table, row) for row in self.tables[segment.table.name].values()],
                Everything(),
            )
            for segment in SEGMENTS
            if segment.table is not None
        ]
        return [self.chunk(upto=SEGMENTS[0].last_key), *mirrored]

    def _operations(self) -> list[object]:
        creating = [self._create] * (3 if len(self.tables["instances"]) < 4 else 1)
        if not self.tables["instances"]:
            return creating
        return [
            *creating,
            *([self._update] * 4),
            self._resize,
            self._network,
            self._metadata,
            self._metadata_again,
            self._system_metadata,
            self._tag,
            self._tag,
            self._volume,
            self._fault,
            self._soft_delete,
            self._archive,
            self._archive_children,
            self._move_key,
            self._truncate,
            *([self._mirrored_row] * 5),
        ]

    # -- operations

    def _create(self) -> None:
        used = {row["uuid"] for row in self.tables["instances"].values()}
        # few uuids, so that one comes back after its server was archived
        uuid = str(UUID(int=self._random.choice([n for n in range(1, 40) if str(UUID(int=n)) not in used])))
        row = dict.fromkeys(INSTANCES.shared_columns)
        row |= {
            "id": self._id(),
            "uuid": uuid,
            "deleted": 0,
            "display_name": "né",
            "created_at": "2026-01-01 00:00:00",
        }
        row |= {
            "project_id": "p",
            "vm_state": "building",
            "user_data": "x" * 20,
            "hidden": False,
            "locked": False,
        }
        self._insert("instances", row)
        self._insert("instance_extra", self._child(uuid, flavor=_FLAVOR.format(1), trusted_certs=None))
        self._insert("instance_info_caches", self._child(uuid, network_info="[]"))

    def _update(self) -> None:
        row = self._server()
        changes: dict[str, object] = {
            "vm_state": self._random.choice(["active", "stopped", "error"]),
            "task_state": self._random.choice([None, "spawning"]),
            "updated_at": f"2026-01-02 00:00:{self._random.randint(0, 59):02}",
        }
        if self._random.random() < 0.2:
            changes["user_data"] = self._random.choice([None, "new"])
        self._change("instances", row, changes)

    def _resize(self) -> None:
        for row in self._children("instance_extra", self._server()["uuid"]):
            self._change("instance_extra", row, {"flavor": _FLAVOR.format(self._random.randint(1, 4))})

    def _network(self) -> None:
        for row in self._children("instance_info_caches", self._server()["uuid"]):
            self._change(
                "instance_info_caches", row, {"network_info": _NETWORK.format(self._random.randint(1, 9))}
            )

    def _metadata(self) -> None:
        uuid = self._server()["uuid"]
        self._insert("instance_metadata", self._child(uuid, key=f"k{self._next_id}", value="v", deleted=0))

    def _metadata_again(self) -> None:
        """Nova deletes a key softly and inserts a new row when it is set again."""
        uuid = self._server()["uuid"]
        for row in [r for r in self._children("instance_metadata", uuid) if r["deleted"] == 0][:1]:
            self._change("instance_metadata", row, {"deleted": row["id"]})
            self._insert("instance_metadata", self._child(uuid, key=row["key"], value="again", deleted=0))

    def _system_metadata(self) -> None:
        uuid = self._server()["uuid"]
        rows = self._children("instance_system_metadata", uuid)
        if rows and self._random.random() < 0.5:
            self._delete("instance_system_metadata", self._random.choice(rows))
        else:
            self._insert("instance_system_metadata", self._child(uuid, key="image_os", value="debian"))

    def _tag(self) -> None:
        uuid, tag = self._server()["uuid"], self._random.choice(["a", "b", "ü"])
        found = self.tables["tags"].get((uuid, tag))
        if found:
            self._delete("tags", found)
        else:
            self._insert("tags", {"resource_id": uuid, "tag": tag})

    def _volume(self) -> None:
        uuid = self._server()["uuid"]
        rows = [row for row in self._children("block_device_mapping", uuid) if row["deleted"] == 0]
        if rows and self._random.random() < 0.5:
            self._change("block_device_mapping", rows[0], {"deleted": rows[0]["id"]})
            return
        row = self._child(uuid, volume_id=f"vol-{self._next_id}", device_name="/dev/vdb", deleted=0)
        row |= {"delete_on_termination": False, "tag": None, "attachment_id": None, "uuid": None}
        self._insert("block_device_mapping", row)

    def _fault(self) -> None:
        uuid = self._server()["uuid"]
        rows = self._children("instance_faults", uuid)
        if rows and self._random.random() < 0.5:
            self._change("instance_faults", self._random.choice(rows), {"message": "again"})
            return
        row = self._child(uuid, code=500, message="no", details="traceback", deleted=0)
        self._insert("instance_faults", row | {"created_at": "2026-01-01 00:00:00"})

    def _soft_delete(self) -> None:
        server = self._server()
        uuid = server["uuid"]
        for name in ("instance_metadata", "block_device_mapping", "instance_faults"):
            for row in self._children(name, uuid):
                self._change(name, row, {"deleted": row["id"]})
        for row in self._children("tags", uuid):
            self._delete("tags", row)
        self._change("instances", server, {"deleted": server["id"], "vm_state": "deleted"})

    def _archive(self) -> None:
        server = self._server()
        self._archive_children(server)
        self._delete("instances", server)

    def _archive_children(self, server: dict[str, object] | None = None) -> None:
        """Older releases of Nova archive table by table: a server is there a while without its other rows."""
        uuid = (server or self._server())["uuid"]
        for name in reversed(CELL_TABLES):
            if name != "instances":
                for row in self._children(name, uuid):
                    self._delete(name, row)

    def _move_key(self) -> None:
        """Nova never changes a primary key; a person may."""
        name = self._random.choice(
            ["instances", "instance_extra", "instance_metadata", "instance_faults", *MIRRORED]
        )
        rows = list(self.tables[name].values())
        if not rows:
            return
        row = self._random.choice(rows)
        old = dict(row)
        del self.tables[name][key_of(name, row)]
        row["id"] = self._id()
        self.tables[name][key_of(name, row)] = row
        shown = dict(row)
        if self._bare:
            if name in CELL_TABLES:
                shown |= dict.fromkeys(_LONG_VALUES & row.keys(), UNCHANGED)
            old |= dict.fromkeys(old.keys() - {"id"}, UNCHANGED)
        table = WATCHED[name]
        self._changes.append(RowChange(Op.UPDATE, name, as_row(table, shown), as_row(table, old)))

    def _mirrored_row(self) -> None:
        name = self._random.choice(MIRRORED)
        rows = list(self.tables[name].values())
        what = self._random.choice(["insert", "change", "change", "delete"])
        if what == "insert" or not rows:
            self._insert(name, {"id": self._id()} | random_values(self._random, WATCHED[name]))
        elif what == "delete":
            self._delete(name, self._random.choice(rows))
        else:
            values = random_values(self._random, WATCHED[name])
            changed = self._random.sample(sorted(values), self._random.randint(1, 3))
            self._change(name, self._random.choice(rows), {column: values[column] for column in changed})

    def _truncate(self) -> None:
        if self._random.random() < 0.1:
            name = self._random.choice(["tags", "instance_faults", "instance_info_caches", *MIRRORED])
            self.tables[name].clear()
            self._changes.append(RowChange(Op.TRUNCATE, name, ()))

    # -- tables and log

    def _id(self) -> int:
        self._next_id += 1
        return self._next_id

    def _server(self) -> dict[str, object]:
        return self._random.choice(list(self.tables["instances"].values()))

    def _child(self, uuid: object, **values: object) -> dict[str, object]:
        return {"id": self._id(), "instance_uuid": uuid, **values}

    def _children(self, name: str, uuid: object) -> list[dict[str, object]]:
        return [row for row in self.tables[name].values() if row[CELL_TABLES[name].owner] == uuid]

    def _insert(self, name: str, row: dict[str, object]) -> None:
        self.tables[name][key_of(name, row)] = row
        self._changes.append(RowChange(Op.INSERT, name, as_row(WATCHED[name], row)))

    def _change(self, name: str, row: dict[str, object], changes: dict[str, object]) -> None:
        row |= changes
        shown = dict(row)
        if self._bare and self._random.random() < 0.7:
            shown |= dict.fromkeys(_LONG_VALUES & row.keys() - changes.keys(), UNCHANGED)
        self._changes.append(RowChange(Op.UPDATE, name, as_row(WATCHED[name], shown)))

    def _delete(self, name: str, row: dict[str, object]) -> None:
        table = WATCHED[name]
        del self.tables[name][key_of(name, row)]
        shown = dict(row)
        if self._bare:
            shown |= dict.fromkeys(row.keys() - set(table.key), UNCHANGED)
        self._changes.append(RowChange(Op.DELETE, name, as_row(table, shown)))
