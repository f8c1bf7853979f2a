# SPDX-License-Identifier: Apache-2.0
"""In front of Nova with Keystone: a bad token ends here, a good one goes along, and Nova makes of it what it will."""

import pytest

from tests.api.keystone_client import TokenClient
from tests.api.passing import a_proxy


@pytest.fixture
def cloud(keystone, memcached, pool, top, tmp_path, nova, api_dsn):
    proxy = a_proxy(api_dsn, nova.url)
    yield TokenClient(keystone, pool, tmp_path, memcached=memcached.address, proxy=proxy)
    proxy.close()


@pytest.mark.parametrize("token", [None, "nonsense"])
def test_without_a_good_token_nothing_reaches_nova(cloud, nova, token):
    answer = cloud.ask("/v2.1/servers", token=token, method="POST", body="{}")

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Keystone")
    assert nova.received == []


def test_a_good_token_goes_along_and_what_was_made_of_it_does_not(cloud, keystone, nova):
    answer = cloud.ask(
        "/v2.1/servers", "reader", "alpha", method="POST", body="{}", headers={"X-Roles": "admin"}
    )

    assert answer.status_code == 202
    (received,) = nova.received
    assert received.header("X-Auth-Token") == [keystone.token("reader", "alpha")]
    for name in ("X-Roles", "X-Project-Id", "X-User-Id", "X-Identity-Status", "X-Service-Catalog"):
        assert received.header(name) == []


def test_a_caller_is_a_user_in_a_project_whatever_its_token(cloud, keystone, top):
    def write(token):
        assert cloud.ask("/v2.1/servers", token=token, method="POST", body="{}").status_code == 202
        return {bytes(caller) for (caller,) in top.execute("SELECT caller FROM write_mark")}

    mine = write(keystone.token("reader", "alpha"))

    assert len(mine) == 1
    assert write(keystone.new_token("reader", "alpha")) == mine  # each command of the client fetches one
    assert len(write(keystone.token("admin", "alpha"))) == 2
