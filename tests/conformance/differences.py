# SPDX-License-Identifier: Apache-2.0
"""Every way in which Treetop answers otherwise than Nova on purpose, as data.

Each entry is explained under its heading in docs/reference/differences-from-nova.md, in the same order; a test
keeps both lists the same, and `make conformance` fails when an entry is no longer needed. What an entry excuses
is as little as its `settle` can say: `settling` has the ways.
"""

from typing import Final

from tests.conformance.comparing import Difference, Exchange
from tests.conformance.settling import (
    created_as_updated,
    is_server_error,
    ours,
    ours_in_path,
    ours_is_a_part,
    ours_reordered,
    parameters,
    path_of,
    repeated_in_links,
    sorted_enumeration,
    with_request_ids,
    without_legacy_version,
)

_STRICT_SINCE: Final = 75
_IGNORED: Final = {"id", "deleted", "memory_mb", "vcpus", "user_data", "locked"}
_TEXT: Final = {"display_name", "hostname", "name", "flavorid"}


def _sort_keys(exchange: Exchange) -> list[str]:
    return [value for name, value in parameters(exchange) if name == "sort_key"]


def _has(exchange: Exchange, *names: str) -> bool:
    return set(names) <= {name for name, _ in parameters(exchange)}


def _lacks_directions(exchange: Exchange) -> bool:
    directions = [value for name, value in parameters(exchange) if name == "sort_dir"]
    return 0 < len(directions) < len(_sort_keys(exchange))


def _is_ignored(exchange: Exchange) -> bool:
    keys = set(_sort_keys(exchange))
    return (exchange.question.minor or 1) < _STRICT_SINCE and bool(keys) and keys <= _IGNORED


def _is_not_ascii(exchange: Exchange) -> bool:
    return not path_of(exchange).isascii()


def _is_of_no_version(exchange: Exchange) -> bool:
    return exchange.nova.status == 300


DIFFERENCES: Final[tuple[Difference, ...]] = (
    Difference(
        heading="Sorting by a column with NULLs works",
        applies=lambda it: bool(_sort_keys(it)) and is_server_error(it, "TypeError"),
        settle=ours,
    ),
    Difference(
        heading="Text is in one order for all zones",
        applies=lambda it: bool(_TEXT & set(_sort_keys(it))) and not _has(it, "limit"),
        settle=ours_reordered,
    ),
    Difference(
        heading="A missing sort direction is the first one",
        applies=_lacks_directions,
        settle=ours_reordered,
    ),
    Difference(
        heading="A sort key without effect leaves the usual order",
        applies=_is_ignored,
        settle=ours_reordered,
    ),
    Difference(
        heading="A refusal names the sort keys in order",
        applies=lambda it: it.nova.status == 400 and _has(it, "sort_key"),
        settle=sorted_enumeration,
    ),
    Difference(
        heading="Next links keep what was asked",
        applies=lambda it: it.nova.next_path is not None,
        settle=repeated_in_links,
    ),
    Difference(
        heading="A server that was never updated shows when it was created",
        applies=lambda it: it.nova.status == 200,
        settle=created_as_updated,
    ),
    Difference(
        heading="The description can be filtered by",
        applies=lambda it: _has(it, "description"),
        settle=ours_is_a_part,
    ),
    Difference(
        heading="Filters only narrow",
        applies=lambda it: _has(it, "ip", "uuid"),
        settle=ours_is_a_part,
    ),
    Difference(
        heading="A semicolon is not a separator",
        applies=lambda it: ";" in it.question.path and it.ours.status == 400,
        settle=ours,
    ),
    Difference(
        heading="A NUL character is refused",
        applies=lambda it: "%00" in it.question.path and it.ours.status == 400,
        settle=ours,
    ),
    Difference(
        heading="Another project's server is not found",
        applies=lambda it: it.nova.status == 403 and it.ours.status == 404,
        settle=ours_in_path,
    ),
    Difference(
        heading="Names in paths are UTF-8",
        applies=lambda it: _is_not_ascii(it) and it.nova.status == 404,
        settle=ours,
    ),
    Difference(
        heading="Names in paths are compared exactly",
        applies=lambda it: it.nova.status < 300 and it.ours.status == 404,
        settle=ours_in_path,
    ),
    Difference(
        heading="Methods are told apart from paths",
        applies=lambda it: it.question.method != "GET",
        settle=ours,
    ),
    Difference(
        heading="Only 2.1 is served",
        applies=lambda it: path_of(it) == "/" or _is_of_no_version(it),
        settle=without_legacy_version,
    ),
    Difference(
        heading="Every answer has a request id",
        applies=lambda it: "request ids" not in it.nova.headers,
        settle=with_request_ids,
    ),
)
