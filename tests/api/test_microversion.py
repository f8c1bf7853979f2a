# SPDX-License-Identifier: Apache-2.0
"""Microversions: what the two headers ask for, and what the answers' headers say."""

import pytest

from tests.api.route_table import query_parameters
from treetop.api.fault import Fault
from treetop.api.flavor_view import FIELDS as FLAVOR_FIELDS
from treetop.api.microversion import STEPS, negotiate
from treetop.api.server_fields import FIELDS
from treetop.api.server_parameters import SERVER_PARAMETERS

HEADER, LEGACY = "OpenStack-API-Version", "X-OpenStack-Nova-API-Version"


@pytest.mark.parametrize(
    ("header", "legacy", "minor"),
    [
        (None, None, 1),
        ("compute 2.53", None, 53),
        ("compute latest", None, 104),
        ("identity 3.1, compute 2.7,placement 1.2", None, 7),
        ("compute 2.7, compute 2.8", None, 8),
        ("Compute  2.7", None, 7),
        (None, "2.9", 9),
        (None, "latest", 104),
        ("compute 2.7", "2.9", 7),
        ("placement 1.2", "2.9", 9),
        ("compute 2.0", None, None),
        ("compute 2.105", None, None),
        ("compute 3.1", None, None),
    ],
)
def test_the_headers_choose_the_version(header, legacy, minor):
    assert negotiate(header, legacy).minor == minor


@pytest.mark.parametrize("text", ["garbage", "2", "2.x", "2.01", "-2.1", "2.1.1", "2.latest"])
def test_a_text_that_is_no_version_is_refused_in_novas_words(text):
    with pytest.raises(Fault) as caught:
        negotiate(f"compute {text}", None)

    assert caught.value.status == 400
    assert str(caught.value) == (
        f"API Version String {text} is of invalid format. Must be of format MajorNum.MinorNum."
    )


def test_answers_tell_their_version_in_both_headers(api):
    headers = api.ask("/v2.1/servers", 47).headers

    assert headers[HEADER] == "compute 2.47"
    assert headers[LEGACY] == "2.47"
    assert headers["Vary"] == f"{HEADER}, {LEGACY}"


def test_without_a_header_the_first_version_answers(api):
    assert api.ask("/v2.1/servers", None).headers[HEADER] == "compute 2.1"


def test_latest_is_told_as_a_number(api):
    answer = api.ask("/v2.1/servers", None, headers={HEADER: "compute latest"})

    assert answer.headers[LEGACY] == "2.104"


def test_a_version_out_of_range_is_406_and_echoed(api):
    answer = api.ask("/v2.1/servers", 999)

    assert answer.status_code == 406
    assert answer.headers[HEADER] == "compute 2.999"
    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert answer.json == {
        "computeFault": {
            "code": 406,
            "message": "Version 2.999 is not supported by the API. Minimum is 2.1 and maximum is 2.104.",
        }
    }


def test_a_malformed_version_is_400_without_version_headers(api):
    answer = api.ask("/v2.1/servers", None, headers={HEADER: "compute garbage"})

    assert answer.status_code == 400
    assert HEADER not in answer.headers


def test_refusals_after_negotiation_tell_the_version_too(api):
    answer = api.ask("/v2.1/servers?limit=-1", 60)

    assert answer.status_code == 400
    assert answer.headers[HEADER] == "compute 2.60"


def test_the_list_of_steps_names_every_change_of_the_tables():
    changes = {field.since for field in (*FIELDS, *FLAVOR_FIELDS)}
    changes |= {field.until + 1 for field in (*FIELDS, *FLAVOR_FIELDS) if field.until}
    changes |= {parameter.since for parameter in query_parameters()}
    changes |= {p.everyone_since for p in SERVER_PARAMETERS.values() if p.everyone_since}

    assert changes - set(STEPS) == set()
