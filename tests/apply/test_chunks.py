# SPDX-License-Identifier: Apache-2.0
"""A chunk against the top: loaded, compared, mended; servers outside of it and skipped ones are left alone."""

from random import Random

import psycopg
import pytest

from tests.apply.claimed_top import OWNER, progress_at, rows_at_top
from tests.apply.zone_model import ZoneModel
from treetop.apply.chunks import chunk_rows, compare_chunk, load_chunk, repair_chunk
from treetop.apply.plan import Patches, Plan
from treetop.apply.statements import whole_row
from treetop.apply.writer import ZoneWriter
from treetop.model.change import Chunk, Op, RowChange
from treetop.model.zone import Zone
from treetop.nova.tables import CELL_TABLES


@pytest.fixture
def model() -> ZoneModel:
    model = ZoneModel(Random(7), bare_deletes=False)
    while len(model.tables["instances"]) < 8:
        model.transaction()
    return model


def load(dsn: str, zone: Zone, chunk: Chunk) -> None:
    with ZoneWriter(dsn, zone.id, OWNER) as writer:
        load_chunk(writer, chunk, ())
        writer.commit(progress_at(1))


def change(dsn: str, statement: str) -> None:
    with psycopg.connect(dsn) as conn:
        conn.execute(statement)


def test_a_chunk_gives_the_rows_that_the_planner_gives(model: ZoneModel) -> None:
    chunk = model.chunk()
    plan = Plan()
    for table in CELL_TABLES:
        plan.add(RowChange(Op.INSERT, table, row) for row in chunk.rows[table])
    (step,) = plan.steps()
    assert isinstance(step, Patches)

    rows = chunk_rows(chunk)

    expected = {uuid: whole_row(patch) for uuid, patch in step.servers.items()}
    assert {uuid: {k: v for k, v in row.items() if v is not None} for uuid, row in rows.items()} == {
        uuid: {k: v for k, v in row.items() if v is not None} for uuid, row in expected.items()
    }


def test_equal_rows_have_no_difference(top_dsn: str, zone: Zone, model: ZoneModel) -> None:
    load(top_dsn, zone, model.chunk())

    with ZoneWriter(top_dsn, zone.id, OWNER) as writer:
        compared, differences = compare_chunk(writer, model.chunk(), ())

    assert compared == len(model.tables["instances"])
    assert differences == []


def test_every_kind_of_difference_is_found_and_mended(top_dsn: str, zone: Zone, model: ZoneModel) -> None:
    load(top_dsn, zone, model.chunk())
    good = rows_at_top(top_dsn)
    first, second, *_ = sorted(good)
    change(top_dsn, f"UPDATE server SET display_name = 'wrong', metadata = '{{}}' WHERE uuid = '{first}'")
    change(top_dsn, f"DELETE FROM server WHERE uuid = '{second}'")
    change(
        top_dsn,
        "INSERT INTO server (zone_id, uuid, source_id, deleted)"
        f" VALUES ({zone.id}, gen_random_uuid(), 100000, false)",
    )

    with ZoneWriter(top_dsn, zone.id, OWNER) as writer:
        _, differences = compare_chunk(writer, model.chunk(), ())
        repair_chunk(writer, model.chunk(), differences)
        writer.commit(progress_at(2))

    found = {each.key: each for each in differences}
    assert sorted(each.kind for each in differences) == ["different", "extra", "missing"]
    assert found[first].columns["display_name"] == ("wrong", "né")
    assert found[second].kind == "missing"
    assert rows_at_top(top_dsn) == good


def test_a_chunk_speaks_only_of_its_range(top_dsn: str, zone: Zone, model: ZoneModel) -> None:
    load(top_dsn, zone, model.chunk())
    ids = sorted(int(str(row["id"])) for row in model.tables["instances"].values())
    change(top_dsn, f"UPDATE server SET display_name = 'wrong' WHERE source_id = {ids[0]}")

    with ZoneWriter(top_dsn, zone.id, OWNER) as writer:
        _, beyond = compare_chunk(writer, model.chunk(after=ids[0]), ())
        _, within = compare_chunk(writer, model.chunk(after=0, upto=ids[0]), ())

    assert beyond == []
    assert [each.kind for each in within] == ["different"]


def test_skipped_servers_are_neither_written_nor_compared_nor_removed(
    top_dsn: str, zone: Zone, model: ZoneModel
) -> None:
    load(top_dsn, zone, model.chunk())
    uuid = min(rows_at_top(top_dsn))
    change(top_dsn, f"UPDATE server SET display_name = 'newer' WHERE uuid = '{uuid}'")

    with ZoneWriter(top_dsn, zone.id, OWNER) as writer:
        _, differences = compare_chunk(writer, model.chunk(), {uuid})
        load_chunk(writer, model.chunk(), {uuid})
        writer.commit(progress_at(2))

    assert differences == []
    assert rows_at_top(top_dsn)[uuid]["display_name"] == "newer"


def test_a_load_removes_what_the_zone_does_not_have(top_dsn: str, zone: Zone, model: ZoneModel) -> None:
    load(top_dsn, zone, model.chunk())
    change(
        top_dsn,
        "INSERT INTO server (zone_id, uuid, source_id, deleted)"
        f" VALUES ({zone.id}, gen_random_uuid(), 100000, false)",
    )

    load(top_dsn, zone, model.chunk())

    assert len(rows_at_top(top_dsn)) == len(model.tables["instances"])
