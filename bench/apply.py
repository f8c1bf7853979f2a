# SPDX-License-Identifier: Apache-2.0
"""How many changes a second one zone's applier writes, in batches of 1,000, beside the bare upsert statement.

The changes are what Nova's log says of servers at work: mostly updates of `instances`, some of every facet, some
creations. From row changes in memory to the commit at the top: planning, JSON, PostgreSQL, position. The reference
writes whole rows that were planned beforehand: the upsert statement and its commit alone.

Mirrored rows: what every operation of Nova's brings beside the server (an action and an event, inserted and updated
once), and heartbeats of services, beside the same reference.
"""

import time
from datetime import UTC, datetime
from random import Random

from bench.figure import Figure
from bench.top import OWNER, private_top, register
from treetop.apply.facets import SERVER_COLUMNS
from treetop.apply.plan import Patches, Plan
from treetop.apply.recordset import document
from treetop.apply.statements import create, whole_row
from treetop.apply.writer import Progress, ZoneWriter
from treetop.demo.population import Population, plan_server
from treetop.demo.server_rows import server_rows
from treetop.model.change import Op, Position, Row, RowChange, Value
from treetop.model.zone import Trust, ZoneId
from treetop.nova.mirrored_tables import INSTANCE_ACTIONS, INSTANCE_ACTIONS_EVENTS, SERVICES
from treetop.nova.table import Kind, Table
from treetop.nova.tables import CELL_TABLES, INSTANCES
from treetop.nova.trust import sharing

NAME = "apply"
SERVERS = 20_000
BATCH = 1_000
BATCHES = 60
_WEIGHTS = {
    "instances": 70,
    "instance_info_caches": 10,
    "instance_metadata": 6,
    "instance_system_metadata": 4,
    "block_device_mapping": 4,
    "instance_extra": 6,
}


def run() -> list[Figure]:
    """Measure; takes about a minute."""
    servers = _servers()
    with private_top() as top:
        zone = register(top.conninfo(), "west")
        with ZoneWriter(top.conninfo(), zone.id, OWNER) as writer:
            for first in range(0, SERVERS, BATCH):
                _commit(writer, [change for server in servers[first : first + BATCH] for change in server])
            batches = _batches(servers)
            for changes in batches[:10]:
                _commit(writer, changes)
            cpu, wall = time.process_time(), time.perf_counter()
            for changes in batches[10:]:
                _commit(writer, changes)
            seconds, cpu_seconds = time.perf_counter() - wall, time.process_time() - cpu
            mirrored = _mirrored(writer)
            bare = _bare_upsert(writer, zone.id, servers)
    changes_written = BATCH * (BATCHES - 10)
    return [
        Figure(
            name="apply: one zone, batches of 1,000 changes",
            value=changes_written / seconds,
            unit="changes/s",
            target=8_000,
            reference_name="bare upsert of whole rows, rows/s",
            reference_value=bare,
            note=f"{SERVERS:,} servers, 70 % instances;"
            f" client CPU {cpu_seconds / changes_written * 1e6:.0f} µs a change",
        ),
        Figure(
            name="apply: mirrored rows, batches of 1,000 changes",
            value=mirrored[0],
            unit="changes/s",
            target=None,
            reference_name="bare upsert of whole rows, rows/s",
            reference_value=bare,
            note=f"actions, their events and heartbeats; client CPU {mirrored[1]:.0f} µs a change",
        ),
    ]


def _mirrored(writer: ZoneWriter) -> tuple[float, float]:
    """Return changes a second, and the client's CPU for one in microseconds."""
    batches = [_operations(first) for first in range(1, BATCHES * 200, 200)]
    for changes in batches[:10]:
        _commit(writer, changes)
    cpu, wall = time.process_time(), time.perf_counter()
    for changes in batches[10:]:
        _commit(writer, changes)
    seconds, cpu_seconds = time.perf_counter() - wall, time.process_time() - cpu
    written = sum(map(len, batches[10:]))
    return written / seconds, cpu_seconds / written * 1e6


