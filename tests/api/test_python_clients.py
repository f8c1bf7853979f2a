# SPDX-License-Identifier: Apache-2.0
"""How programs page through servers: openstacksdk by links, python-novaclient by markers, Horizon forth and back."""

from itertools import pairwise

import openstack
import pytest
from keystoneauth1 import noauth as without_keystone
from keystoneauth1.session import Session
from novaclient import client as novaclient

from tests.api.conftest import serving
from tests.store.builders import a_server, a_zone
from treetop.api.app import make_app
from treetop.api.auth import noauth
from treetop.api.options import ApiOptions

MANY = 5_000
PAGE = 5
#: What the clients' libraries say about themselves.
pytestmark = pytest.mark.filterwarnings("ignore::Warning")


@pytest.fixture
def endpoint(pool, top):
    a_zone(top, 2)
    with serving(make_app(pool, authenticator=noauth, options=ApiOptions())) as port:
        yield f"http://127.0.0.1:{port}/v2.1"


@pytest.fixture
def sdk(endpoint):
    connection = openstack.connect(auth_type="none", endpoint=endpoint)
    yield connection
    connection.close()


@pytest.fixture
def nova(endpoint):
    return novaclient.Client("2.90", session=Session(auth=without_keystone.NoAuth(endpoint=endpoint)))


def test_the_sdk_follows_the_links_through_5000_servers(sdk, top):
    top.execute(
        """
        INSERT INTO server (zone_id, uuid, source_id, created_at, deleted, project_id, display_name, vm_state)
        SELECT 1 + n %% 2, md5(n::text)::uuid, n, timestamp '2026-01-01' + n / 10 * interval '1 s', false, 'demo',
               'server-' || n, 'active'
        FROM generate_series(1, %s) AS n
        """,
        (MANY,),
    )

    found = [server.name for server in sdk.compute.servers(details=False)]

    assert len(found) == MANY
    assert len(set(found)) == MANY


def test_novaclient_asks_with_markers_until_a_page_is_empty(nova, top):
    for number in range(1, 8):
        a_server(top, number, zone_id=1 + number % 2, project_id="demo")

    assert [server.name for server in nova.servers.list(limit=-1)] == [
        f"vm-{number}" for number in range(7, 0, -1)
    ]
    assert [server.name for server in nova.servers.list(limit=3)] == ["vm-7", "vm-6", "vm-5"]


def test_horizon_turns_pages_forth_and_back(nova, top):
    """Equal times and names, a marker that is deleted in between: the uuid decides, either way."""
    uuids = [
        a_server(
            top, zone_id=1 + number % 2, project_id="demo", display_name=f"vm-{number // 4}", created_at=at
        )
        for number, at in enumerate(["2026-01-01 12:00:00"] * 9 + ["2026-01-02 12:00:00"] * 8)
    ]
    pages = [horizon_page(nova)]
    while len(pages[-1]) == PAGE:
        pages.append(horizon_page(nova, marker=pages[-1][-1]))

    assert sorted(uuid for page in pages for uuid in page) == sorted(uuids)
    for earlier, later in reversed(list(pairwise(pages))):
        assert horizon_page(nova, marker=later[0], sort_dir="asc")[::-1] == earlier

    top.execute("UPDATE server SET deleted = true WHERE uuid = %s", (pages[0][-1],))
    assert horizon_page(nova, marker=pages[0][-1]) == pages[1]


def horizon_page(nova, *, marker=None, sort_dir="desc"):
    """The uuids of one page, asked for as Horizon's api/nova.py (`server_list_paged`) asks: with one row more."""
    options = {"project_id": "demo"} | ({"marker": marker} if marker else {})
    servers = nova.servers.list(
        True,
        options,
        limit=PAGE + 1,
        sort_keys=["created_at", "display_name", "uuid"],
        sort_dirs=[sort_dir] * 3,
    )
    return [server.id for server in servers][:PAGE]
