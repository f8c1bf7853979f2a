# SPDX-License-Identifier: Apache-2.0
"""Servers made from a seed: the same every time, and shaped as Nova writes them."""

import json
from collections import Counter
from functools import cache
from typing import Any

from tests.demo.conftest import LOADED_AT, a_population
from treetop.demo.catalogue import STATES
from treetop.demo.population import ServerPlan, plan_server, server_uuid
from treetop.demo.server_rows import Rows, server_rows

MANY = 3000


@cache
def _many() -> list[tuple[ServerPlan, Rows]]:
    population = a_population(servers=MANY)
    plans = [plan_server(population, number) for number in range(1, MANY + 1)]
    return [(plan, server_rows(plan)) for plan in plans]


def _all_rows(table: str) -> list[dict[str, Any]]:
    return [row for _, rows in _many() for row in rows[table]]


def test_same_seed_makes_the_same_server() -> None:
    first, second = (server_rows(plan_server(a_population(), 17)) for _ in range(2))

    assert first == second


def test_seed_zone_and_number_each_make_another_server() -> None:
    plans = [
        plan_server(a_population(), 17),
        plan_server(a_population(), 18),
        plan_server(a_population(seed=2), 17),
        plan_server(a_population(zone="east"), 17),
    ]

    assert len({plan.uuid for plan in plans}) == 4
    assert plans[0].uuid == server_uuid(a_population(), 17)


def test_ids_of_a_table_never_collide() -> None:
    for table in (
        "instance_system_metadata",
        "instance_metadata",
        "block_device_mapping",
        "virtual_interfaces",
    ):
        rows = _all_rows(table)

        assert len({row["id"] for row in rows}) == len(rows) > 0


def test_unique_values_never_collide() -> None:
    for table, column in (
        ("instances", "uuid"),
        ("block_device_mapping", "uuid"),
        ("virtual_interfaces", "address"),
    ):
        rows = _all_rows(table)

        assert len({row[column] for row in rows}) == len(rows) > 0


def test_rows_of_a_table_all_have_the_same_columns() -> None:
    for table in server_rows(plan_server(a_population(), 1)):
        assert len({tuple(row) for row in _all_rows(table)}) == 1, table


def test_every_state_occurs_about_as_often_as_its_weight_says() -> None:
    counts = Counter(plan.state for plan, _ in _many())
    total = sum(state.weight for state in STATES)

    assert set(counts) == set(STATES)
    for state in STATES:
        assert abs(counts[state] / MANY - state.weight / total) < 0.02, state.name


def test_deleted_server_marks_every_row_with_its_own_id_and_has_no_tags() -> None:
    deleted = [rows for plan, rows in _many() if plan.deleted_at is not None]

    assert deleted
    for rows in deleted:
        assert rows["tags"] == []
        for table in set(rows) - {"tags", "instance_actions", "instance_actions_events"}:
            assert all(row["deleted"] == row["id"] and row["deleted_at"] for row in rows[table]), table


def test_everything_happened_before_the_zone_was_loaded() -> None:
    for row in _all_rows("instances"):
        assert row["created_at"] <= (row["updated_at"] or row["created_at"]) <= LOADED_AT
        assert row["deleted_at"] is None or row["created_at"] <= row["deleted_at"] <= LOADED_AT


def test_flavor_document_is_the_versioned_object_that_nova_writes() -> None:
    documents = [json.loads(row["flavor"]) for row in _all_rows("instance_extra")]

    assert all(list(document) == ["cur", "old", "new"] for document in documents)
    assert any(document["cur"]["nova_object.data"]["extra_specs"] for document in documents)
    assert documents[0]["cur"]["nova_object.name"] == "Flavor"
    assert list(documents[0]["cur"]["nova_object.data"])[:4] == ["id", "name", "memory_mb", "vcpus"]


def test_resized_server_keeps_its_old_flavor_until_confirmed() -> None:
    rows = next(rows for plan, rows in _many() if plan.state.vm_state == "resized")

    flavors = json.loads(str(rows["instance_extra"][0]["flavor"]))
    assert flavors["old"]["nova_object.data"]["id"] == rows["migrations"][0]["old_instance_type_id"]
    assert flavors["new"] == flavors["cur"] != flavors["old"]
    assert "old_vm_state" in [row["key"] for row in rows["instance_system_metadata"]]


def test_addresses_have_both_versions_floating_ones_and_are_unique_in_their_network() -> None:
    seen: Counter[tuple[str, str]] = Counter()
    kinds: Counter[tuple[int, str]] = Counter()
    for row in _all_rows("instance_info_caches"):
        for interface in json.loads(row["network_info"]):
            for subnet in interface["network"]["subnets"]:
                for address in subnet["ips"]:
                    seen[interface["network"]["label"], address["address"]] += 1
                    kinds[address["version"], address["type"]] += 1
                    kinds.update((4, floating["type"]) for floating in address["floating_ips"])

    assert set(seen.values()) == {1}
    assert set(kinds) == {(4, "fixed"), (6, "fixed"), (4, "floating")}


def test_texts_fit_three_byte_characters_and_some_are_not_ascii() -> None:
    names = [row["display_name"] for row in _all_rows("instances")]

    assert all(ord(character) < 0x10000 for name in names for character in name)
    assert any(not name.isascii() for name in names)
