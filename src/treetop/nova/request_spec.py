# SPDX-License-Identifier: Apache-2.0
"""What is kept of Nova's serialized documents in the API database: request specs and build requests. Pure.

Both are versioned objects as JSON text. A request spec takes 3 kB and names hosts; servers show two things of it.
A build request holds the whole server to be, whose host is still open, and is shown as one. Text that cannot be read
(older releases cut long specs off) says nothing: the server is then shown as one without it. Facts: Nova 34,
objects/request_spec.py, objects/instance.py; `_nova` begins the hints that Nova gives to itself.
"""

from typing import Any, Final, NamedTuple

import orjson

_INTERNAL_HINTS: Final = "_nova"
_DATA: Final = "nova_object.data"
_NO_NUL: Final = "\ufffd"  # PostgreSQL cannot store U+0000
_HOST_FIELDS: Final = ("host", "node", "launched_on", "compute_id", "services", "fault")


class Asked(NamedTuple):
    """What was asked for. scheduler_hints: JSON text of {hint: [value, …]}, None where the spec has none."""

    availability_zone: str | None
    scheduler_hints: str | None


def decode_request_spec(text: str | None) -> Asked:
    """Read the pinned availability zone and the scheduler hints."""
    data = _data(_load(text))
    zone, hints = data.get("availability_zone"), data.get("scheduler_hints")
    shown = None
    if isinstance(hints, dict):
        shown = _dump({name: value for name, value in hints.items() if not name.startswith(_INTERNAL_HINTS)})
    return Asked(zone.replace("\0", _NO_NUL) if isinstance(zone, str) else None, shown)


def without_hosts(instance: str | None) -> str | None:
    """Empty the fields of a serialized server that name its host; the text stays as it is where none does."""
    serialized = _load(instance)
    data = _data(serialized)
    if not data:
        return None
    named = [name for name in _HOST_FIELDS if data.get(name) is not None]
    if not named:
        return instance
    data.update(dict.fromkeys(named))
    return _dump(serialized)


def _load(text: str | None) -> Any:  # any JSON
    try:
        return orjson.loads(text or "null")
    except orjson.JSONDecodeError:
        return None


def _dump(value: Any) -> str | None:  # any JSON
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:  # nested deeper than can be written, though it could be read
        return None


def _data(serialized: Any) -> dict[str, Any]:
    data = serialized.get(_DATA) if isinstance(serialized, dict) else None
    return data if isinstance(data, dict) else {}
