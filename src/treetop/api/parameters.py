# SPDX-License-Identifier: Apache-2.0
"""Query parameters: reading them, and refusing them in the words of Nova's schemas. Pure.

A resource has one table of `Parameter`s; what is known, when it came and who may use it at a microversion
follows from it. Facts: Nova 34, api/openstack/compute/schemas and api/validation (measured texts).
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Final
from urllib.parse import parse_qsl

from treetop.api.fault import bad_request
from treetop.store.clause import Clause

STRICT_SINCE: Final = 75  # unknown parameters: dropped before, refused from here on

_TRUE: Final = ("1", "on", "t", "true", "y", "yes")
_FALSE: Final = ("0", "f", "false", "n", "no", "off")

#: Parameter name -> its values in the order given, at least one.
Parameters = Mapping[str, Sequence[str]]


class Kind(Enum):
    """What every value of a parameter must be."""

    TEXT = "text"
    PATTERN = "pattern"
    NUMBER = "number"
    TIME = "time"
    SORT_KEY = "sort key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One query parameter.

    since: the first microversion that knows it. everyone_since: the first at which not only callers who may
    use every filter are heard; None: never. clause: makes its condition from the last value; None: read
    elsewhere.
    """

    name: str
    kind: Kind = Kind.TEXT
    since: int = 1
    everyone_since: int | None = None
    clause: Callable[[str], Clause] | None = None


def parse_query(query_string: str) -> list[tuple[str, str]]:
    """The parameters as sent, in order, empty values kept. Raises a 400 `Fault` unless it is UTF-8 without
    NUL.
    """
    try:
        pairs = parse_qsl(query_string, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise bad_request("Query string is not UTF-8 encoded") from None
    if any("\0" in name or "\0" in value for name, value in pairs):
        raise bad_request("Query string holds a NUL character")
    return pairs


def validate(
    pairs: Collection[tuple[str, str]],
    table: Mapping[str, Parameter],
    *,
    minor: int,
    sort_keys: Collection[str],
    takes_underscore: bool = True,
) -> Parameters:
    """The known parameters by name. Raises a 400 `Fault` for a bad value, from 2.75 on for an unknown name.

    takes_underscore: names that begin with `_` pass; the list of servers refuses them later.
    """
    known: dict[str, list[str]] = {}
    unknown: set[str] = set()
    for name, value in pairs:
        parameter = table.get(name)
        if parameter is not None and parameter.since <= minor:
            _check(parameter, value, sort_keys)
        elif not (takes_underscore and name.startswith("_")):
            unknown.add(name)
            continue
        known.setdefault(name, []).append(value)
    if unknown and minor >= STRICT_SINCE:
        names, is_one = ", ".join(map(repr, sorted(unknown))), len(unknown) == 1
        if takes_underscore:
            raise bad_request(f"{names} {'does' if is_one else 'do'} not match any of the regexes: '^_'")
        raise bad_request(
            f"Additional properties are not allowed ({names} {'was' if is_one else 'were'} unexpected)"
        )
    return known


def parse_time(text: str) -> datetime | None:
    """An ISO 8601 date or time as an aware UTC instant (no zone: UTC); None if it is none."""
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_flag(text: str) -> bool:
    """A strict boolean; raises a 400 `Fault` that lists what is accepted."""
    word = text.strip().lower()
    if word not in _TRUE and word not in _FALSE:
        accepted = ", ".join(map(repr, sorted((*_FALSE, *_TRUE))))
        raise bad_request(
            f"Invalid input received: Unrecognized value '{text}', acceptable values are: {accepted}"
        )
    return word in _TRUE


def is_truthy(text: str) -> bool:
    """A lenient boolean: what is not known to be true is false."""
    return text.strip().lower() in _TRUE


def page_rows(parameters: Parameters, *, most: int) -> int:
    """How many rows to answer with: `limit`, at most `most`."""
    values = parameters.get("limit")
    if not values:
        return most
    digits = values[-1].lstrip("0")
    return most if len(digits) > len(str(most)) else min(most, int(digits or "0"))


def _check(parameter: Parameter, value: str, sort_keys: Collection[str]) -> None:
    problem = _problem(parameter.kind, value, sort_keys)
    if problem is not None:
        raise bad_request(
            f"Invalid input for query parameters {parameter.name}. Value: {value}. {value!r} {problem}"
        )


def _problem(kind: Kind, value: str, sort_keys: Collection[str]) -> str | None:
    match kind:
        case Kind.PATTERN if not _is_pattern(value):
            return "is not a 'regex'"
        case Kind.NUMBER if not value:
            return "should be non-empty"
        case Kind.NUMBER if re.fullmatch("[0-9]+", value) is None:
            return "does not match '^[0-9]*$'"
        case Kind.TIME if parse_time(value) is None:
            return "is not a 'date-time'"
        case Kind.SORT_KEY if value not in sort_keys:
            return f"is not one of {sorted(sort_keys)}"
    return None


def _is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError):
        return False
    return bool(text)
