# SPDX-License-Identifier: Apache-2.0
"""Many row changes -> the least work that leaves the same rows: one patch per server or mirrored row. Pure.

`Plan.add` takes changes in log order; `Plan.steps` is what `apply.statements` turns into SQL, to be executed in
order inside one commit. Within a step, changes of one source row collapse to the last one and order no longer
matters, so a step is a few statements however many changes went in. What cannot be coalesced (TRUNCATE, an
update that leaves a stored value's part unchanged) is a step of its own between two others.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from treetop.apply.facets import MANY, ONE, Partial, server_columns
from treetop.apply.mirror import States, note
from treetop.model.change import UNCHANGED, Op, Row, RowChange
from treetop.nova.mirrored_tables import ID_PLACE
from treetop.nova.tables import INSTANCES, KEY_PLACES, OWNER_PLACES

_ID, _UUID = INSTANCES.index("id"), INSTANCES.index("uuid")

#: A JSON key inside a MANY facet: the source row's id, or the tag.
_Key: TypeAlias = str


@dataclass(slots=True)
class ServerPatch:
    """What happens to one server.

    created: the row is written whole (columns not named become NULL); else an update of an existing row.
    deleted: the row goes; nothing else matters.
    columns: column -> value to set.
    merged: jsonb column -> {key: value to keep, or None to remove}.
    """

    created: bool = False
    deleted: bool = False
    columns: dict[str, Any] = field(default_factory=dict)
    merged: dict[str, dict[_Key, Any]] = field(default_factory=dict)


@dataclass(slots=True)
class Patches:
    """One coalesced step. gone and removed are executed before the patches.

    gone: source ids of servers whose DELETE carried only the id.
    removed: table -> ids of facet rows whose DELETE carried only the id.
    rows: mirrored table -> the last state of each of its rows.
    """

    servers: dict[str, ServerPatch] = field(default_factory=dict)
    gone: list[int] = field(default_factory=list)
    removed: dict[str, list[int]] = field(default_factory=dict)
    rows: dict[str, States] = field(default_factory=dict)

    def is_empty(self) -> bool:
        """Say whether executing this step would do nothing."""
        return not (self.servers or self.gone or self.removed or self.rows)


@dataclass(frozen=True, slots=True)
class Amend:
    """Move one entry of a jsonb facet from old_key to key (may be equal), replacing only `fields`."""

    uuid: str
    column: str
    old_key: _Key
    key: _Key
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Truncate:
    """Every row of `table` is gone."""

    table: str


Step: TypeAlias = Patches | Amend | Truncate


class Plan:
    """Collects the changes of one commit."""

    def __init__(self) -> None:
        self.changes = 0
        self._done: list[Step] = []
        self._open = Patches()
        # (table, row id) -> server, for rows this step wrote: a bare DELETE of such a row is then no riddle
        self._owners: dict[tuple[str, Any], str] = {}

    def steps(self) -> list[Step]:
        """Everything added so far, in order."""
        return self._done if self._open.is_empty() else [*self._done, self._open]

    def add(self, changes: Iterable[RowChange]) -> None:
        """Take further changes, in log order."""
        for change in changes:
            self.changes += 1
            if change.op is Op.TRUNCATE:
                self._separate(Truncate(change.table))
            elif change.table == INSTANCES.name:
                self._instance(change)
            elif change.table in OWNER_PLACES:
                self._facet(change)
            else:
                note(self._open.rows.setdefault(change.table, {}), change)

    def _separate(self, step: Step) -> None:
        if not self._open.is_empty():
            self._done.append(self._open)
        self._done.append(step)
        self._open = Patches()
        self._owners.clear()

    def _patch(self, uuid: Any) -> ServerPatch:
        patch = self._open.servers.get(uuid)
        if patch is None:
            patch = self._open.servers[uuid] = ServerPatch()
        return patch

    # -- instances: makes and removes the server's row

    def _instance(self, change: RowChange) -> None:
        row, old = change.row, change.old_row
        if change.op is Op.DELETE:
            self._instance_gone(row)
            return
        self._owners[INSTANCES.name, row[_ID]] = str(row[_UUID])
        uuid_before = old[_UUID] if old is not None else UNCHANGED
        if change.op is Op.INSERT or (uuid_before is not UNCHANGED and uuid_before != row[_UUID]):
            if uuid_before is not UNCHANGED:
                self._open.servers[str(uuid_before)] = ServerPatch(deleted=True)
            self._open.servers[str(row[_UUID])] = self._created(str(row[_UUID]), row)
            return
        patch = self._patch(row[_UUID])
        if not patch.deleted:
            patch.columns.update(server_columns(row))

    def _created(self, uuid: str, row: Row) -> ServerPatch:
        """A new server, with what its other tables brought before it (a foreign key may be checked at the end).

        Unless a server was removed by its id in this step: it may be the one that had this uuid.
        """
        before = self._open.servers.get(uuid)
        if before is None or before.deleted or before.created or self._open.gone:
            return ServerPatch(created=True, columns=server_columns(row))
        return ServerPatch(
            created=True, columns={**before.columns, **server_columns(row)}, merged=before.merged
        )

    def _instance_gone(self, row: Row) -> None:
        uuid = row[_UUID]
        if uuid is UNCHANGED:
            uuid = self._owners.get((INSTANCES.name, row[_ID]), UNCHANGED)
        if uuid is UNCHANGED:
            self._open.gone.append(int(row[_ID]))  # type: ignore[arg-type]  # a key is never NULL
        else:
            self._open.servers[str(uuid)] = ServerPatch(deleted=True)

    # -- every other table: changes its own columns of an existing row

    def _facet(self, change: RowChange) -> None:
        table, row, old = change.table, change.row, change.old_row
        owner, key = row[OWNER_PLACES[table]], row[KEY_PLACES[table]]
        if change.op is Op.DELETE:
            if owner is UNCHANGED:
                owner = self._owners.get((table, key), UNCHANGED)
            if owner is UNCHANGED:
                self._open.removed.setdefault(table, []).append(int(key))  # type: ignore[arg-type]
            elif owner is not None:
                self._remove(table, owner, key)
            return
        old_key = key
        if old is not None:
            old_key = old[KEY_PLACES[table]] if old[KEY_PLACES[table]] is not UNCHANGED else key
            old_owner = old[OWNER_PLACES[table]]
            if old_owner not in (UNCHANGED, None, owner):
                self._remove(table, old_owner, old_key)
                old_key = key
        if owner is None:
            return
        self._owners[table, key] = str(owner)
        self._write(table, str(owner), row, str(key), str(old_key))

    def _write(self, table: str, owner: str, row: Row, key: _Key, old_key: _Key) -> None:
        if table in ONE:
            patch = self._patch(owner)
            if not patch.deleted:
                patch.columns.update(ONE[table].values(row))
            return
        column, value = MANY[table].column, MANY[table].value(row)
        if isinstance(value, Partial):
            known = self._open.servers.get(owner)
            kept = known.merged.get(column, {}).get(old_key) if known is not None else None
            if kept is None:
                self._separate(Amend(owner, column, old_key, key, value.fields))
                return
            value = {**kept, **value.fields}
        patch = self._patch(owner)
        if patch.deleted:
            return
        merged = patch.merged.setdefault(column, {})
        if old_key != key:
            merged[old_key] = None
        merged[key] = value

    def _remove(self, table: str, owner: Any, key: Any) -> None:
        patch = self._patch(owner)
        if patch.deleted:
            return
        if table in ONE:
            columns = ONE[table].columns
            if patch.columns.get(columns[0], key) == key:  # else another row has taken the facet since
                patch.columns.update(dict.fromkeys(columns))
        else:
            patch.merged.setdefault(MANY[table].column, {})[str(key)] = None


@dataclass(frozen=True, slots=True)
class Touched:
    """What a transaction touched, for `sync.chunk_run`: a chunk read without it must not overwrite it.

    servers: uuids. rows: (table, id) of mirrored rows, and of servers' rows whose DELETE carried only the id.
    everything: a TRUNCATE.
    """

    servers: frozenset[str]
    rows: frozenset[tuple[str, int]] = frozenset()
    everything: bool = False


def touched(changes: Sequence[RowChange]) -> Touched:
    """Return which servers and rows these changes may alter."""
    servers: set[str] = set()
    rows: set[tuple[str, int]] = set()
    everything = False
    for change in changes:
        if change.op is Op.TRUNCATE:
            everything = True
            continue
        place = OWNER_PLACES.get(change.table)
        if place is None:
            rows.update((change.table, int(row[ID_PLACE])) for row in (change.row, change.old_row) if row)  # type: ignore[arg-type]
            continue
        owner = change.row[place]
        if owner is UNCHANGED:
            rows.add((change.table, int(change.row[KEY_PLACES[change.table]])))  # type: ignore[arg-type]
        elif owner is not None:
            servers.add(str(owner))
        if change.old_row is not None and change.old_row[place] not in (UNCHANGED, None):
            servers.add(str(change.old_row[place]))
    return Touched(frozenset(servers), frozenset(rows), everything)
