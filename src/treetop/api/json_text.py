# SPDX-License-Identifier: Apache-2.0
"""Stored values -> JSON text, for documents that are pasted together. Pure.

Takes the forms that `store.pool` gives: times as `YYYY-MM-DD HH:MM:SS[.ffffff]`, jsonb as text. None means
null or, for collections, empty. Every function returns valid JSON whatever the text holds.
"""

from collections.abc import Mapping
from json.encoder import encode_basestring_ascii  # the C one: 4 times as fast as a JSON library per text
from typing import Any, Final

import orjson

EMPTY: Final = "{}"
NULL: Final = "null"


def text(value: str | None) -> str:
    """A text, or null."""
    return NULL if value is None else encode_basestring_ascii(value)


def number(value: int | None) -> str:
    """A number, or null."""
    return NULL if value is None else str(value)


def moment(value: str | None) -> str:
    """A time to the second, in UTC and saying so: `"2026-11-22T07:46:31Z"`, or null."""
    return NULL if value is None else f'"{value[:10]}T{value[11:19]}Z"'


def stamp(value: str | None) -> str:
    """A time to the microsecond, without a zone: `"2026-11-22T07:46:44.000000"`, or null."""
    return NULL if value is None else f'"{value[:10]}T{value[11:19]}.{value[20:]:0<6}"'


def loads(value: str | None) -> Mapping[str, Any]:  # Any: JSON as apply stored it
    """A jsonb object."""
    return orjson.loads(value) if value is not None and value != EMPTY else {}


def loads_object(value: str | None) -> Mapping[str, Any]:  # Any: JSON as a zone keeps it
    """A JSON object; empty if the text holds none."""
    try:
        found = orjson.loads(value or EMPTY)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def dumps(value: object) -> str:
    """Any value as JSON text."""
    return orjson.dumps(value).decode()


def pairs(value: str | None) -> dict[str, str | None]:
    """`{"17": ["key", "value"]}`, rows by their id, as key -> value."""
    return dict(loads(value).values()) if value is not None and value != EMPTY else {}


def mapping(value: str | None) -> str:
    """The same, as JSON text."""
    return EMPTY if value is None or value == EMPTY else dumps(pairs(value))


def names(value: str | None) -> str:
    """The keys of `{"tag": true}` in alphabetical order, as a JSON list."""
    return "[]" if value is None or value == EMPTY else dumps(sorted(loads(value)))


def in_order(value: str | None) -> list[Mapping[str, Any]]:
    """The objects of `{"3": {…}}`, rows by their id, the oldest first."""
    rows = loads(value)
    return [rows[row_id] for row_id in sorted(rows, key=int)]


def member(key: str, value: str | None) -> str:
    """`,"key":value` to append to an object, or nothing if there is no value."""
    return "" if value is None else f',"{key}":{value}'
