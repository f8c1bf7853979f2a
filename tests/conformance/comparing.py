# SPDX-License-Identifier: Apache-2.0
"""Is what both sides answered the same, different on purpose, or different? Pure.

`compare(exchange, differences)` -> `Verdict`. A difference on purpose says what Nova's answer would be without
the fault that is not reproduced: that, and nothing else, must be what Treetop answered.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from tests.conformance.asking import Question, Seen

_LINES: Final = 12
_TEXT: Final = 160
_NAMES: Final = 6


class Outcome(StrEnum):
    """How an exchange ended."""

    EQUAL = "equal"
    ON_PURPOSE = "on purpose"
    DIFFERENT = "different"


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """A question and both answers."""

    question: Question
    nova: Seen
    ours: Seen


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A way in which Treetop is not Nova, on purpose.

    heading: where `docs/reference/differences-from-nova.md` says why.
    applies: whether an exchange may differ so. settle: Nova's answer as it is without its fault.
    """

    heading: str
    applies: Callable[[Exchange], bool]
    settle: Callable[[Exchange], Seen]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """headings: the differences that were needed; lines: what differs, for people."""

    question: Question
    outcome: Outcome
    headings: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()


def compare(exchange: Exchange, differences: Sequence[Difference]) -> Verdict:
    """Say how an exchange ended."""
    question, nova = exchange.question, exchange.nova
    if _same(nova, exchange.ours):
        return Verdict(question=question, outcome=Outcome.EQUAL)
    needed: list[str] = []
    for difference in differences:
        now = Exchange(question=question, nova=nova, ours=exchange.ours)
        if not difference.applies(now):
            continue
        settled = difference.settle(now)
        if settled != nova:
            nova = settled
            needed.append(difference.heading)
        if _same(nova, exchange.ours):
            return Verdict(question=question, outcome=Outcome.ON_PURPOSE, headings=tuple(needed))
    lines = tuple(differing(nova, exchange.ours))
    return Verdict(question=question, outcome=Outcome.DIFFERENT, headings=tuple(needed), lines=lines)


def _same(nova: Seen, ours: Seen) -> bool:
    """Equal as JSON: Python takes 1 for true."""
    return nova == ours and next(differing(nova, ours), None) is None


def differing(nova: Seen, ours: Seen) -> Iterator[str]:
    """One line per place where two answers differ, at most a dozen."""
    sides = (
        {"status": seen.status, "headers": {k: list(v) for k, v in seen.headers.items()}, "body": seen.body}
        for seen in (nova, ours)
    )
    found = list(_places("", *sides))
    yield from found[:_LINES]
    if len(found) > _LINES:
        yield f"… and {len(found) - _LINES} more places"


def _places(place: str, nova: Any, ours: Any) -> Iterator[str]:
    if isinstance(nova, dict) and isinstance(ours, dict):
        for key in sorted(nova.keys() | ours.keys()):
            yield from _places(f"{place}.{key}", nova.get(key, _ABSENT), ours.get(key, _ABSENT))
    elif isinstance(nova, list) and isinstance(ours, list) and sorted(_ids(nova)) == sorted(_ids(ours)):
        if _ids(nova) != _ids(ours):
            yield f"{place}: another order: nova {_first_names(nova)}, ours {_first_names(ours)}"
            return
        for number, pair in enumerate(zip(nova, ours, strict=True)):
            yield from _places(f"{place}[{number}]", *pair)
    elif isinstance(nova, list) and isinstance(ours, list):
        yield f"{place}: nova has {len(nova)}, ours {len(ours)}{_members(nova, ours)}"
    elif nova != ours or type(nova) is not type(ours):
        yield f"{place}: nova {_shown(nova)}, ours {_shown(ours)}"


class _Absent:
    def __repr__(self) -> str:
        return "nothing"


_ABSENT: Final = _Absent()


def _shown(value: Any) -> str:
    text = repr(value) if value is _ABSENT else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _TEXT else text[:_TEXT] + "…"


def _ids(items: list[Any]) -> list[str]:
    """What tells the members of a list apart; their places, if nothing does."""
    if all(isinstance(item, dict) and "id" in item for item in items):
        return [str(item["id"]) for item in items]
    return [str(place) for place in range(len(items))]


def _members(nova: list[Any], ours: list[Any]) -> str:
    sides = (("only nova", nova, ours), ("only ours", ours, nova))
    parts = []
    for words, these, those in sides:
        known = set(_ids(those))
        lone = [item for item, id_ in zip(these, _ids(these), strict=True) if id_ not in known]
        if lone:
            parts.append(f"{words}: {_first_names(lone)}")
    return "".join(f"; {part}" for part in parts)


def _first_names(items: list[Any]) -> str:
    names = [str(item.get("name", item.get("id"))) if isinstance(item, dict) else str(item) for item in items]
    return ", ".join(names[:_NAMES]) + ("…" if len(names) > _NAMES else "")
