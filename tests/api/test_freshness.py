# SPDX-License-Identifier: Apache-2.0
"""Staleness is visible: every answer drawn from the top says how old each zone's part is."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.api.conftest import Client
from tests.store.builders import a_server, a_zone

AS_OF, MAX_LAG, STALE = "Treetop-As-Of", "Treetop-Max-Lag", "Treetop-Zones-Stale"


def instant(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


@pytest.mark.parametrize("path", ["/v2.1/servers", "/v2.1/servers/detail", "/v2.1/flavors", "/v1/zones"])
def test_a_fresh_answer_says_when_it_was_true(api, path):
    headers = api.ask(path).headers

    assert timedelta(0) <= datetime.now(UTC) - instant(headers[AS_OF]) < timedelta(seconds=30)
    assert 0 <= float(headers[MAX_LAG]) < 15
    assert STALE not in headers


def test_the_oldest_zone_decides(api, top):
    a_zone(top, 2, lag_seconds=100)

    headers = api.ask("/v2.1/servers").headers

    assert 99 < float(headers[MAX_LAG]) < 130
    assert datetime.now(UTC) - instant(headers[AS_OF]) > timedelta(seconds=99)


def test_a_zone_that_lags_is_named_with_the_instant_it_shows(api, top):
    a_zone(top, 2, lag_seconds=100)

    (stale,) = api.ask("/v2.1/servers").headers[STALE].split(", ")

    name, *parts = stale.split(";")
    facts = dict(part.split("=") for part in parts)
    assert name == "cell2"
    assert facts["state"] == "live"
    assert datetime.now(UTC) - instant(facts["since"]) > timedelta(seconds=99)
    assert float(facts["lag"]) >= 99


def test_zones_that_are_not_live_are_named_whatever_their_lag(api, top):
    a_zone(top, 2, state="catching up")
    a_zone(top, 3, state="stopped")

    stale = api.ask("/v2.1/servers").headers[STALE]

    assert stale.startswith("cell2;state=catching-up;since=")
    assert ", cell3;state=stopped;since=" in stale


def test_a_zone_never_loaded_leaves_no_common_instant(api, top):
    a_zone(top, 2, state="new", lag_seconds=None)

    headers = api.ask("/v2.1/servers").headers

    assert AS_OF not in headers
    assert "cell2;state=new" in headers[STALE]


def test_servers_of_a_stale_zone_are_still_listed(api, top):
    a_zone(top, 2, state="waiting", lag_seconds=3600)
    a_server(top, 1, zone_id=2)

    assert api.names() == ["vm-1"]


def test_a_single_server_is_as_old_as_its_own_zone(api, top):
    a_zone(top, 2, state="waiting", lag_seconds=3600)
    uuid = a_server(top, 1, zone_id=1)

    headers = api.ask(f"/v2.1/servers/{uuid}").headers

    assert float(headers[MAX_LAG]) < 30
    assert STALE not in headers


def test_a_server_that_is_not_found_may_be_in_any_zone(api, top):
    a_zone(top, 2, state="waiting", lag_seconds=3600)

    assert STALE in api.ask("/v2.1/servers/nothing").headers


def test_how_old_is_too_old_is_the_operators_choice(pool, top):
    top.execute("UPDATE zone_position SET as_of = now() - interval '100 seconds'")

    assert STALE in Client(pool, stale_after_seconds=60).ask("/v2.1/servers").headers
    assert STALE not in Client(pool, stale_after_seconds=200).ask("/v2.1/servers").headers


def test_many_stale_zones_do_not_make_headers_too_long(api, top):
    for zone_id in range(2, 122):
        a_zone(top, zone_id, name=f"cell{zone_id:060}", state="waiting", lag_seconds=9e5)

    stale = api.ask("/v2.1/servers").headers[STALE]

    assert stale.endswith(", and-more=70")
    assert len(stale) < 8190


def test_answers_that_ask_no_zone_have_no_age(api):
    for path in ("/", "/v2.1", "/healthcheck", "/nonsense"):
        assert MAX_LAG not in api.ask(path).headers