def _operations(first: int) -> list[RowChange]:
    """200 operations: four changes each of an action and its event, and a heartbeat of one of 300 services."""
    changes = []
    for number in range(first, first + 200):
        for op in (Op.INSERT, Op.UPDATE):
            changes += [
                RowChange(op, INSTANCE_ACTIONS.name, _row_of(INSTANCE_ACTIONS, number)),
                RowChange(op, INSTANCE_ACTIONS_EVENTS.name, _row_of(INSTANCE_ACTIONS_EVENTS, number)),
            ]
        changes.append(RowChange(Op.UPDATE, SERVICES.name, _row_of(SERVICES, number % 300)))
    return changes


def _row_of(table: Table, number: int) -> Row:
    values: dict[Kind, Value] = {
        Kind.INTEGER: number,
        Kind.BOOLEAN: False,
        Kind.TEXT: f"467eb769-d386-4460-a6e9-{number:012}",
        Kind.TIMESTAMP: "2026-11-01 10:00:00",
    }
    return (number, *(values[column.kind] for column in table.columns[1:]))


def _servers() -> list[list[RowChange]]:
    """The rows of each server as the log's inserts."""
    population = Population(
        zone="west",
        seed=1,
        servers=SERVERS,
        hosts=100,
        loaded_at=datetime(2026, 11, 1, tzinfo=UTC).replace(tzinfo=None),
    )
    found = []
    for number in range(1, SERVERS + 1):
        rows = server_rows(plan_server(population, number))
        changes = []
        for name, table in CELL_TABLES.items():
            share = sharing(table, Trust.FULL)
            for row in rows.get(name, ()):
                values: Row | None = tuple(_canonical(row.get(column)) for column in table.column_names)
                if share is not None:
                    values = share(values)
                if values is not None:
                    changes.append(RowChange(Op.INSERT, name, values))
        found.append(changes)
    return found


def _canonical(value: object) -> object:
    return str(value) if isinstance(value, datetime) else value


def _batches(servers: list[list[RowChange]]) -> list[list[RowChange]]:
    random = Random(1)
    by_table = {name: [c for server in servers for c in server if c.table == name] for name in _WEIGHTS}
    tables = random.choices(list(_WEIGHTS), list(_WEIGHTS.values()), k=BATCH * BATCHES)
    updated, task = INSTANCES.index("updated_at"), INSTANCES.index("task_state")
    changes = []
    for number, table in enumerate(tables):
        change = random.choice(by_table[table])
        row = list(change.row)
        if table == "instances":
            row[updated] = f"2026-11-22 10:{number // 60 % 60:02}:{number % 60:02}"
            row[task] = random.choice([None, "powering-off"])
        changes.append(RowChange(Op.UPDATE, table, tuple(row)))
    return [changes[first : first + BATCH] for first in range(0, len(changes), BATCH)]


def _commit(writer: ZoneWriter, changes: list[RowChange]) -> None:
    plan = Plan()
    plan.add(changes)
    writer.write(plan.steps())
    _advance(writer, plan.changes)


def _advance(writer: ZoneWriter, changes: int) -> None:
    now = datetime.now(UTC)
    writer.commit(
        Progress(position=Position("0-1-1"), as_of=now, committed_at=now, transactions=1, changes=changes)
    )


def _bare_upsert(writer: ZoneWriter, zone_id: ZoneId, servers: list[list[RowChange]]) -> float:
    """Rows a second of the same upsert with rows made ready: what the statement and its commit cost alone."""
    documents = []
    for first in range(0, 10 * BATCH, BATCH):
        plan = Plan()
        plan.add(change for server in servers[first : first + BATCH] for change in server)
        rows = [
            whole_row(p) for step in plan.steps() if isinstance(step, Patches) for p in step.servers.values()
        ]
        assert rows
        assert rows[0].keys() <= SERVER_COLUMNS.keys()
        documents.append(document(rows))
    started = time.perf_counter()
    for rows in documents:
        writer.connection.execute(create(zone_id), {"rows": rows})
        _advance(writer, BATCH)
    return len(documents) * BATCH / (time.perf_counter() - started)
