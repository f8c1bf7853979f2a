# SPDX-License-Identifier: Apache-2.0
"""Freshness as a contract: what is answered is as fresh as the request demanded, or it is refused."""

import re
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import falcon
import falcon.testing
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.api.conftest import Client
from tests.store.builders import a_server, a_zone
from treetop.api.app import make_app
from treetop.api.auth import noauth
from treetop.api.freshness_demand import Demand, demanded_seconds, zones_behind
from treetop.api.options import ApiOptions
from treetop.model.zone import Freshness, Trust, ZoneId, ZoneKind, ZoneName, ZoneState
from treetop.store.freshness import ZoneView, read_zones
from treetop.store.pool import reading

LISTS = ["/v2.1/servers", "/v2.1/servers/detail"]


@contextmanager
def beating(dsn):
    """Move every zone's instant to the present again and again, as workers of idle zones do."""
    stop = threading.Event()

    def beat():
        with psycopg.connect(dsn, autocommit=True) as connection:
            while not stop.is_set():
                connection.execute("UPDATE zone_position SET as_of = clock_timestamp()")
                stop.wait(0.02)

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("demand", [{"Cache-Control": "max-age=50"}, {"Treetop-Max-Lag": "49.5"}])
def test_zones_that_are_fresh_enough_are_answered(api, top, path, demand):
    a_zone(top, 2, lag_seconds=20)

    answer = api.ask(path, headers=demand)

    assert answer.status_code == 200
    assert 19 < float(answer.headers["Treetop-Max-Lag"]) < 49


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("demand", [{"Cache-Control": "max-age=5"}, {"Treetop-Max-Lag": "5"}])
def test_zones_that_stay_behind_are_named_in_a_503(pool, top, path, demand):
    a_zone(top, 2, lag_seconds=100)
    a_zone(top, 3, state="new", lag_seconds=None)

    answer = Client(pool, freshness_wait_seconds=0.1).ask(path, headers=demand)

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    fault = answer.json["serviceUnavailable"]
    assert fault["code"] == 503
    assert re.search(r"cell2 is 1\d\d\.\d s behind \(live\)", fault["message"])
    assert "behind): cell3 was never loaded (new), cell2" in fault["message"]  # first what no wait helps
    assert "cell1" not in fault["message"]


def test_a_zone_that_catches_up_is_waited_for(pool, top, api_dsn):
    a_server(top, 1)
    top.execute("UPDATE zone_position SET as_of = now() - interval '1 hour'")
    with beating(api_dsn):
        answer = Client(pool, freshness_wait_seconds=30).ask(
            "/v2.1/servers", headers={"Treetop-Max-Lag": "1"}
        )

    assert answer.status_code == 200
    assert float(answer.headers["Treetop-Max-Lag"]) <= 1
    assert [server["name"] for server in answer.json["servers"]] == ["vm-1"]


def test_no_age_at_all_means_everything_before_the_request(pool, top, api_dsn):
    asked_at = datetime.now(UTC)
    with beating(api_dsn):
        answer = Client(pool, freshness_wait_seconds=30).ask(
            "/v2.1/servers", headers={"Cache-Control": "max-age=0"}
        )

    assert answer.status_code == 200
    assert datetime.fromisoformat(answer.headers["Treetop-As-Of"]) >= asked_at - timedelta(milliseconds=1)


def test_a_zone_that_nobody_reads_is_not_waited_for(pool, top):
    a_zone(top, 2, state="stopped", lag_seconds=100)
    began_at = datetime.now(UTC)

    answer = Client(pool, freshness_wait_seconds=60).ask("/v2.1/servers", headers={"Treetop-Max-Lag": "5"})

    assert answer.status_code == 503
    assert re.search(r"cell2 is 1\d\d\.\d s behind \(stopped\)", answer.text)
    assert int(answer.headers["Retry-After"]) == 10
    assert datetime.now(UTC) - began_at < timedelta(seconds=30)


def test_a_single_server_needs_its_own_zone_alone(pool, top):
    client = Client(pool, freshness_wait_seconds=0)
    a_zone(top, 2, lag_seconds=100)
    fresh, old = a_server(top, 1, zone_id=1), a_server(top, 2, zone_id=2)
    demand = {"Treetop-Max-Lag": "20"}

    assert client.ask(f"/v2.1/servers/{fresh}", headers=demand).status_code == 200
    assert client.ask(f"/v2.1/servers/{old}", headers=demand).status_code == 503
    assert client.ask("/v2.1/servers/nothing", headers=demand).status_code == 503


def test_the_smaller_of_both_demands_holds(pool, top):
    top.execute("UPDATE zone_position SET as_of = now() - interval '20 seconds'")
    client = Client(pool, freshness_wait_seconds=0)

    for cache_control, max_lag, status in (("max-age=60", "60", 200), ("max-age=60", "5", 503)):
        headers = {"Cache-Control": cache_control, "Treetop-Max-Lag": max_lag}
        assert client.ask("/v2.1/servers", headers=headers).status_code == status


