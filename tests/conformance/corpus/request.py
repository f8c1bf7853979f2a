# SPDX-License-Identifier: Apache-2.0
"""A request of the corpus, before it is asked at a microversion by somebody."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Request:
    """pages: how many pages to walk at most, each side along its own next links.

    askers: who asks besides the matrix' askers, at the first and the last microversion.
    headers: sent besides; with a microversion header among them it is asked once, not at every microversion.
    """

    path: str
    pages: int = 1
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    also: tuple[str, ...] = ()


def once(*paths: str, also: tuple[str, ...] = ()) -> tuple[Request, ...]:
    """Requests for one answer each."""
    return tuple(Request(path=path, also=also) for path in paths)


def walks(pages: int, *paths: str) -> tuple[Request, ...]:
    """Requests whose next links are followed."""
    return tuple(Request(path=path, pages=pages) for path in paths)


def words(text: str) -> list[str]:
    """Names written one after another."""
    return text.split()
