# SPDX-License-Identifier: Apache-2.0
"""The comparison sees what it must see, and a difference on purpose excuses nothing else."""

from dataclasses import replace
from typing import Any

from tests.conformance.asking import Question, Seen
from tests.conformance.comparing import Difference, Exchange, Outcome, compare

QUESTION = Question(path="/v2.1/servers", minor=1, asker=None)


def seen(body: Any, status: int = 200) -> Seen:
    return Seen(status=status, headers={"vary": ("A",)}, body=body)


def verdict(nova: Seen, ours: Seen, *differences: Difference) -> Any:
    return compare(Exchange(question=QUESTION, nova=nova, ours=ours), differences)


def without_colour(exchange: Exchange) -> Seen:
    return replace(exchange.nova, body={k: v for k, v in exchange.nova.body.items() if k != "colour"})


COLOURLESS = Difference(heading="No colour", applies=lambda _: True, settle=without_colour)


def test_the_same_is_equal() -> None:
    assert verdict(seen({"a": [1]}), seen({"a": [1]})).outcome is Outcome.EQUAL


def test_order_status_headers_and_types_matter() -> None:
    for nova, ours in (
        (seen({"a": [1, 2]}), seen({"a": [2, 1]})),
        (seen({}), seen({}, status=404)),
        (seen({}), replace(seen({}), headers={})),
        (seen({"a": "1"}), seen({"a": 1})),
        (seen({"a": None}), seen({})),
    ):
        found = verdict(nova, ours)
        assert found.outcome is Outcome.DIFFERENT
        assert found.lines


def test_a_number_is_not_a_truth_value() -> None:
    assert verdict(seen({"a": 1}), seen({"a": True})).outcome is Outcome.DIFFERENT


def test_a_difference_on_purpose_is_named() -> None:
    found = verdict(seen({"a": 1, "colour": 2}), seen({"a": 1}), COLOURLESS)

    assert (found.outcome, found.headings) == (Outcome.ON_PURPOSE, ("No colour",))


def test_a_difference_on_purpose_excuses_nothing_else() -> None:
    found = verdict(seen({"a": 1, "colour": 2}), seen({"a": 7}), COLOURLESS)

    assert found.outcome is Outcome.DIFFERENT
    assert found.lines == (".body.a: nova 1, ours 7",)


def test_members_that_one_side_has_alone_are_named() -> None:
    (line,) = verdict(
        seen([{"id": 1, "name": "x"}, {"id": 2, "name": "y"}]), seen([{"id": 1, "name": "x"}])
    ).lines

    assert line == ".body: nova has 2, ours 1; only nova: y"