@pytest.mark.parametrize("value", ["", "soon", "-1", "1e3", "nan", "1,5", "1, 2", "1" * 400, "0x5", "٣"])
def test_a_lag_that_is_no_number_is_refused(api, value):
    status, name, message = api.refusal("/v2.1/servers", headers={"Treetop-Max-Lag": value})

    assert (status, name) == (400, "badRequest")
    assert message.startswith("Treetop-Max-Lag must be a number of seconds such as 5 or 0.5")


@pytest.mark.parametrize("value", ["max-age", "max-age=", "max-age=0.5", "no-cache, max-age=x", 'max-age="'])
def test_an_age_that_is_no_number_is_refused(api, value):
    status, _, message = api.refusal("/v2.1/servers", headers={"Cache-Control": value})

    assert status == 400
    assert message.startswith("Cache-Control: max-age must be a whole number of seconds")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("no-cache", None),
        ("max-stale=5, only-if-cached, =, ,x=max-age=7", None),
        ("no-cache, MAX-AGE = 7", 7),
        ('max-age="8"', 8),
        ("max-age=9, max-age=3", 3),
    ],
)
def test_directives_that_mean_nothing_here_are_passed_over(value, seconds):
    assert demanded_seconds(value, None) == seconds


def test_pages_about_zones_are_answered_however_old(pool, top):
    a_zone(top, 2, lag_seconds=100)
    client = Client(pool, freshness_wait_seconds=0)

    for path in ("/v1/zones", "/healthcheck", "/v2.1"):
        assert client.ask(path, headers={"Cache-Control": "max-age=0"}).status_code == 200


def test_an_answer_that_drew_on_more_than_was_waited_for_is_refused(pool, top):
    a_zone(top, 2, lag_seconds=100)
    uuid = a_server(top, 1, zone_id=1)

    class Greedy:
        def on_get(self, request, response, server_id):
            with reading(pool) as connection:
                request.context.zones = read_zones(connection)
            response.text = "rows of all zones"

    app = make_app(pool, authenticator=noauth, options=ApiOptions())
    app.add_route("/v1/greedy/{server_id}", Greedy())
    answer = falcon.testing.simulate_get(app, f"/v1/greedy/{uuid}", headers={"Treetop-Max-Lag": "50"})

    assert answer.status_code == 503
    assert "cell2" in answer.text
    assert "rows" not in answer.text


def test_what_was_kept_for_others_is_not_answered_to_a_demand(api, top):
    a_server(top, 1, flavor_id="old", flavor_name="old")
    assert [flavor["id"] for flavor in api.get("/v2.1/flavors")["flavors"]] == ["old"]
    a_server(top, 2, flavor_id="new", flavor_name="new")

    shown = api.get("/v2.1/flavors", headers={"Treetop-Max-Lag": "60"})["flavors"]

    assert {flavor["id"] for flavor in shown} == {"old", "new"}


def test_few_requests_wait_at_the_same_time(pool, top):
    """One seat, taken by a request that waits long: the next one is refused at once."""
    top.execute("UPDATE zone_position SET as_of = now() - interval '1 hour'")
    client = Client(pool, freshness_wait_seconds=60, waiting_requests_max=1)
    demand = {"Treetop-Max-Lag": "5"}
    answers = []
    first = [threading.Thread(target=lambda: answers.append(client.ask("/v2.1/servers", headers=demand)))]
    first.append(threading.Thread(target=lambda: answers.append(client.ask("/v2.1/servers", headers=demand))))
    for thread in first:
        thread.start()

    while not answers:
        assert any(thread.is_alive() for thread in first)
        for thread in first:
            thread.join(0.01)
    top.execute("UPDATE zone_position SET as_of = now() + interval '1 hour'")
    for thread in first:
        thread.join()

    assert [answer.status_code for answer in answers] == [503, 200]


INSTANT = datetime(2026, 1, 1, tzinfo=UTC)
AGES = st.none() | st.floats(min_value=0, max_value=1e6)


def a_view(age, waited):
    """A zone that is read `waited` seconds after the request was made, `age` seconds behind then."""
    as_of = None if age is None else INSTANT + timedelta(seconds=waited - age)
    return ZoneView(
        zone_id=ZoneId(1),
        region="lab",
        kind=ZoneKind.CELL,
        trust=Trust.FULL,
        freshness=Freshness(zone=ZoneName("cell1"), state=ZoneState.LIVE, as_of=as_of, lag_seconds=age),
        since=None,
        reason=None,
        hint=None,
        transactions=0,
        feed_from=None,
    )


@given(age=AGES, seconds=st.floats(min_value=0, max_value=1e6), waited=st.floats(min_value=0, max_value=60))
def test_what_passes_shows_the_zone_as_fresh_as_demanded_or_fresher_than_the_question(age, seconds, waited):
    zone = a_view(age, waited)

    passes = zones_behind([zone], Demand(seconds=seconds, asked_at=INSTANT)) == ()

    assert passes == (age is not None and (age <= seconds or zone.freshness.as_of >= INSTANT))
