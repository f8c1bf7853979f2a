# SPDX-License-Identifier: Apache-2.0
"""What is kept of the serialized documents of an API database."""

import json

import pytest

from treetop.nova.request_spec import decode_request_spec, without_hosts


def a_document(**data: object) -> str:
    return json.dumps({"nova_object.name": "X", "nova_object.data": data})


def test_zone_and_hints_are_what_was_asked_for() -> None:
    spec = a_document(
        availability_zone="az1",
        scheduler_hints={"group": ["g"], "query": ['["=","$x",1]']},
        force_hosts=["h"],
    )

    assert decode_request_spec(spec) == ("az1", '{"group":["g"],"query":["[\\"=\\",\\"$x\\",1]"]}')


def test_hints_that_nova_gives_itself_are_not_shown() -> None:
    spec = a_document(scheduler_hints={"_nova_check_type": ["rebuild"], "group": ["g"]})

    assert decode_request_spec(spec).scheduler_hints == '{"group":["g"]}'


def test_no_hints_and_none_asked_for_are_two_things() -> None:
    assert decode_request_spec(a_document(scheduler_hints={})) == (None, "{}")
    assert decode_request_spec(a_document(scheduler_hints=None)) == (None, None)
    assert decode_request_spec(a_document()) == (None, None)


@pytest.mark.parametrize(
    "text", [None, "", "{", '{"nova_object.data": {"availability_zone": "a', "[]", "7", "{}"]
)
def test_a_spec_that_cannot_be_read_says_nothing(text: str | None) -> None:
    assert decode_request_spec(text) == (None, None)


def test_a_server_to_be_loses_what_names_hosts_and_nothing_else() -> None:
    named = a_document(uuid="u", host="h1", node="n1", launched_on="l1", compute_id=7, display_name="né")

    shared = without_hosts(named)

    assert shared is not None
    assert json.loads(shared)["nova_object.data"] == {
        "uuid": "u",
        "host": None,
        "node": None,
        "launched_on": None,
        "compute_id": None,
        "display_name": "né",
    }


def test_a_server_to_be_loses_objects_that_name_hosts() -> None:
    """Nova sets neither on a server that no cell has; its object may hold both."""
    services = {"nova_object.data": {"objects": [{"nova_object.data": {"host": "h1"}}]}}
    fault = {"nova_object.data": {"message": "no", "details": "on h1"}}

    shared = without_hosts(a_document(uuid="u", services=services, fault=fault))

    assert shared is not None
    assert "h1" not in shared


def test_a_server_to_be_without_host_stays_as_nova_wrote_it() -> None:
    text = '{"nova_object.data": { "host":null, "uuid" : "u"}}'

    assert without_hosts(text) == text


#: Deeper than what can be written again.
DEEP = f'{{"nova_object.data": {{"host": "h1", "scheduler_hints": {{"x": {"[" * 300}{"]" * 300}}}}}}}'


def test_a_spec_that_is_nested_too_deep_says_nothing() -> None:
    assert decode_request_spec(DEEP) == (None, None)


def test_a_zone_with_a_character_that_the_top_cannot_hold_is_stored_as_text_of_columns_is() -> None:
    assert decode_request_spec(a_document(availability_zone="a\0z")).availability_zone == "a\ufffdz"


@pytest.mark.parametrize("text", [None, "", '{"host": "h1', '{"host": "h1"}', DEEP])
def test_what_cannot_be_read_is_not_shared(text: str | None) -> None:
    assert without_hosts(text) is None
