# SPDX-License-Identifier: Apache-2.0
"""Rows of mirrored tables in logs and chunks of real zones: the same values, and nothing that is not shared."""

import itertools
import json
import random
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.capture import mariadb_zone, postgres_zone
from tests.capture.mariadb_zone import setting
from tests.servers import MariaDBDatabase, PostgresDatabase
from treetop.capture import open_log, open_rows
from treetop.errors import StopZone
from treetop.model.change import UNCHANGED, LogEvent, Op, Row, RowChange, Transaction
from treetop.model.zone import Trust, Zone, ZoneKind
from treetop.nova.mirrored_tables import MIRRORED_TABLES
from treetop.nova.watched import segments, watched_tables

_LONG = "".join(random.Random(1).choices(string.ascii_letters, k=40_000))  # and not to be compressed
SPEC = json.dumps({"nova_object.data": {"scheduler_hints": {"group": [_LONG]}, "availability_zone": "az"}})
#: Numbers that binary fractions do not hold; Nova's columns are FLOAT on MariaDB, double on PostgreSQL.
FACTORS = ("0", "1", "-1.5", "0.1", "16.000001", "1e-10", "123456", "1e20")


@dataclass(frozen=True)
class Mirrored:
    """A database of one kind, on one engine."""

    database: MariaDBDatabase | PostgresDatabase
    kind: ZoneKind

    def zone(self, trust: Trust = Trust.FULL) -> Zone:
        if isinstance(self.database, MariaDBDatabase):
            return mariadb_zone.a_zone(self.database, kind=self.kind, trust=trust)
        return postgres_zone.a_zone(self.database, kind=self.kind, trust=trust)

    def execute(self, statement: str, arguments: Any = None) -> None:
        if isinstance(self.database, PostgresDatabase):
            statement = statement.replace("`", '"')
        self.database.execute(statement, arguments)

    def changes(self, work: Callable[[], None], trust: Trust = Trust.FULL) -> list[RowChange]:
        """What the log gives of the work, in order."""
        log = open_log(self.zone(trust))
        try:
            position = log.begin()
            work()
            marker = "quotas" if self.kind is ZoneKind.API else "tags"
            columns = "resource" if self.kind is ZoneKind.API else "resource_id, tag"
            values = "'marker'" if self.kind is ZoneKind.API else "'m', 'marker'"
            self.execute(f"INSERT INTO {marker} ({columns}) VALUES ({values})")
            return _until(marker, log.stream(position))
        finally:
            log.close()

    def chunk_rows(self, trust: Trust = Trust.FULL) -> dict[str, list[Row]]:
        """Every mirrored row, by table, read in small ranges."""
        source = open_rows(self.zone(trust))
        found: dict[str, list[Row]] = {}
        after: int | None = segments(self.kind, trust)[0].last_key if self.kind is ZoneKind.CELL else 0
        try:
            while after is not None:
                chunk = source.read_range(after=after, rows=2)
                assert chunk.table is not None
                found.setdefault(chunk.table, []).extend(chunk.rows[chunk.table])
                after = chunk.upto
        finally:
            source.close()
        return found


def _until(marker: str, events: Iterator[LogEvent]) -> list[RowChange]:
    found: list[RowChange] = []
    for event in events:
        if isinstance(event, Transaction):
            if any(each.table == marker and "marker" in each.row for each in event.changes):
                return found
            found += event.changes
    raise AssertionError("the stream ended")


@pytest.fixture(params=["mariadb", "postgres"])
def api(request: pytest.FixtureRequest) -> Mirrored:
    database = request.getfixturevalue(f"{request.param}_database")
    (mariadb_zone if request.param == "mariadb" else postgres_zone).make_api_database(database)
    return Mirrored(database, ZoneKind.API)


@pytest.fixture(params=["mariadb", "postgres"])
def cell(request: pytest.FixtureRequest) -> Mirrored:
    database = request.getfixturevalue(f"{request.param}_database")
    (mariadb_zone if request.param == "mariadb" else postgres_zone).make_cell(database)
    return Mirrored(database, ZoneKind.CELL)


def by_table(changes: list[RowChange]) -> dict[str, list[Row]]:
    return {name: [each.row for each in found] for name, found in _grouped(changes)}


def _grouped(changes: list[RowChange]) -> Iterator[tuple[str, list[RowChange]]]:
    for name, found in itertools.groupby(
        sorted(changes, key=lambda each: each.table), lambda each: each.table
    ):
        yield name, list(found)


