# SPDX-License-Identifier: Apache-2.0
"""The corpus as a whole: which nouns there are, and every question of a matrix.

`questions(matrix)`, `sample()` -> walks (a first question, how many pages); a plain request is a walk of
one page.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from tests.conformance.asking import Question
from tests.conformance.corpus import (
    aggregates,
    availability_zones,
    discovery,
    flavors,
    hypervisors,
    keypairs,
    limits,
    quotas,
    server_filters,
    server_groups,
    server_order,
    server_parts,
    server_refusals,
    servers,
    services,
    usage,
)
from tests.conformance.corpus.names import NAMES
from tests.conformance.corpus.request import Request
from tests.conformance.region.plan import ASKERS

CORPUS: Final[Mapping[str, tuple[Request, ...]]] = MappingProxyType(
    {
        "servers": servers.REQUESTS,
        "server filters": server_filters.REQUESTS,
        "server order": server_order.REQUESTS,
        "server refusals": server_refusals.REQUESTS,
        "server parts": server_parts.REQUESTS,
        "flavors": flavors.REQUESTS,
        "hypervisors": hypervisors.REQUESTS,
        "services": services.REQUESTS,
        "aggregates": aggregates.REQUESTS,
        "availability zones": availability_zones.REQUESTS,
        "server groups": server_groups.REQUESTS,
        "usage": usage.REQUESTS,
        "limits": limits.REQUESTS,
        "quotas": quotas.REQUESTS,
        "keypairs": keypairs.REQUESTS,
        "discovery": discovery.REQUESTS,
    }
)

EVERY_MINOR: Final = (1, 26, 47, 69, 73, 79, 90, 96, 100, 104)
SAMPLED_PAGES: Final = 3
_ROOT: Final = "="  # a path that is not below /v2.1


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """nouns of `CORPUS`, asked at each of `minors` by each of `askers`."""

    nouns: tuple[str, ...] = tuple(CORPUS)
    minors: tuple[int, ...] = EVERY_MINOR
    askers: tuple[str, ...] = ("admin", "member")


@dataclass(frozen=True, kw_only=True)
class Walk:
    """A question and how many pages are asked for from there, along each side's own links."""

    noun: str
    first: Question
    pages: int


def questions(matrix: Matrix) -> Iterator[Walk]:
    """Every walk of the matrix."""
    for noun in matrix.nouns:
        for request in CORPUS[noun]:
            if _says_version(request):
                for asker in matrix.askers:
                    yield _walk(noun, request, None, asker)
                continue
            for minor in matrix.minors:
                for asker in matrix.askers:
                    yield _walk(noun, request, minor, asker)
            for minor in (matrix.minors[0], matrix.minors[-1]):
                for asker in request.also:
                    yield _walk(noun, request, minor, asker)


def sample() -> Iterator[Walk]:
    """Every request once by each asker of the matrix, at microversions that take turns; walks are cut short."""
    matrix = Matrix()
    for noun in matrix.nouns:
        for number, request in enumerate(CORPUS[noun]):
            for turn, asker in enumerate(matrix.askers):
                minor = EVERY_MINOR[(number + turn * len(EVERY_MINOR) // 2) % len(EVERY_MINOR)]
                walk = _walk(noun, request, None if _says_version(request) else minor, asker)
                yield replace(walk, pages=min(walk.pages, SAMPLED_PAGES))


def _says_version(request: Request) -> bool:
    return any(name.lower().endswith("api-version") for name in request.headers)


def _walk(noun: str, request: Request, minor: int | None, asker: str) -> Walk:
    path = request.path.format_map(NAMES)
    path = path.removeprefix(_ROOT) if path.startswith(_ROOT) else f"/v2.1{path}"
    first = Question(
        path=path, minor=minor, asker=ASKERS[asker], method=request.method, headers=request.headers
    )
    return Walk(noun=noun, first=first, pages=request.pages)
