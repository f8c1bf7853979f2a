# SPDX-License-Identifier: Apache-2.0
"""Each operation leaves the rows that Nova would, in as many transactions as Nova's own log shows."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.demo.conftest import a_session
from treetop.demo.catalogue import ACTIVE, NETWORKS
from treetop.demo.operations import labels, power
from treetop.demo.operations.create import create_planned
from treetop.demo.operations.delete import archive_servers, delete_server
from treetop.demo.operations.hosts import beat_heart
from treetop.demo.operations.resize import confirm_resize, resize_server
from treetop.demo.operations.session import Session
from treetop.demo.operations.volumes import attach_volume, detach_volume
from treetop.demo.population import ServerPlan, plan_port, plan_server, plan_volume
from treetop.demo.zone_database import ZoneDatabase

CHILDREN = (
    "instance_extra",
    "instance_info_caches",
    "instance_metadata",
    "instance_system_metadata",
    "block_device_mapping",
    "virtual_interfaces",
    "instance_faults",
    "migrations",
)


def a_plan(session: Session, **changes: Any) -> ServerPlan:
    """A server to create, with a port, a tag, metadata and a volume unless told otherwise."""
    plan = plan_server(session.population, session.next_number, state=ACTIVE, created_at=session.now())
    session.next_number += 1
    wanted: dict[str, Any] = {
        "ports": (plan_port(plan.number, 0, NETWORKS[1], session.random, plan.project, has_floating=True),),
        "volumes": (plan_volume(session.random, "vdb"),),
        "tags": ("gold",),
        "metadata": (("role", "web"), ("owner", "O'Brien")),
    }
    return replace(plan, **wanted | changes)


@pytest.fixture
def session(shared_zone: ZoneDatabase) -> Session:
    return a_session(shared_zone)


@pytest.fixture
def server(session: Session) -> str:
    """A new ACTIVE server."""
    return create_planned(session, a_plan(session))


def transactions(session: Session, operation: Callable[[], object]) -> int:
    before = session.database.transactions
    operation()
    return session.database.transactions - before


def items(session: Session, table: str, uuid: str) -> dict[Any, Any]:
    rows = session.database.select(table, "key value", instance_uuid=uuid, deleted=0)
    return {row["key"]: row["value"] for row in rows}


def test_create_is_15_transactions_without_port_and_tag(session: Session) -> None:
    plan = a_plan(session, ports=(), tags=())

    assert transactions(session, lambda: create_planned(session, plan)) == 15


def test_create_is_19_transactions_with_a_port_and_a_tag(session: Session) -> None:
    plan = a_plan(session)

    assert transactions(session, lambda: create_planned(session, plan)) == 19


def test_created_server_is_whole(session: Session, server: str) -> None:
    row = session.server(server)

    assert (row["vm_state"], row["task_state"], row["power_state"], row["deleted"]) == ("active", None, 1, 0)
    assert str(row["host"]).startswith("west-cmp")
    assert row["launched_at"] is not None
    assert session.database.count("tags", resource_id=server) == 1
    assert session.database.count("block_device_mapping", instance_uuid=server, deleted=0) >= 1
    assert items(session, "instance_metadata", server) == {"role": "web", "owner": "O'Brien"}
    assert items(session, "instance_system_metadata", server)["boot_roles"] == "member,reader"
    cache = session.database.select("instance_info_caches", "network_info", instance_uuid=server)
    assert len(json.loads(str(cache[0]["network_info"]))) == 1


@pytest.mark.parametrize(
    ("operation", "count", "state"),
    [
        (power.stop_server, 6, "stopped"),
        (power.start_server, 6, "active"),
        (power.pause_server, 6, "paused"),
        (power.reboot_server, 7, "active"),
        (power.fail_server, 6, "error"),
        (power.lock_server, 4, "active"),
        (power.unlock_server, 4, "active"),
    ],
)
def test_power_operation_takes_as_many_transactions_as_novas(
    operation: Callable[[Session, str], None], count: int, state: str, session: Session, server: str
) -> None:
    assert transactions(session, lambda: operation(session, server)) == count
    assert session.server(server)["vm_state"] == state
    assert session.server(server)["task_state"] is None


def test_lock_reason_is_deleted_for_good_by_unlock(session: Session, server: str) -> None:
    for _ in range(20):  # the reason is drawn
        power.lock_server(session, server)
        if "locked_reason" in items(session, "instance_system_metadata", server):
            break
        power.unlock_server(session, server)
    assert session.server(server)["locked"] in (True, 1)

    power.unlock_server(session, server)

    rows = session.database.select("instance_system_metadata", "key", instance_uuid=server)
    assert "locked_reason" not in [row["key"] for row in rows]
    assert session.server(server)["locked_by"] is None


def test_failed_server_has_a_fault(session: Session, server: str) -> None:
    power.fail_server(session, server)

    faults = session.database.select("instance_faults", "code message host", instance_uuid=server)
    assert faults[0]["code"] == 500
    assert faults[0]["host"] == session.server(server)["host"]


def test_deleted_metadata_key_is_marked_and_set_again_as_a_new_row(session: Session, server: str) -> None:
    labels.delete_metadata(session, server)
    labels.delete_metadata(session, server)
    assert items(session, "instance_metadata", server) == {}

    while "role" not in items(session, "instance_metadata", server):
        labels.set_metadata(session, server)

    rows = session.database.select("instance_metadata", "id deleted", instance_uuid=server, key="role")
    assert [row["deleted"] for row in rows] == [rows[0]["id"], 0]


def test_replace_metadata_leaves_just_two_keys_in_one_transaction(session: Session, server: str) -> None:
    assert transactions(session, lambda: labels.replace_metadata(session, server)) == 1
    assert len(items(session, "instance_metadata", server)) == 2


def test_tags_change_without_touching_the_server(session: Session, server: str) -> None:
    before = session.server(server)

    labels.replace_tags(session, server)
    assert session.database.count("tags", resource_id=server) == 2
    labels.add_tag(session, server)
    assert session.database.count("tags", resource_id=server) == 3
    labels.delete_tag(session, server)

    assert session.database.count("tags", resource_id=server) == 2
    assert session.server(server) == before


def test_rolled_back_transaction_leaves_nothing(session: Session, server: str) -> None:
    before, tags = session.server(server), session.database.count("tags")

    assert transactions(session, lambda: labels.change_nothing(session, server)) == 0

    assert session.server(server) == before
    assert session.database.count("tags") == tags


def test_undone_savepoint_leaves_nothing_and_the_rest_is_committed(session: Session, server: str) -> None:
    before = session.server(server)

    assert transactions(session, lambda: labels.change_half(session, server)) == 1

    after = session.server(server)
    assert after["display_name"] == before["display_name"]
    assert after["updated_at"] > before["updated_at"]  # type: ignore[operator]
    assert {"role", "owner", "note"} <= set(items(session, "instance_metadata", server))


def test_resize_and_confirm_walk_through_novas_documents(session: Session, server: str) -> None:
    old = session.server(server)

    assert transactions(session, lambda: resize_server(session, server)) == 30

    resized = session.server(server)
    extra = session.database.select("instance_extra", "*", instance_uuid=server)[0]
    flavor = json.loads(str(extra["flavor"]))
    assert resized["vm_state"] == "resized"
    assert resized["host"] != old["host"]
    assert resized["instance_type_id"] == flavor["cur"]["nova_object.data"]["id"] != old["instance_type_id"]
    assert flavor["old"]["nova_object.data"]["id"] == old["instance_type_id"]
    assert "migration_id" in str(extra["migration_context"])
    assert items(session, "instance_system_metadata", server)["old_vm_state"] == "active"

    assert transactions(session, lambda: confirm_resize(session, server)) == 11

    extra = session.database.select("instance_extra", "*", instance_uuid=server)[0]
    assert session.server(server)["vm_state"] == "active"
    assert json.loads(str(extra["flavor"]))["old"] is None
    assert extra["migration_context"] is None
    assert "old_vm_state" not in items(session, "instance_system_metadata", server)
    assert session.database.count("migrations", instance_uuid=server, status="confirmed") == 1


def test_volume_is_attached_and_detached(session: Session, server: str) -> None:
    before = session.database.count("block_device_mapping", instance_uuid=server, deleted=0)

    assert transactions(session, lambda: attach_volume(session, server)) == 6
    assert session.database.count("block_device_mapping", instance_uuid=server, deleted=0) == before + 1
    assert transactions(session, lambda: detach_volume(session, server)) == 4

    assert session.database.count("block_device_mapping", instance_uuid=server, deleted=0) == before


def test_delete_marks_everything_with_its_own_id_and_removes_tags(session: Session, server: str) -> None:
    resize_server(session, server)
    power.fail_server(session, server)
    before = {table: session.database.count(table, instance_uuid=server) for table in CHILDREN}

    assert transactions(session, lambda: delete_server(session, server)) == 9

    assert all(before.values())
    row = session.server(server)
    assert row["deleted"] == row["id"]
    assert (row["vm_state"], row["terminated_at"] is None) == ("deleted", False)
    assert session.database.count("tags", resource_id=server) == 0
    for table in CHILDREN:
        rows = session.database.select(table, "id deleted deleted_at", instance_uuid=server)
        assert len(rows) == before[table]
        assert all(row["deleted"] == row["id"] and row["deleted_at"] for row in rows), table


def test_create_and_delete_give_back_what_was_claimed(session: Session) -> None:
    before = session.database.select(
        "compute_nodes", "host vcpus_used memory_mb_used local_gb_used free_ram_mb running_vms"
    )

    server = create_planned(session, a_plan(session))
    delete_server(session, server)

    columns = "host vcpus_used memory_mb_used local_gb_used free_ram_mb running_vms"
    assert session.database.select("compute_nodes", columns) == before


def test_archive_leaves_nothing_of_a_server_and_loses_nothing(session: Session, server: str) -> None:
    resize_server(session, server)
    power.fail_server(session, server)
    delete_server(session, server)
    there = {table: session.database.count(table, instance_uuid=server) for table in CHILDREN}
    actions = session.database.select("instance_actions", "id", instance_uuid=server)

    assert transactions(session, lambda: archive_servers(session, [server])) == 2

    for table in (*CHILDREN, "instance_actions"):
        assert session.database.count(table, instance_uuid=server) == 0
        assert session.database.count(f"shadow_{table}", instance_uuid=server) == there.get(
            table, len(actions)
        )
    for table in ("instances", "instance_id_mappings"):
        assert session.database.count(table, uuid=server) == 0
        assert session.database.count(f"shadow_{table}", uuid=server) == 1
    for action in actions:
        assert session.database.count("instance_actions_events", action_id=action["id"]) == 0


def test_heartbeat_changes_three_columns_of_one_service(session: Session) -> None:
    before = session.database.select("services", "*")

    assert transactions(session, lambda: beat_heart(session, 2)) == 1

    after = session.database.select("services", "*")
    changed = {
        (old["id"], name)
        for old, new in zip(before, after, strict=True)
        for name in old
        if old[name] != new[name]
    }
    assert changed == {(2, "report_count"), (2, "last_seen_up"), (2, "updated_at")}
