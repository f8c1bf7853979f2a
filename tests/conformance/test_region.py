# SPDX-License-Identifier: Apache-2.0
"""The test region has what it should have, and the real Nova lives with every row of it."""

import json
from collections import Counter
from typing import Any

import pytest

from tests.conformance.asking import Question, ask
from tests.conformance.both import Both
from tests.conformance.corpus.names import NAMES
from tests.conformance.region.plan import ADMIN, CELL0, CELLS
from tests.conformance.region.servers import TASKS, Made, cell_servers
from tests.conformance.region.special_servers import SPECIAL, special_servers

_DELETED = {"gone", "gone_of_other", "gone_with_fault"}


@pytest.fixture(scope="module")
def servers() -> list[Made]:
    return [made for cell in (CELL0, *CELLS) for made in (*cell_servers(cell), *special_servers(cell))]


def _column(servers: list[Made], name: str) -> list[Any]:
    return [made.rows["instances"][0][name] for made in servers]


def test_several_hundred_servers_live_in_four_cells_and_cell0(servers: list[Made]) -> None:
    assert len(CELLS) >= 4
    assert len(servers) > 350
    assert len(set(_column(servers, "project_id"))) >= 4


def test_every_state_is_there(servers: list[Made]) -> None:
    found = set(zip(_column(servers, "vm_state"), _column(servers, "task_state"), strict=True))

    assert found >= {(vm_state, task) for vm_state, tasks in TASKS.items() for task in tasks}


def test_deleted_soft_deleted_hidden_and_equal_instants_are_there(servers: list[Made]) -> None:
    assert sum(1 for deleted in _column(servers, "deleted") if deleted) > 10
    assert "soft-delete" in _column(servers, "vm_state")
    assert True in _column(servers, "hidden")
    assert max(Counter(_column(servers, "created_at")).values()) >= 4


def test_the_same_seed_makes_the_same_region(servers: list[Made]) -> None:
    again = [*special_servers(CELLS[1])]

    mine = {made.uuid: made.rows for made in servers if made.plan.zone == CELLS[1]}
    assert {made.uuid: made.rows for made in again if made.plan.zone == CELLS[1]}.items() <= mine.items()


@pytest.mark.parametrize("name", sorted(SPECIAL))
def test_nova_shows_every_special_server(name: str, both: Both) -> None:
    seen = ask(both.nova_url, Question(path=f"/v2.1/servers/{NAMES[name]}", minor=104, asker=ADMIN))

    assert seen.status == (404 if name in _DELETED else 200), json.dumps(seen.body)