def value(table: str, row: Row, column: str) -> object:
    return row[MIRRORED_TABLES[table].index(column)]


def fill_api(api: Mirrored) -> None:
    for number, factor in enumerate(FACTORS):
        api.execute(
            "INSERT INTO flavors (name, flavorid, memory_mb, vcpus, swap, rxtx_factor, disabled, description)"
            f" VALUES ('né{number}', 'f{number}', 1, 1, 0, {factor}, true, NULL)"
        )
    for kind in ("ssh", "x509"):
        api.execute(
            "INSERT INTO key_pairs (name, user_id, type, created_at)"
            f" VALUES ('{kind}', 'u', '{kind}', '2026-01-02 03:04:05')"
        )
    api.execute("INSERT INTO aggregates (name, uuid) VALUES ('a', 'u')")
    api.execute("INSERT INTO aggregate_hosts (host, aggregate_id) VALUES ('host-7', 1)")
    api.execute(
        "INSERT INTO cell_mappings (uuid, name, database_connection) VALUES ('c', 'cell1', 'secret-url')"
    )
    api.execute("INSERT INTO host_mappings (host, cell_id) VALUES ('host-7', 1)")
    api.execute("INSERT INTO request_specs (instance_uuid, spec) VALUES ('u1', %s)", (SPEC,))
    api.execute("INSERT INTO request_specs (instance_uuid, spec) VALUES ('u2', 'cut off {')")


def fill_cell(cell: Mirrored) -> None:
    cell.execute("INSERT INTO services (host, `binary`, report_count) VALUES ('host-7', 'nova-compute', 1)")
    cell.execute(
        "INSERT INTO compute_nodes (vcpus, memory_mb, local_gb, vcpus_used, memory_mb_used, local_gb_used,"
        " hypervisor_type, hypervisor_version, cpu_info, host, host_ip, ram_allocation_ratio, mapped) VALUES"
        " (1, 1, 1, 0, 0, 0, 'QEMU', 1, '{}', 'host-7', '2001:db8::7', 1.1, 1)"
    )
    for kind in ("resize", "live-migration"):
        cell.execute(
            "INSERT INTO migrations (source_compute, dest_node, dest_host, migration_type, memory_total)"
            f" VALUES ('host-7', 'host-7', 'host-7', '{kind}', 9000000000)"
        )
    cell.execute("INSERT INTO instance_actions_events (host, event, traceback, details) VALUES"
                 " ('host-7', 'e', 'on host-7', 'host-7')")  # fmt: skip


def test_log_and_chunks_of_an_api_database_give_the_same_rows(api: Mirrored) -> None:
    logged = by_table(api.changes(lambda: fill_api(api)))
    read = api.chunk_rows()

    del read["quotas"]  # has the marker
    assert {name: rows for name, rows in read.items() if rows} == logged
    assert list(read) == [name for name in watched_tables(ZoneKind.API, Trust.FULL) if name != "quotas"]
    factors = [str(value("flavors", row, "rxtx_factor")) for row in read["flavors"]]
    assert list(map(float, factors)) == pytest.approx(list(map(float, FACTORS)), rel=1e-5)
    assert [value("key_pairs", row, "type") for row in read["key_pairs"]] == ["ssh", "x509"]
    whole, broken = read["request_specs"]
    assert value("request_specs", whole, "availability_zone") == "az"
    assert len(str(value("request_specs", whole, "scheduler_hints"))) > 40_000
    assert broken[2:] == (None, None)
    assert "secret-url" not in repr((read, logged))


def test_log_and_chunks_of_a_cell_give_the_same_rows(cell: Mirrored) -> None:
    logged = by_table(cell.changes(lambda: fill_cell(cell)))
    read = cell.chunk_rows()

    assert {name: rows for name, rows in read.items() if rows} == logged
    assert [value("migrations", row, "migration_type") for row in read["migrations"]] == [
        "resize",
        "live-migration",
    ]
    (node,) = read["compute_nodes"]
    assert (
        value("compute_nodes", node, "ram_allocation_ratio"),
        value("compute_nodes", node, "host_ip"),
    ) == (
        "1.1",
        "2001:db8::7",
    )


