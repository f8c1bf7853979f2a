# SPDX-License-Identifier: Apache-2.0
"""Walking all pages while rows come, change and go: who was there all the time is seen exactly once."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.store.builders import START, a_server, uuid_of

LASTING = range(1, 13)
ORDERS = [
    "",
    "&sort_key=display_name&sort_dir=asc",
    "&sort_key=vm_state&sort_key=created_at",
    "&sort_key=host",
]

changes = st.lists(
    st.tuples(st.sampled_from(["add", "delete", "remove", "touch"]), st.integers(0, 20)), max_size=3
)


def change(top, what, number):
    """One change of Nova's between two pages, never of what a lasting server is sorted by."""
    if what == "add":
        at = START + timedelta(minutes=number, seconds=30)
        a_server(top, created_at=at, display_name=f"vm-{number}", host=f"compute-{number % 3}")
    elif what == "delete":
        top.execute(
            "UPDATE server SET deleted = true, updated_at = now() WHERE source_id > 1000 AND source_id %% 5 = %s",
            (number % 5,),
        )
    elif what == "remove":  # archived: the row is gone
        top.execute("DELETE FROM server WHERE source_id > 1000 AND source_id %% 7 = %s", (number % 7,))
    else:
        top.execute("UPDATE server SET updated_at = now(), task_state = %s", (f"task-{number}",))


@pytest.mark.parametrize("order", ORDERS)
@given(steps=st.lists(changes, min_size=5, max_size=5), size=st.integers(2, 5))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_walk_sees_each_lasting_server_once(api, top, order, steps, size):
    top.execute("TRUNCATE server")
    for number in LASTING:
        a_server(top, number, host=f"compute-{number % 3}", vm_state=["active", "error", None][number % 3])
    seen, page = [], api.get(f"/v2.1/servers?limit={size}{order}")
    for step in [*steps, *[()] * 20]:
        seen += [server["id"] for server in page["servers"]]
        if "servers_links" not in page:
            break
        for what, number in step:
            change(top, what, number)
        link = urlsplit(page["servers_links"][0]["href"])
        answer = api.ask(f"{link.path}?{link.query}")
        if (
            answer.status_code == 400
        ):  # the last server of the page was archived meanwhile, as Nova answers then
            assert "marker" in answer.text
            return
        page = answer.json

    lasting = [uuid for uuid in seen if uuid in {uuid_of(number) for number in LASTING}]
    assert sorted(lasting) == sorted(uuid_of(number) for number in LASTING)
    assert len(seen) == len(set(seen))
