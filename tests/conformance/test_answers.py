# SPDX-License-Identifier: Apache-2.0
"""Treetop answers what the real Nova answers, over the same rows; `make conformance` asks all of the corpus."""

import json
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.conformance.asking import Question, Seen
from tests.conformance.both import Asked
from tests.conformance.comparing import Outcome, compare
from tests.conformance.corpus.matrix import CORPUS, EVERY_MINOR, Matrix, sample
from tests.conformance.differences import DIFFERENCES
from tests.conformance.nova_environment import make_nova_environment

_CHECK = Path(__file__).with_name("inside_nova") / "check_bodies.py"


@pytest.mark.parametrize("noun", CORPUS)
def test_the_answers_are_those_of_nova(noun: str, asked: list[Asked]) -> None:
    verdicts = [compare(each.exchange, DIFFERENCES) for each in asked if each.noun == noun]

    different = [
        "\n".join([str(verdict.question), *verdict.lines])
        for verdict in verdicts
        if verdict.outcome is Outcome.DIFFERENT
    ]

    assert verdicts
    assert different == [], "\n\n".join(different[:20])


def test_nova_does_answer(asked: list[Asked]) -> None:
    statuses = Counter(each.exchange.nova.status for each in asked)

    assert statuses[200] > len(asked) / 2
    assert statuses[400] > 10


def test_the_bodies_pass_the_response_schemas_that_nova_ships(asked: list[Asked]) -> None:
    """Nova's schemas refuse some of Nova's own answers; then ours must be refused for the same reason."""
    succeeded = [
        each.exchange
        for each in asked
        if each.exchange.ours.status == each.exchange.nova.status == 200
        and each.exchange.question.minor is not None
        and each.exchange.question.path.partition("?")[0] not in ("/", "/v2.1", "/v2.1/")
    ]

    of_ours, checked = _refused([(exchange.question, exchange.ours) for exchange in succeeded])
    of_nova, _ = _refused([(exchange.question, exchange.nova) for exchange in succeeded])

    assert checked > len(succeeded) * 0.9
    assert of_ours <= of_nova
    assert len(of_nova) < checked * 0.1


def _refused(answers: list[tuple[Question, Seen]]) -> tuple[set[tuple[str, int, str]], int]:
    """(path, minor, what Nova's response schema says against the body), and how many bodies have a schema."""
    lines = [
        json.dumps([path, question.minor, seen.body])
        for question, seen in answers
        for path in [question.path.partition("?")[0].removeprefix("/v2.1")]
    ]
    checked = subprocess.run(
        [str(make_nova_environment() / "python"), str(_CHECK)],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr[-2000:]
    *refused, count = checked.stdout.splitlines()
    complaints = [
        (*asked, complaint.partition(" Value: ")[0]) for *asked, complaint in map(json.loads, refused)
    ]
    return set(complaints), int(count)


def test_the_corpus_is_what_it_should_be() -> None:
    assert sum(len(requests) for requests in CORPUS.values()) >= 200
    assert len(EVERY_MINOR) == 10
    assert Matrix().askers == ("admin", "member")
    asked_at = {walk.first.minor for walk in sample()}
    assert asked_at >= set(EVERY_MINOR)
