# SPDX-License-Identifier: Apache-2.0
"""Every way in which Treetop answers otherwise than Nova on purpose, as data.

Each entry is explained under its heading in docs/reference/differences-from-nova.md, in the same order; a test
keeps both lists the same, and `make conformance` fails when an entry is no longer needed. What an entry excuses
is as little as its `settle` can say: `settling` has the ways.
"""

from typing import Final

from tests.conformance.comparing import Difference, Exchange
from tests.conformance.region.build_requests import REQUESTED, requested_uuid
from tests.conformance.settling import (
    created_as_updated,
    each_host_status_by_itself,
    is_server_error,
    ours,
    ours_if_listed,
    ours_if_longer,
    ours_in_path,
    ours_is_a_part,
    ours_refusal,
    ours_reordered,
    parameters,
    path_of,
    repeated_in_links,
    sorted_enumeration,
    sorted_members,
    with_request_ids,
    without_content_type,
    without_legacy_version,
    without_project_in_links,
    without_requested,
)

_WORDLESS: Final = ("The server could not comply", "Marker None could not be found.")
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


def _project(exchange: Exchange) -> str:
    asker = exchange.question.asker
    return "" if asker is None else asker.project.id


def _is_not_ascii(exchange: Exchange) -> bool:
    return not path_of(exchange).isascii()


def _is_paged(exchange: Exchange, *nouns: str) -> bool:
    return _has(exchange, "limit") and any(noun in path_of(exchange) for noun in nouns)


def _is_named(exchange: Exchange) -> bool:
    """Say whether a path ends in a name that is compared as text: of a flavor, a tag, a key pair…"""
    return any(f"/{noun}/" in path_of(exchange) for noun in ("flavors", "tags", "os-keypairs"))


def _is_of_no_version(exchange: Exchange) -> bool:
    return exchange.nova.status == 300


DIFFERENCES: Final[tuple[Difference, ...]] = (
    Difference(
        heading="Sorting by a column with NULLs works",
        applies=lambda it: bool(_sort_keys(it)) and is_server_error(it, "TypeError"),
        settle=ours_if_listed,
    ),
    Difference(
        heading="Other errors of Nova's own are not repeated",
        applies=lambda it: path_of(it).endswith("/statistics") and is_server_error(it, "KeyError"),
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
        heading="Links have a project if the path began with one",
        applies=lambda it: (
            not path_of(it).startswith(f"/v2.1/{_project(it)}") and _project(it) in it.question.path
        ),
        settle=without_project_in_links,
    ),
    Difference(
        heading="A server that was never updated shows when it was created",
        applies=lambda it: it.nova.status == 200,
        settle=created_as_updated,
    ),
    Difference(
        heading="A deleted server has no host status",
        applies=lambda it: _has(it, "deleted") or _has(it, "status") or _has(it, "changes-since"),
        settle=each_host_status_by_itself,
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
        heading="Requested servers are filtered as others are",
        applies=lambda it: _has(it, "locked"),
        settle=without_requested,
    ),
    Difference(
        heading="What belongs to a requested server is shown",
        applies=lambda it: any(f"/{requested_uuid(name)}/" in path_of(it) for name in REQUESTED),
        settle=ours,
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
        applies=lambda it: "/servers/" in path_of(it) and it.nova.status == 403 and it.ours.status == 404,
        settle=ours_in_path,
    ),
    Difference(
        heading="Names in paths are UTF-8",
        applies=lambda it: _is_not_ascii(it) and it.nova.status == 404,
        settle=ours,
    ),
    Difference(
        heading="Names in paths are compared exactly",
        applies=lambda it: _is_named(it) and it.nova.status < 300 and it.ours.status == 404,
        settle=ours_in_path,
    ),
    Difference(
        heading="Aggregates are in order of their ids",
        applies=lambda it: path_of(it).endswith("/os-aggregates"),
        settle=ours_reordered,
    ),
    Difference(
        heading="Members of a server group are in order of their ids",
        applies=lambda it: "/os-server-groups" in path_of(it),
        settle=sorted_members,
    ),
    Difference(
        heading="A page is full although something on it is not shown",
        applies=lambda it: _is_paged(it, "/os-hypervisors", "/os-migrations"),
        settle=ours_if_longer,
    ),
    Difference(
        heading="Hypervisors of hosts that are not mapped do not hide others",
        applies=lambda it: "is not mapped to any cell" in str(it.nova.body),
        settle=ours,
    ),
    Difference(
        heading="A refusal says what is refused",
        applies=lambda it: any(text in str(it.nova.body) for text in _WORDLESS),
        settle=ours_refusal,
    ),
    Difference(
        heading="An answer without a body has no content type",
        applies=lambda it: it.nova.status == 204,
        settle=without_content_type,
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
