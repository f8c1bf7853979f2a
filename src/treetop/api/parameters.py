# SPDX-License-Identifier: Apache-2.0
"""Query parameters: reading them, and refusing them in the words of Nova's schemas. Pure.

A resource has one `QuerySchema` of `Parameter`s; what is known, when it came and who may use it at a microversion
follows from it. Facts: Nova 34, api/openstack/compute/schemas and api/validation (measured texts).
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qsl
from uuid import UUID

import iso8601

from treetop.api.fault import Fault, bad_request
from treetop.store.clause import Clause

STRICT_SINCE: Final = 75  # unknown parameters: dropped before, refused from here on, by most resources
_NEVER: Final = 1_000_000
_ALL_STRICT_SINCE: Final = 102  # from here on by every resource

_HOST_NAME_CHARACTERS: Final = 255
_TRUE: Final = ("1", "on", "t", "true", "y", "yes")
_FALSE: Final = ("0", "f", "false", "n", "no", "off")

#: What Nova's schemas take for a boolean.
BOOLEAN_CHOICES: Final[Sequence[object]] = (
    *(True, "True", "TRUE", "true", "1", "ON", "On", "on", "YES", "Yes", "yes"),
    *(False, "False", "FALSE", "false", "0", "OFF", "Off", "off", "NO", "No", "no"),
)

#: Parameter name -> its values in the order given, at least one.
Parameters = Mapping[str, Sequence[str]]


class Kind(Enum):
    """What every value of a parameter must be."""

    TEXT = "text"
    PATTERN = "pattern"
    NUMBER = "number"
    TIME = "time"
    CHOICE = "choice"
    HOST_NAME = "host name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One query parameter.

    since: the first microversion that knows it. everyone_since: the first at which not only callers who may
    use every filter are heard; None: never. clause: makes its condition from the last value; None: read
    elsewhere. choices: what a `CHOICE` may be at a microversion, as Nova lists it. is_single: not repeatable.
    """

    name: str
    kind: Kind = Kind.TEXT
    since: int = 1
    everyone_since: int | None = None
    clause: Callable[[str], Clause] | None = None
    choices: Callable[[int], Sequence[object]] = lambda _minor: ()
    is_single: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QuerySchema:
    """What a resource takes. takes_underscore: names that begin with `_` pass, whatever they are.

    strict_since: the first microversion at which other names are refused.
    """

    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    strict_since: int = STRICT_SINCE
    takes_underscore: bool = False


def query_schema(*parameters: Parameter, strict_since: int = STRICT_SINCE) -> QuerySchema:
    """A schema of these parameters and no others."""
    return QuerySchema(
        parameters=MappingProxyType({parameter.name: parameter for parameter in parameters}),
        strict_since=strict_since,
    )


#: Of a resource that takes no parameters.
NO_PARAMETERS: Final = query_schema(strict_since=_ALL_STRICT_SINCE)
#: Of one that takes no parameters and never minds any.
ANY_PARAMETERS: Final = query_schema(strict_since=_NEVER)


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


def validate(pairs: Iterable[tuple[str, str]], schema: QuerySchema, *, minor: int) -> Parameters:
    """The known parameters by name. Raises a 400 `Fault` for an unknown name where the schema is strict, then for a
    bad value.
    """
    known: dict[str, list[str]] = {}
    unknown: set[str] = set()
    for name, value in pairs:
        parameter = schema.parameters.get(name)
        is_known = parameter is not None and parameter.since <= minor
        if is_known or (schema.takes_underscore and name.startswith("_")):
            known.setdefault(name, []).append(value)
        else:
            unknown.add(name)
    if unknown and minor >= schema.strict_since:
        raise _unknown(unknown, schema)
    for name, values in known.items():
        if name in schema.parameters:
            _check(schema.parameters[name], values, minor)
    return known


