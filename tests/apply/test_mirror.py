# SPDX-License-Identifier: Apache-2.0
"""Changes of mirrored tables as the last state of each row, and what the top has after the statements."""

import psycopg
import pytest

from tests.apply.claimed_top import OWNER, everything_at_top, progress_at
from treetop.apply.mirror import States, note, statements_of
from treetop.apply.plan import Patches, Plan, Truncate, touched
from treetop.apply.writer import ZoneWriter
from treetop.errors import Resnapshot
from treetop.model.change import UNCHANGED, Op, Row, RowChange, Value
from treetop.model.zone import Zone, ZoneId
from treetop.nova.mirrored_tables import FLAVORS, MIRRORED_TABLES, REQUEST_SPECS, SERVICES
from treetop.nova.table import Table


def a_row(table: Table, row_id: int, default: Value = None, **values: Value) -> Row:
    return tuple({"id": row_id, **values}.get(name, default) for name in table.shared_columns)


def change(op: Op, table: Table, row: Row, old_row: Row | None = None) -> RowChange:
    return RowChange(op, table.name, row, old_row)


def states_after(*changes: RowChange) -> States:
    states: States = {}
    for each in changes:
        note(states, each)
    return states


def test_changes_of_a_row_collapse_to_its_last_state() -> None:
    first, last = a_row(SERVICES, 1, host="a"), a_row(SERVICES, 1, host="b")

    assert states_after(change(Op.INSERT, SERVICES, first), change(Op.UPDATE, SERVICES, last)) == {1: last}
    assert states_after(change(Op.INSERT, SERVICES, first), change(Op.DELETE, SERVICES, last)) == {1: None}
    assert states_after(change(Op.DELETE, SERVICES, first), change(Op.INSERT, SERVICES, last)) == {1: last}


def test_what_the_log_leaves_out_is_what_the_step_wrote_before() -> None:
    whole = a_row(REQUEST_SPECS, 1, instance_uuid="u", availability_zone="az", scheduler_hints="{}")
    partial = a_row(REQUEST_SPECS, 1, UNCHANGED, instance_uuid="v")

    states = states_after(change(Op.INSERT, REQUEST_SPECS, whole), change(Op.UPDATE, REQUEST_SPECS, partial))

    assert states == {
        1: a_row(REQUEST_SPECS, 1, instance_uuid="v", availability_zone="az", scheduler_hints="{}")
    }


def test_a_new_key_moves_the_row() -> None:
    old, new = a_row(SERVICES, 1, host="a"), a_row(SERVICES, 2, host="a")

    assert states_after(change(Op.UPDATE, SERVICES, new, old)) == {1: None, 2: new}


def test_a_new_key_of_a_row_that_is_not_whole_loads_the_zone_again() -> None:
    old, new = a_row(REQUEST_SPECS, 1), a_row(REQUEST_SPECS, 2, UNCHANGED)

    with pytest.raises(Resnapshot, match="request_specs got a new id"):
        states_after(change(Op.UPDATE, REQUEST_SPECS, new, old))


def test_many_changes_are_few_statements() -> None:
    services = [change(Op.UPDATE, SERVICES, a_row(SERVICES, n % 50, version=n)) for n in range(1000)]
    gone = [change(Op.DELETE, SERVICES, a_row(SERVICES, n, UNCHANGED)) for n in range(20)]
    partial = [change(Op.UPDATE, SERVICES, a_row(SERVICES, n, UNCHANGED, host="h")) for n in range(60, 90)]

    made = list(statements_of("services", states_after(*services, *gone, *partial), ZoneId(1)))

    assert [text.split(b" ")[0] for text, _ in made] == [b"DELETE", b"INSERT", b"UPDATE"]


def test_a_truncate_stands_between_what_came_before_and_after() -> None:
    plan = Plan()
    plan.add([change(Op.INSERT, SERVICES, a_row(SERVICES, 1))])
    plan.add([RowChange(Op.TRUNCATE, "services", ()), change(Op.INSERT, SERVICES, a_row(SERVICES, 2))])

    before, truncate, after = plan.steps()

    assert truncate == Truncate("services")
    assert isinstance(before, Patches)
    assert isinstance(after, Patches)
    assert (list(before.rows["services"]), list(after.rows["services"])) == ([1], [2])


def test_rows_are_touched_by_their_old_and_new_key() -> None:
    moved = change(Op.UPDATE, SERVICES, a_row(SERVICES, 2), a_row(SERVICES, 1, UNCHANGED))

    assert touched([moved]).rows == {("services", 1), ("services", 2)}
    assert touched([moved]).servers == frozenset()


def apply(dsn: str, zone: Zone, *changes: RowChange) -> None:
    plan = Plan()
    plan.add(changes)
    with ZoneWriter(dsn, zone.id, OWNER) as writer:
        writer.write(plan.steps())
        writer.commit(progress_at(1))


def test_every_kind_of_value_is_stored(top_dsn: str, zone: Zone) -> None:
    row = a_row(
        FLAVORS,
        7,
        flavorid="né'\\\"",
        created_at="2026-01-02 03:04:05.5",
        rxtx_factor="1.1",
        is_public=False,
        vcpus=2**40,
    )

    apply(top_dsn, zone, change(Op.INSERT, FLAVORS, row))

    (stored,) = everything_at_top(top_dsn)["nova_flavors"]
    assert (stored["zone_id"], stored["id"], stored["flavorid"]) == (zone.id, 7, "né'\\\"")
    assert (stored["rxtx_factor"], stored["is_public"], stored["vcpus"]) == (1.1, False, 2**40)
    assert str(stored["created_at"]) == "2026-01-02 03:04:05.500000"
    assert stored["description"] is None


def test_an_update_in_part_of_a_row_that_is_not_there_makes_none(top_dsn: str, zone: Zone) -> None:
    apply(top_dsn, zone, change(Op.UPDATE, SERVICES, a_row(SERVICES, 1, UNCHANGED, host="h")))

    assert everything_at_top(top_dsn)["nova_services"] == []


def test_rows_of_other_zones_stay(top_dsn: str, zone: Zone) -> None:
    with psycopg.connect(top_dsn) as conn:
        for name in MIRRORED_TABLES:
            conn.execute(f"INSERT INTO nova_{name} (zone_id, id) VALUES (99, 1)")
    for table in MIRRORED_TABLES.values():
        apply(
            top_dsn,
            zone,
            change(Op.INSERT, table, a_row(table, 1)),
            change(Op.DELETE, table, a_row(table, 1, UNCHANGED)),
            RowChange(Op.TRUNCATE, table.name, ()),
        )

    rows = everything_at_top(top_dsn)
    del rows["server"]
    assert {row["zone_id"] for found in rows.values() for row in found} == {99}
    assert {len(found) for found in rows.values()} == {1}