def test_no_host_leaves_an_api_database_that_shares_servers_only(api: Mirrored) -> None:
    logged = by_table(api.changes(lambda: fill_api(api), Trust.SERVERS))
    read = api.chunk_rows(Trust.SERVERS)

    assert "host-7" not in repr((logged, read))
    assert logged.keys() == {"flavors", "key_pairs", "aggregates", "cell_mappings", "request_specs"}
    assert not {"aggregate_hosts", "host_mappings"} & read.keys()


def test_no_host_leaves_a_cell_that_shares_servers_only(cell: Mirrored) -> None:
    logged = by_table(cell.changes(lambda: fill_cell(cell), Trust.SERVERS))
    read = cell.chunk_rows(Trust.SERVERS)

    assert "host-7" not in repr((logged, read))
    assert logged.keys() == {"migrations", "instance_actions_events"}
    assert read.keys() == {"migrations", "instance_actions_events", "instance_actions"}


def test_updates_deletes_new_keys_and_truncates_name_their_rows(api: Mirrored) -> None:
    fill_api(api)

    def work() -> None:
        api.execute("UPDATE key_pairs SET fingerprint = 'f' WHERE id = 1")
        api.execute("UPDATE key_pairs SET id = 70 WHERE id = 2")
        api.execute("DELETE FROM aggregate_hosts")
        api.execute("TRUNCATE TABLE build_requests")

    updated, moved, deleted, truncated = api.changes(work)

    assert (updated.op, updated.row[0], updated.old_row) == (Op.UPDATE, 1, None)
    assert (moved.op, moved.row[0]) == (Op.UPDATE, 70)
    assert moved.old_row is not None
    assert moved.old_row[0] == 2
    assert (deleted.op, deleted.table, deleted.row[0]) == (Op.DELETE, "aggregate_hosts", 1)
    assert truncated == RowChange(Op.TRUNCATE, "build_requests", ())


def test_a_spec_that_an_update_leaves_alone_is_whole_or_unchanged(api: Mirrored) -> None:
    fill_api(api)

    (change,) = api.changes(lambda: api.execute("UPDATE request_specs SET updated_at = now() WHERE id = 1"))

    zone, hints = change.row[2:]
    if isinstance(api.database, MariaDBDatabase):
        assert (zone, len(str(hints)) > 40_000) == ("az", True)
    else:
        assert zone is hints is UNCHANGED  # too long for its row: not in the log


def test_single_rows_are_read_again(api: Mirrored) -> None:
    fill_api(api)
    source = open_rows(api.zone())

    chunk = source.read_rows("flavors", [1, 3, 99])
    none = source.read_rows("flavors", [])
    source.close()

    assert (chunk.table, chunk.only, [row[0] for row in chunk.rows["flavors"]]) == (
        "flavors",
        {1, 3, 99},
        [1, 3],
    )
    assert (none.only, list(none.rows["flavors"])) == (set(), [])


def test_a_log_without_column_names_gives_the_same(mariadb_database: MariaDBDatabase) -> None:
    api = Mirrored(mariadb_zone.make_api_database(mariadb_database), ZoneKind.API)
    with setting(mariadb_database, binlog_row_metadata="NO_LOG"):
        logged = by_table(api.changes(lambda: fill_api(api)))

    assert logged.keys() == {"flavors", "key_pairs", "aggregates", "aggregate_hosts", "cell_mappings",
                             "host_mappings", "request_specs"}  # fmt: skip
    assert {name: api.chunk_rows()[name] for name in logged} == logged


def test_a_cell_that_is_registered_as_an_api_database_says_what_it_should_be(cell: Mirrored) -> None:
    log = open_log(Mirrored(cell.database, ZoneKind.API).zone())

    with pytest.raises(StopZone, match="flavors") as stopped:
        log.check()

    assert "Nova API database" in str(stopped.value.hint)


def test_a_publication_from_before_is_completed_where_our_role_may(
    postgres_database: PostgresDatabase,
) -> None:
    postgres_zone.make_cell(postgres_database)
    postgres_database.execute("CREATE PUBLICATION treetop FOR TABLE instances, tags")
    cell = Mirrored(postgres_database, ZoneKind.CELL)

    logged = by_table(cell.changes(lambda: fill_cell(cell)))

    assert logged.keys() == {"services", "compute_nodes", "migrations", "instance_actions_events"}
    published = postgres_database.execute("SELECT tablename::text FROM pg_publication_tables")
    assert {name for (name,) in published} == set(watched_tables(ZoneKind.CELL, Trust.FULL))
