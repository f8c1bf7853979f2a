# SPDX-License-Identifier: Apache-2.0
"""Who may see what, by tokens of a real Keystone: roles, projects, scopes, bad tokens, Keystone or its cache gone."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.api.keystone_client import TokenClient
from tests.servers import wait_until
from tests.store.builders import a_server

LIST = "/v2.1/servers"


@pytest.fixture
def projects(top, keystone):
    """A server of each project."""
    a_server(top, 1, display_name="of-alpha", project_id=keystone.project_ids["alpha"])
    a_server(top, 2, display_name="of-beta", project_id=keystone.project_ids["beta"])


@pytest.fixture
def cloud(keystone, memcached, pool, projects, tmp_path):
    return TokenClient(keystone, pool, tmp_path, memcached=memcached.address)


@pytest.mark.parametrize("user", ["reader", "member", "manager", "admin"])
@pytest.mark.parametrize("project", ["alpha", "beta"])
def test_everybody_lists_the_project_of_the_token(cloud, user, project):
    assert cloud.names(LIST, user, project) == {f"of-{project}"}


@pytest.mark.parametrize("user", ["reader", "member", "manager"])
@pytest.mark.parametrize(("view", "rule"), [("", "index"), ("/detail", "detail")])
def test_all_projects_are_for_administrators(cloud, user, view, rule):
    assert cloud.refusal(f"{LIST}{view}?all_tenants=1", user, "alpha") == (
        403,
        f"Policy doesn't allow os_compute_api:servers:{rule}:get_all_tenants to be performed.",
    )
    assert cloud.names(f"{LIST}{view}?all_tenants=1", "admin", "alpha") == {"of-alpha", "of-beta"}


def test_the_operators_policy_changes_the_answer(keystone, pool, projects, tmp_path):
    """A file with Nova's names, found beside treetop.conf; what it does not name stays as it was."""
    (tmp_path / "policy.yaml").write_text(
        '"os_compute_api:servers:detail:get_all_tenants": "role:reader"\n'
        '"os_compute_api:os-extended-server-attributes": "role:member and project_id:%(project_id)s"\n'
        '"os_compute_api:servers:allow_all_filters": "role:member"\n'
    )
    cloud = TokenClient(keystone, pool, tmp_path)

    assert cloud.names(f"{LIST}/detail?all_tenants=1", "reader", "alpha") == {"of-alpha", "of-beta"}
    assert cloud.refusal(f"{LIST}?all_tenants=1", "reader", "alpha")[0] == 403
    shown = {
        user: cloud.ask(f"{LIST}/detail", user, "alpha").json["servers"][0] for user in ("reader", "member")
    }
    assert shown["member"].keys() - shown["reader"].keys() >= {"OS-EXT-SRV-ATTR:host"}
    assert cloud.names(f"{LIST}?host=nowhere", "reader", "alpha") == {"of-alpha"}  # ignored
    assert cloud.names(f"{LIST}?host=nowhere", "member", "alpha") == set()
    assert cloud.refusal(f"{LIST}?sort_key=host", "member", "alpha")[0] == 403  # by who is an administrator


def test_hosts_are_shown_to_administrators_alone(cloud):
    shown = {
        user: json.loads(cloud.ask(f"{LIST}/detail", user, "alpha").content)["servers"][0].keys()
        for user in ("reader", "admin")
    }

    assert shown["admin"] - shown["reader"] >= {"OS-EXT-SRV-ATTR:host", "OS-EXT-SRV-ATTR:instance_name"}


def test_the_server_of_another_project_does_not_exist_for_a_member(cloud, top):
    (uuid,) = top.execute("SELECT uuid::text FROM server WHERE display_name = 'of-beta'").fetchone()

    assert cloud.ask(f"{LIST}/{uuid}", "member", "alpha").status_code == 404
    assert cloud.ask(f"{LIST}/{uuid}", "admin", "alpha").status_code == 200


def test_a_url_of_another_project_is_refused(cloud, keystone):
    alpha, beta = keystone.project_ids["alpha"], keystone.project_ids["beta"]

    assert cloud.ask(f"/v2.1/{alpha}/servers", "reader", "alpha").status_code == 200
    assert cloud.refusal(f"/v2.1/{beta}/servers", "reader", "alpha") == (
        400,
        f"Malformed request URL: URL's project_id '{beta}' doesn't match Context's project_id '{alpha}'",
    )


@pytest.mark.parametrize(
    "scope",
    [{"system": {"all": True}}, {"domain": {"id": "default"}}, None],
    ids=["system", "domain", "unscoped"],
)
def test_a_token_that_is_not_for_a_project_lists_nothing(cloud, keystone, scope):
    """Nova's rules are for project tokens: not even an administrator of the system lists servers."""
    token = keystone.new_token("admin", scope=scope)

    assert cloud.ask(LIST, token=token).status_code == 403


