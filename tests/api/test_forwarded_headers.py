# SPDX-License-Identifier: Apache-2.0
"""Headers on the way to Nova and back: whose they are decides whether they pass."""

import pytest

from treetop.api.forwarded_headers import answer_headers, hops, request_headers


def sent(**environ):
    return request_headers({"REMOTE_ADDR": "10.0.0.9", **environ}, public_url="https://cloud:8774/compute")


def test_nova_learns_how_the_client_came():
    headers = sent()

    assert headers["x-forwarded-for"] == "10.0.0.9"
    assert headers["x-forwarded-proto"] == "https"
    assert headers["x-forwarded-host"] == "cloud:8774"
    assert headers["x-forwarded-prefix"] == "/compute"


def test_a_client_cannot_say_for_nova_how_it_came():
    environ = {"HTTP_FORWARDED": "host=evil.example;proto=http", "HTTP_X_FORWARDED_PREFIX": "/evil"}

    headers = request_headers(
        environ | {"HTTP_X_FORWARDED_HOST": "evil.example"}, public_url="https://cloud:8774"
    )

    assert headers["x-forwarded-host"] == "cloud:8774"
    assert headers.keys().isdisjoint({"forwarded", "x-forwarded-prefix"})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("192.0.2.1", "192.0.2.1, 10.0.0.9"),
        ("192.0.2.1, 110.0.0.9", "192.0.2.1, 110.0.0.9, 10.0.0.9"),
        ("192.0.2.1, 10.0.0.9", "192.0.2.1, 10.0.0.9"),
    ],
)
def test_each_peer_is_named_once(before, after):
    assert sent(HTTP_X_FORWARDED_FOR=before)["x-forwarded-for"] == after


def test_what_belongs_to_one_connection_stays():
    headers = sent(
        HTTP_CONNECTION="close, X-Mine", HTTP_X_MINE="1", HTTP_TE="trailers", HTTP_EXPECT="100-continue"
    )

    assert headers.keys().isdisjoint({"connection", "x-mine", "te", "expect"})
    given = [("Connection", "X-Theirs"), ("X-Theirs", "1"), ("Transfer-Encoding", "chunked"), ("Vary", "A")]
    assert answer_headers(given) == [("Vary", "A")]


@pytest.mark.parametrize(
    ("via", "number"),
    [("", 0), ("1.1 treetops", 0), ("1.1 treetop", 1), ("1.0 a, 1.1 treetop, 1.1 treetop", 2)],
)
def test_our_own_hops_are_counted(via, number):
    assert hops({"HTTP_VIA": via}) == number
