# SPDX-License-Identifier: Apache-2.0
"""Walking all pages while rows change: who was there all the time, is shown once."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.store.builders import START, a_build_request, a_server, a_zone, uuid_of

SERVERS = 12
_CHANGES = ("make", "delete", "purge", "restart", "request", "place")

#: What happens between two pages: (change, number of a server).
CHANGES = st.lists(st.tuples(st.sampled_from(_CHANGES), st.integers(1, SERVERS)), max_size=4)
ORDERS = st.sampled_from(
    [
        "",
        "sort_dir=asc",
        "sort_key=uuid&sort_dir=asc",
        "sort_key=display_name&sort_dir=desc",
        "sort_key=host&sort_key=key_name",
        "status=ACTIVE",
        "changes-since=2020-01-01",
    ]
)


class Population:
    """The servers of two zones and what happens to them. kept: those that nothing has ended so far."""

    def __init__(self, top):
        self._top = top
        self._newest = 100
        self.kept = set()
        top.execute("DELETE FROM server")
        top.execute("DELETE FROM nova_build_requests")
        for number in range(1, SERVERS + 1):
            self._make(number)
            self.kept.add(uuid_of(number))

    def change(self, change, number, marker):
        """Let it happen. marker: the server that the next page begins after, which must stay known."""
        uuid = uuid_of(number)
        if change == "make":
            self._newest += 1
            self._make(self._newest)
        elif change == "request":
            self._newest += 1
            a_build_request(self._top, self._newest)
        elif change == "place":  # a cell gets what was only requested
            for (requested,) in self._top.execute("SELECT id FROM nova_build_requests").fetchall():
                self._make(requested)
                self._top.execute("DELETE FROM nova_build_requests WHERE id = %s", (requested,))
        elif change == "restart":
            self._update(uuid, "task_state = 'rebooting', updated_at = now()")
        elif change == "delete":
            self._update(uuid, "deleted = true, vm_state = 'deleted', updated_at = now()")
            self.kept.discard(uuid)
        elif uuid != marker:
            self._top.execute("DELETE FROM server WHERE uuid = %s", (uuid,))
            self.kept.discard(uuid)

    def _make(self, number):
        a_server(
            self._top,
            number,
            zone_id=1 + number % 2,
            created_at=START + timedelta(minutes=number // 3),
            display_name=f"name-{number % 4}",
            host=None if number % 5 == 0 else f"host-{number % 3}",
            key_name=None,
        )

    def _update(self, uuid, assignments):
        self._top.execute(f"UPDATE server SET {assignments} WHERE uuid = %s", (uuid,))


@pytest.fixture
def zones(top):
    a_zone(top, 2)
    a_zone(top, 9, kind="api")


@given(order=ORDERS, limit=st.integers(1, 5), between=st.lists(CHANGES, min_size=SERVERS, max_size=SERVERS))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_server_that_was_there_all_the_time_is_skipped_or_repeated(api, top, zones, order, limit, between):
    population = Population(top)
    found, path = [], f"/v2.1/servers?{order}&limit={limit}"
    while path:
        body = api.get(path, 104)
        found += [server["id"] for server in body["servers"]]
        links = body.get("servers_links")
        path = links and links[0]["href"].removeprefix("http://falconframework.org")
        for change, number in between.pop() if between else ():
            population.change(change, number, found[-1])

    stayed = [uuid for uuid in found if uuid in population.kept]
    assert sorted(stayed) == sorted(population.kept)