@pytest.mark.parametrize(
    "token", [None, " ", "garbage", "gAAAAABgarbage", "ä" * 300, "a\rb", "\0", "a" * 200_000]
)
def test_without_a_good_token_it_says_where_to_get_one(cloud, keystone, token):
    answer = cloud.ask(LIST, headers={} if token is None else {"X-Auth-Token": token})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == f'Keystone uri="{keystone.url}"'
    assert answer.json["error"]["message"] == "The request you have made requires authentication."
    assert answer.headers["x-openstack-request-id"] == answer.headers["x-compute-request-id"]
    assert "OpenStack-API-Version" not in answer.headers


def test_who_has_no_token_hears_of_that_and_nothing_else(cloud):
    """As in Nova, where tokens are checked around the API: not what a path, a version or a parameter lacks."""
    for path in ("/v2.1/nowhere", "/v2.1/servers?limit=x", "/v1/zones"):
        assert cloud.ask(path, headers={"OpenStack-API-Version": "compute 9.9"}).status_code == 401


def test_headers_of_a_client_are_not_taken_for_those_of_keystone(cloud, keystone):
    forged = {
        "X-Identity-Status": "Confirmed",
        "X-User-Id": keystone.user_ids["admin"],
        "X-Project-Id": keystone.project_ids["beta"],
        "X-Roles": "admin",
        "OpenStack-System-Scope": "all",
    }

    assert cloud.ask(LIST, headers=forged).status_code == 401
    answer = cloud.ask(LIST, "reader", "alpha", headers=forged)
    assert [server["name"] for server in answer.json["servers"]] == ["of-alpha"]


def test_a_token_that_was_taken_back_is_refused(keystone, pool, projects, tmp_path):
    """Once it is no longer in the cache, so this API has none."""
    cloud = TokenClient(keystone, pool, tmp_path, options="token_cache_time = -1\n")
    token = keystone.new_token("reader", "alpha")
    assert cloud.ask(LIST, token=token).status_code == 200

    keystone.revoke(token)

    wait_until("the token is refused", lambda: cloud.ask(LIST, token=token).status_code == 401)


def test_an_expired_token_is_refused_though_it_is_cached(cloud, keystone):
    token = keystone.application_token("reader", "alpha", seconds=3)
    assert cloud.ask(LIST, token=token).status_code == 200

    wait_until("the token is refused", lambda: cloud.ask(LIST, token=token).status_code == 401)


def test_the_rules_of_an_application_credential_hold(cloud, keystone):
    keystone.register_service("compute", "http://127.0.0.1:1/v2.1")
    rule = {"service": "compute", "method": "GET", "path": LIST}
    token = keystone.application_token("reader", "alpha", access_rules=[rule])

    assert cloud.ask(LIST, token=token).status_code == 200
    assert cloud.ask("/v2.1/flavors", token=token).status_code == 401


@pytest.mark.parametrize("path", ["/", "/v2.1", "/v2.1/", "/healthcheck", "/openapi.json"])
def test_what_is_public_needs_no_token(cloud, path):
    assert cloud.ask(path).status_code == 200


def test_a_path_without_a_version_needs_no_token(cloud):
    assert cloud.ask("/nowhere").status_code == 300


def test_a_validated_token_is_kept_in_memcached(cloud, keystone, memcached):
    before = memcached.items()
    token = keystone.new_token("reader", "alpha")
    assert cloud.ask(LIST, token=token).status_code == 200
    assert memcached.items() == before + 1

    keystone.stop()
    try:
        assert cloud.ask(LIST, token=token).status_code == 200
    finally:
        keystone.start()


def test_while_keystone_is_down_answers_are_503_and_come_back(cloud, keystone):
    token = keystone.new_token("reader", "beta")
    keystone.stop()
    try:
        answer = cloud.ask(LIST, token=token)
        assert answer.status_code == 503
        assert "Keystone" in answer.json["serviceUnavailable"]["message"]
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.headers["x-openstack-request-id"].startswith("req-")
        assert cloud.ask("/healthcheck").status_code == 200
        assert cloud.ask(LIST).status_code == 401
    finally:
        keystone.start()

    assert cloud.ask(LIST, token=token).status_code == 200


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # python-memcached's own socket
def test_without_its_memcached_the_api_asks_keystone(cloud, keystone, memcached):
    memcached.stop()
    try:
        assert cloud.names(LIST, "member", "beta") == {"of-beta"}
    finally:
        memcached.start()


def test_many_at_once_see_what_is_theirs(cloud, keystone):
    asked = [("reader", "alpha"), ("member", "beta"), ("admin", "alpha"), ("reader", "beta")] * 10
    for user, project in asked[:4]:
        keystone.token(user, project)

    with ThreadPoolExecutor(8) as threads:
        seen = list(threads.map(lambda who: cloud.names(LIST, *who), asked))

    assert seen == [{f"of-{project}"} for _, project in asked]
