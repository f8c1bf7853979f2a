# SPDX-License-Identifier: Apache-2.0
"""What stands around the API behind Keystone: proxies, browsers, bodies, health, options, and faults of libraries."""

import falcon.testing
import pytest

from tests.api.keystone_client import TokenClient
from treetop.api.deploy import deploy
from treetop.api.envelope import Envelope
from treetop.api.token_gate import PUBLIC_PATHS
from treetop.config import load_settings

PROXIED = {
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "cloud.example.org",
    "X-Forwarded-For": "192.0.2.9",
}
ORIGIN = "https://dashboard.example.org"


@pytest.fixture
def cloud(keystone, pool, top, tmp_path):
    """Return `make(options)` -> a client of the API deployed with these lines more."""
    return lambda options="": TokenClient(keystone, pool, tmp_path, options=options)


def self_link(answer):
    return next(link["href"] for link in answer.json["version"]["links"] if link["rel"] == "self")


@pytest.mark.parametrize(
    ("headers", "base"),
    [
        (PROXIED, "https://cloud.example.org"),
        ({"Forwarded": "for=192.0.2.9;proto=https;host=cloud.example.org"}, "https://cloud.example.org"),
        (PROXIED | {"X-Forwarded-Prefix": "/compute"}, "https://cloud.example.org/compute"),
    ],
)
def test_behind_a_proxy_links_are_as_the_client_came(cloud, headers, base):
    client = cloud("[oslo_middleware]\nenable_proxy_headers_parsing = true\n")

    assert self_link(client.ask("/v2.1", headers=headers)) == f"{base}/v2.1/"


def test_headers_of_proxies_are_not_believed_unless_there_is_one(cloud):
    assert "cloud.example.org" not in self_link(cloud().ask("/v2.1", headers=PROXIED))


def test_a_public_url_is_what_links_begin_with(cloud, monkeypatch):
    monkeypatch.setenv("OS_API__PUBLIC_URL", "https://cloud.example.org/compute/")

    assert self_link(cloud().ask("/v2.1")) == "https://cloud.example.org/compute/v2.1/"


def test_a_browser_of_an_allowed_page_can_read_that_it_has_no_token(cloud):
    client = cloud(f"[cors]\nallowed_origin = {ORIGIN}\n")

    answer = client.ask("/v2.1/servers", headers={"Origin": ORIGIN})

    assert answer.status_code == 401
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "OpenStack-API-Version" in answer.headers["Access-Control-Expose-Headers"]


def test_a_browser_of_any_other_page_may_not(cloud):
    client = cloud(f"[cors]\nallowed_origin = {ORIGIN}\n")

    answer = client.ask("/v2.1", headers={"Origin": "https://elsewhere.example.org"})

    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_body_that_is_too_large_is_refused_before_the_token_is_looked_at(cloud):
    answer = cloud().ask("/v2.1/servers", method="POST", token="garbage", body=b"x" * 200_000)

    assert answer.status_code == 413
    assert answer.headers["x-openstack-request-id"].startswith("req-")


def test_a_body_of_a_read_is_ignored(cloud):
    client = cloud()

    for body in (b"{", b"\xff" * 1000, b"x" * 100_000):
        answer = client.ask("/v2.1/servers", "reader", "alpha", body=body)
        assert (answer.status_code, answer.json) == (200, {"servers": []})


def test_a_node_can_be_taken_out_of_service_by_a_file(cloud, tmp_path):
    file = tmp_path / "maintenance"
    client = cloud(f"[healthcheck]\nbackends = disable_by_file\ndisable_by_file_path = {file}\n")

    assert client.ask("/healthcheck").status_code == 200
    file.touch()
    assert client.ask("/healthcheck").status_code == 503


def test_every_answer_says_by_what_it_was_chosen(cloud):
    """Caches between here and the client must keep versions apart."""
    answer = cloud().ask("/v2.1/servers", "reader", "alpha")

    assert "OpenStack-API-Version" in answer.headers["Vary"]
    assert answer.headers["OpenStack-API-Version"] == "compute 2.100"


def test_only_public_resources_are_reached_without_a_token(keystone, pool, tmp_path):
    """What the gate lets through is exactly what needs no caller."""
    client = TokenClient(keystone, pool, tmp_path)

    for path in PUBLIC_PATHS:
        assert client.ask(path).status_code == 200
        assert client.ask(f"{path}/x").status_code == 401


def test_delaying_the_decision_lets_nobody_in(cloud, keystone):
    client = cloud("delay_auth_decision = true\n")

    answer = client.ask("/v2.1/servers")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == f'Keystone uri="{keystone.url}"'
    assert client.ask("/v2.1/servers", token="garbage").status_code == 401
    assert client.ask("/v2.1/servers", "reader", "alpha").status_code == 200


def test_if_keystone_refuses_our_own_user_the_answer_is_503(keystone, pool, tmp_path):
    wrong = keystone.authtoken_options().replace("username = treetop", "username = nobody")
    (tmp_path / "treetop.conf").write_text(f"[api]\nauth_strategy = keystone\n{wrong}")
    gate = falcon.testing.TestClient(
        deploy(pool, load_settings([str(tmp_path / "treetop.conf")]), None).application
    )

    answer = gate.simulate_get("/v2.1/servers", headers={"X-Auth-Token": keystone.token("reader", "alpha")})

    assert answer.status_code == 503
    assert "nobody" not in answer.text


def test_no_fault_of_a_library_reaches_a_client(caplog):
    def broken(_environ, _start_response):
        raise RuntimeError("secret inside")

    answer = falcon.testing.TestClient(Envelope(broken)).simulate_get("/v2.1/servers")

    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.headers["x-compute-request-id"] in answer.text
    assert caplog.records[-1].request_id == answer.headers["x-compute-request-id"]
