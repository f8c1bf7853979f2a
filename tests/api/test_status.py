# SPDX-License-Identifier: Apache-2.0
"""Version documents, health and zones; and what a caller learns of a failure inside."""

import logging

import falcon.testing
import pytest

from tests.api.conftest import Client
from tests.servers import wait_until
from tests.store.builders import OTHER_PROJECT, a_server, a_zone
from treetop.api.app import make_app
from treetop.api.auth import check_exposure
from treetop.api.options import ApiOptions
from treetop.errors import Refuse
from treetop.store.migrate import sync_schema
from treetop.store.pool import open_pool


def test_the_version_document_is_where_clients_look(api):
    for path in ("/v2.1", "/v2.1/"):
        version = api.get(path, None)["version"]
        assert version["id"] == "v2.1"
        assert (version["min_version"], version["version"]) == ("2.1", "2.104")
        assert version["links"][0] == {"rel": "self", "href": "http://falconframework.org/v2.1/"}
        assert version["media-types"][0]["base"] == "application/json"


def test_the_root_lists_the_version(api):
    (version,) = api.get("/", None)["versions"]

    assert version["status"] == "CURRENT"
    assert version["links"] == [{"rel": "self", "href": "http://falconframework.org/v2.1/"}]


def test_links_begin_with_the_public_url_where_one_is_set(pool, top):
    a_server(top, 1)
    api = Client(pool, public_url="https://cloud.example.org:8774/")

    (server,) = api.get("/v2.1/servers?limit=1")["servers"]

    assert server["links"][0]["href"].startswith("https://cloud.example.org:8774/v2.1/servers/")
    assert api.get("/v2.1", None)["version"]["links"][0]["href"] == "https://cloud.example.org:8774/v2.1/"


def test_a_hostile_host_header_stays_inside_its_text(api, top):
    a_server(top, 1)

    answer = api.ask("/v2.1/servers?limit=1", headers={"Host": 'x"},{"a":"'})

    assert len(answer.json["servers"]) == 1


def test_every_answer_has_one_request_id_in_both_headers(api):
    answers = [api.ask(path) for path in ("/", "/v2.1/servers", "/v2.1/servers?limit=x", "/healthcheck")]

    ids = {answer.headers["x-openstack-request-id"] for answer in answers}
    assert ids == {answer.headers["x-compute-request-id"] for answer in answers}
    assert len(ids) == len(answers)
    assert all(len(request_id) == 40 and request_id.startswith("req-") for request_id in ids)


def test_zones_are_shown_without_their_urls(api, top):
    a_zone(top, 2, trust="servers", state="stopped", lag_seconds=50)
    a_server(top, 1)
    a_server(top, 2, deleted=True)
    a_server(top, 3, project_id=OTHER_PROJECT)
    top.execute("UPDATE zone_position SET transactions = 7 WHERE zone_id = 1")

    first, second = api.get("/v1/zones", None)["zones"]

    assert first | {"since": 0, "as_of": 0, "lag_seconds": 0} == {
        "name": "cell1",
        "region": "lab",
        "trust": "full",
        "state": "live",
        "since": 0,
        "as_of": 0,
        "lag_seconds": 0,
        "servers": 2,
        "transactions": 7,
        "reason": None,
        "hint": None,
    }
    assert (second["state"], second["reason"], second["hint"]) == ("stopped", "broken", "mend it")
    assert second["lag_seconds"] >= 50
    assert "postgresql" not in str([first, second])


@pytest.fixture
def api_without_top():
    pool = open_pool("host=127.0.0.1 port=1 user=u password=s3cret", size=1, statement_timeout_seconds=1)
    yield Client(pool)
    pool.close()


def test_without_the_top_lists_are_503_and_the_process_is_healthy(api_without_top):
    answer = api_without_top.ask("/v2.1/servers")

    assert answer.status_code == 503
    assert "serviceUnavailable" in answer.json
    assert answer.headers["Retry-After"]
    assert "s3cret" not in answer.text
    assert api_without_top.ask("/healthcheck").text == "OK"
    assert api_without_top.ask("/v2.1", None).status_code == 200


def test_the_log_says_why_under_the_ids_that_both_sides_know(api_without_top, caplog):
    sent = "req-12345678-1234-1234-1234-123456789abc"

    answer = api_without_top.ask("/v2.1/servers", headers={"X-OpenStack-Request-ID": sent})

    (record,) = [record for record in caplog.records if record.name == "treetop.api.faults"]
    assert record.request_id == answer.headers["x-openstack-request-id"]
    assert record.global_request_id == sent
    assert "does not answer" in record.reason


def test_what_a_person_has_to_mend_is_told_in_the_log_alone(top_server, caplog):
    pool = open_pool(
        top_server.conninfo("postgres"), size=1, statement_timeout_seconds=1
    )  # without our tables
    try:
        status, _, message = Client(pool).refusal("/v2.1/servers")
    finally:
        pool.close()

    assert (status, message[:27]) == (503, "The top cannot be read. The")
    assert "relation" not in message
    assert any('relation "zone" does not exist' in str(vars(record)) for record in caplog.records)


def test_when_the_top_comes_back_so_do_the_lists(own_postgres):
    server = own_postgres()
    sync_schema(server.conninfo("postgres"))
    pool = open_pool(server.conninfo("postgres"), size=2, statement_timeout_seconds=1)
    try:
        api = Client(pool)
        assert api.get("/v2.1/servers") == {"servers": []}

        server.stop()
        assert api.refusal("/v2.1/servers")[0] == 503

        server.start()
        wait_until(
            "lists are answered again", lambda: api.ask("/v2.1/servers").status_code == 200, seconds=30
        )
    finally:
        pool.close()


def test_load_balancers_may_ask_for_the_head_only(api):
    assert api.ask("/healthcheck", method="HEAD").status_code == 200


def test_a_top_without_our_tables_is_503(top_dsn):
    pool = open_pool(top_dsn, size=1, statement_timeout_seconds=1)
    try:
        assert Client(pool).refusal("/v2.1/servers")[0] == 503
    finally:
        pool.close()


def test_a_failure_inside_is_told_to_the_log_and_not_to_the_caller(pool, caplog):
    def broken(_request, _project):
        raise RuntimeError("secret of the house")

    app = make_app(pool, authenticator=broken, options=ApiOptions())

    with caplog.at_level(logging.ERROR, logger="treetop.api.faults"):
        answer = falcon.testing.TestClient(app).simulate_get("/v2.1/servers")

    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    request_id = answer.headers["x-openstack-request-id"]
    assert request_id in answer.json["computeFault"]["message"]
    (record,) = caplog.records
    assert record.request_id == request_id
    assert record.exc_info is not None


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.1.2.3"])
def test_without_authentication_this_machine_may_be_served(host):
    check_exposure("noauth", host, allow_insecure=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "cloud.example.org", ""])
def test_without_authentication_the_network_is_not_served_unless_meant(host):
    with pytest.raises(Refuse) as caught:
        check_exposure("noauth", host, allow_insecure=False)
    assert "127.0.0.1" in str(caught.value.hint)

    check_exposure("noauth", host, allow_insecure=True)


def test_a_project_header_that_is_no_project_is_refused(api):
    assert api.refusal("/v2.1/servers", headers={"X-Project-Id": "a b"})[0] == 400


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "cloud.example.org"])
def test_behind_keystone_the_network_may_be_served(host):
    check_exposure("keystone", host, allow_insecure=False)
