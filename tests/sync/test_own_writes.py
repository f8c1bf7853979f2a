# SPDX-License-Identifier: Apache-2.0
"""Reading one's own writes over a real zone: what Nova has written when it answers is in its caller's next list."""

import json

import pytest

from tests.api.nova_upstream import NovaUpstream
from tests.api.passing import ask, in_front
from tests.sync.running import LIVE, Cell, Top
from treetop.store.pool import open_pool

WRITES = 10
MINE = {"X-Auth-Token": "mine"}


@pytest.fixture
def nova():
    upstream = NovaUpstream()
    yield upstream
    upstream.close()


def test_a_list_after_a_write_shows_it(top: Top, cell: Cell, nova):
    top.add("cell1", cell.fill(3))
    names = iter(f"written-{number}" for number in range(WRITES))
    with top.worker("cell1"):
        top.wait_for_state("cell1", LIVE)
        top.wait_until_applied("cell1")
        pool = open_pool(top.dsn, size=2, statement_timeout_seconds=10)
        nova.before_answering = lambda: cell.mark(next(names))
        with in_front(pool, top.dsn, nova.url, read_your_writes_seconds=30.0) as port:
            for number in range(WRITES):
                assert ask(port, "POST", "/v2.1/servers", b"{}", MINE)[0] == 202

                _, _, body = ask(port, "GET", "/v2.1/servers?all_tenants=1", headers=MINE)

                assert f"written-{number}" in {server["name"] for server in json.loads(body)["servers"]}
        pool.close()


def test_a_list_that_may_have_no_age_shows_what_was_written_before(top: Top, cell: Cell, nova):
    """`max-age=0`, without anything passed through."""
    top.add("cell1", cell.fill(3))
    with top.worker("cell1"):
        top.wait_for_state("cell1", LIVE)
        top.wait_until_applied("cell1")
        pool = open_pool(top.dsn, size=2, statement_timeout_seconds=10)
        with in_front(pool, top.dsn, nova.url) as port:
            for number in range(WRITES):
                cell.mark(f"written-{number}")

                status, _, body = ask(
                    port, "GET", "/v2.1/servers?all_tenants=1", headers={"Cache-Control": "max-age=0"}
                )

                assert status == 200
                assert f"written-{number}" in {server["name"] for server in json.loads(body)["servers"]}
        pool.close()
