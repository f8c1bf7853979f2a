# SPDX-License-Identifier: Apache-2.0
"""Many changes become the least work that leaves the same rows."""

import pytest

from treetop.apply.plan import Amend, Patches, Plan, Truncate, touched
from treetop.errors import StopZone
from treetop.model.change import UNCHANGED, Op, Row, RowChange, Value
from treetop.nova.tables import CELL_TABLES

UUID = "00000000-0000-0000-0000-000000000001"


def a_row(table: str, default: Value = None, **values: Value) -> Row:
    return tuple(values.get(name, default) for name in CELL_TABLES[table].shared_columns)


def a_change(op: Op, table: str, default: Value = None, **values: Value) -> RowChange:
    owner = CELL_TABLES[table].owner
    return RowChange(op, table, a_row(table, default, **({"id": 1, owner: UUID} | values)))


def planned(*changes: RowChange) -> list[object]:
    plan = Plan()
    plan.add(changes)
    assert plan.changes == len(changes)
    return list(plan.steps())


def test_nothing_is_nothing() -> None:
    assert planned() == []


def test_updates_of_one_server_become_one_patch_with_the_last_values() -> None:
    (step,) = planned(
        a_change(Op.UPDATE, "instances", vm_state="building"),
        a_change(Op.UPDATE, "instance_metadata", id=7, key="k", value="v", deleted=0),
        a_change(Op.UPDATE, "instances", vm_state="active"),
    )

    assert isinstance(step, Patches)
    (patch,) = step.servers.values()
    assert patch.columns["vm_state"] == "active"
    assert patch.merged == {"metadata": {"7": ["k", "v"]}}
    assert not patch.created


def test_a_server_that_is_created_again_keeps_nothing_of_the_old_one() -> None:
    (step,) = planned(
        a_change(Op.INSERT, "instance_metadata", id=7, key="k", value="v", deleted=0),
        a_change(Op.DELETE, "instances"),
        a_change(Op.INSERT, "instances", id=2, deleted=0),
    )

    assert isinstance(step, Patches)
    assert step.servers[UUID].created
    assert step.servers[UUID].merged == {}


def test_rows_that_come_before_their_server_in_a_transaction_are_kept() -> None:
    (step,) = planned(
        a_change(Op.INSERT, "tags", tag="a", resource_id=UUID),
        a_change(Op.INSERT, "instance_info_caches", id=3, network_info="[]"),
        a_change(Op.INSERT, "instances", deleted=0),
    )

    assert isinstance(step, Patches)
    assert step.servers[UUID].created
    assert step.servers[UUID].merged == {"tags": {"a": True}}
    assert step.servers[UUID].columns["info_cache_id"] == 3


def test_rows_of_a_server_that_may_have_had_the_same_uuid_are_not_kept() -> None:
    (step,) = planned(
        a_change(Op.UPDATE, "instance_metadata", id=7, key="k", value="v", deleted=0),
        a_change(Op.DELETE, "instances", UNCHANGED, uuid=UNCHANGED, id=1),
        a_change(Op.INSERT, "instances", id=2, deleted=0),
    )

    assert isinstance(step, Patches)
    assert step.servers[UUID].merged == {}


def test_a_soft_deleted_row_leaves_its_facet() -> None:
    (step,) = planned(a_change(Op.UPDATE, "instance_metadata", id=7, key="k", value="v", deleted=7))

    assert isinstance(step, Patches)
    assert step.servers[UUID].merged == {"metadata": {"7": None}}


def test_a_delete_with_only_the_key_is_looked_for_at_the_top() -> None:
    (step,) = planned(
        a_change(Op.DELETE, "instances", UNCHANGED, uuid=UNCHANGED, id=5),
        a_change(Op.DELETE, "instance_system_metadata", UNCHANGED, instance_uuid=UNCHANGED, id=6),
    )

    assert isinstance(step, Patches)
    assert step.gone == [5]
    assert step.removed == {"instance_system_metadata": [6]}


def test_a_delete_with_only_the_key_of_a_row_written_in_this_batch_is_no_riddle() -> None:
    (step,) = planned(
        a_change(Op.INSERT, "instance_system_metadata", id=6, key="image_os", value="x"),
        a_change(Op.DELETE, "instance_system_metadata", UNCHANGED, instance_uuid=UNCHANGED, id=6),
    )

    assert isinstance(step, Patches)
    assert step.removed == {}
    assert step.servers[UUID].merged == {"system_metadata": {"6": None}}


def test_truncate_stands_between_what_was_before_and_after() -> None:
    steps = planned(
        a_change(Op.INSERT, "tags", tag="a", resource_id=UUID),
        RowChange(Op.TRUNCATE, "tags", ()),
        a_change(Op.INSERT, "tags", tag="b", resource_id=UUID),
    )

    assert [type(step) for step in steps] == [Patches, Truncate, Patches]


def test_an_update_that_leaves_out_a_stored_part_amends_it() -> None:
    (step,) = planned(
        a_change(Op.UPDATE, "instance_faults", id=9, code=500, message="m", details=UNCHANGED, deleted=0)
    )

    assert step == Amend(UUID, "faults", "9", "9", {"created": None, "code": 500, "message": "m"})


def test_unchanged_columns_of_a_server_are_not_written() -> None:
    (step,) = planned(a_change(Op.UPDATE, "instances", user_data=UNCHANGED, vm_state="active"))

    assert isinstance(step, Patches)
    assert "user_data" not in step.servers[UUID].columns
    assert step.servers[UUID].columns["vm_state"] == "active"


def test_a_part_that_can_neither_be_kept_nor_known_stops_the_zone() -> None:
    with pytest.raises(StopZone, match="instance_metadata") as caught:
        planned(a_change(Op.UPDATE, "instance_metadata", id=7, key="k", value=UNCHANGED, deleted=0))

    assert "REPLICA IDENTITY FULL" in (caught.value.hint or "")


def test_a_row_that_moves_to_another_server_leaves_the_first() -> None:
    other = UUID.replace("1", "2")
    old = a_row("instance_metadata", id=7, instance_uuid=other, key="k", value="v", deleted=0)
    new = a_row("instance_metadata", id=7, instance_uuid=UUID, key="k", value="v", deleted=0)

    (step,) = planned(RowChange(Op.UPDATE, "instance_metadata", new, old))

    assert isinstance(step, Patches)
    assert step.servers[other].merged == {"metadata": {"7": None}}
    assert step.servers[UUID].merged == {"metadata": {"7": ["k", "v"]}}


def test_touched_names_servers_and_rows_whose_server_is_not_said() -> None:
    found = touched(
        [
            a_change(Op.UPDATE, "instances"),
            a_change(Op.DELETE, "instance_system_metadata", UNCHANGED, instance_uuid=UNCHANGED, id=6),
        ]
    )

    assert found.servers == {UUID}
    assert found.rows == {("instance_system_metadata", 6)}
    assert not found.everything
    assert touched([RowChange(Op.TRUNCATE, "tags", ())]).everything