def parse_time(text: str) -> datetime | None:
    """An ISO 8601 date or time as an aware UTC instant (no zone: UTC); None if it is none.

    Read by the library that Nova reads it with: there are many ways to write one, and not all are taken.
    """
    try:
        return iso8601.parse_date(text).astimezone(UTC)
    except (iso8601.ParseError, OverflowError):
        return None


def parse_flag(text: str) -> bool:
    """A strict boolean; raises a 400 `Fault` that lists what is accepted."""
    word = text.strip().lower()
    if word not in _TRUE and word not in _FALSE:
        accepted = ", ".join(map(repr, sorted((*_FALSE, *_TRUE))))
        raise bad_request(f"Unrecognized value '{text}', acceptable values are: {accepted}")
    return word in _TRUE


def last(parameters: Parameters, name: str) -> str | None:
    """The value that counts of a parameter; None if it was not sent."""
    values = parameters.get(name)
    return values[-1] if values else None


def is_uuid(text: str) -> bool:
    """Say whether Nova takes a text for a uuid: with dashes or without, in any case."""
    try:
        return str(UUID(text)).replace("-", "") == _plain_uuid(text)
    except ValueError:
        return False


def is_truthy(text: str) -> bool:
    """A lenient boolean: what is not known to be true is false."""
    return text.strip().lower() in _TRUE


def page_rows(parameters: Parameters, *, most: int) -> int:
    """How many rows to answer with: `limit`, at most `most`."""
    text = last(parameters, "limit")
    return most if text is None else bounded(text, most=most)


def bounded(digits: str, *, most: int) -> int:
    """The number that a `NUMBER` says, at most `most`; it may be too long for Python to read."""
    plain = digits.lstrip("0")
    return most if len(plain) > len(str(most)) else min(most, int(plain or "0"))


def _plain_uuid(text: str) -> str:
    return text.replace("urn:", "").replace("uuid:", "").strip("{}").replace("-", "").lower()


def _unknown(names: Collection[str], schema: QuerySchema) -> Fault:
    listed = ", ".join(map(repr, sorted(names)))
    is_one = len(names) == 1
    if schema.takes_underscore:
        return bad_request(f"{listed} {'does' if is_one else 'do'} not match any of the regexes: '^_'")
    return bad_request(
        f"Additional properties are not allowed ({listed} {'was' if is_one else 'were'} unexpected)"
    )


def _check(parameter: Parameter, values: list[str], minor: int) -> None:
    if parameter.is_single and len(values) > 1:
        raise _invalid(parameter.name, values, "is too long")
    for value in values:
        problem = _problem(parameter, value, minor)
        if problem is not None:
            raise _invalid(parameter.name, value, problem)


def _invalid(name: str, value: object, problem: str) -> Fault:
    return bad_request(f"Invalid input for query parameters {name}. Value: {value}. {value!r} {problem}")


def _problem(parameter: Parameter, value: str, minor: int) -> str | None:
    if parameter.kind is Kind.CHOICE and value not in parameter.choices(minor):
        return f"is not one of {list(parameter.choices(minor))}"
    for is_good, problem in _RULES.get(parameter.kind, ()):
        if not is_good(value):
            return problem
    return None


def _is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError):
        return False
    return bool(text)


#: What values of a kind must be, in the order in which Nova says what they are not.
_RULES: Final[Mapping[Kind, Sequence[tuple[Callable[[str], object], str]]]] = MappingProxyType(
    {
        Kind.PATTERN: ((_is_pattern, "is not a 'regex'"),),
        Kind.NUMBER: (
            (bool, "should be non-empty"),
            (re.compile("[0-9]*").fullmatch, "does not match '^[0-9]*$'"),
        ),
        Kind.HOST_NAME: (
            (re.compile("[a-zA-Z0-9-._]*").fullmatch, "does not match '^[a-zA-Z0-9-._]*$'"),
            (bool, "should be non-empty"),
            (lambda value: len(value) <= _HOST_NAME_CHARACTERS, "is too long"),
        ),
        Kind.TIME: ((parse_time, "is not a 'date-time'"),),
    }
)
