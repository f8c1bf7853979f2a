# SPDX-License-Identifier: Apache-2.0
"""The URLs in answers: what they begin with, and the link to the next page. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

import falcon

from treetop.api.options import ApiOptions
from treetop.api.parameters import Parameters


def base_url(request: falcon.Request, options: ApiOptions) -> str:
    """Scheme and host as the client reaches them, without a slash at the end."""
    return (options.public_url or f"{request.scheme}://{request.netloc}{request.root_path}").rstrip("/")


def project_prefix(project_id: str | None) -> str:
    """What follows the version in a URL: the project, if the request's URL named it."""
    return "" if project_id is None else f"/{project_id}"


def next_page(url: str, pairs: Iterable[tuple[str, str]], marker: str) -> str:
    """`url` with the request's parameters, every repetition kept, and the marker of the next page.

    Nova keeps only one value of a repeated parameter, which changes the order or the filter from page 2 on.
    """
    asked = list(pairs)
    kept = [pair for pair in asked if pair[0] != "marker"]
    following = ("marker", marker)
    if len(kept) == len(asked):  # Nova leaves a marker among the others, and appends a first one
        query = [*sorted(kept, key=_name), following]
    else:
        query = sorted([*kept, following], key=_name)
    return f"{url}?{urlencode(query)}"


def _name(pair: tuple[str, str]) -> str:
    return pair[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """What the links of one answer begin with. project: `/ID` if the request's path has one, else empty."""

    base: str
    project: str

    def collection(self, path: str) -> str:
        """The URL of a list."""
        return f"{self.base}/v2.1{self.project}/{path}"

    def of(self, path: str) -> list[dict[str, str]]:
        """The two links of a document."""
        return [
            {"rel": "self", "href": self.collection(path)},
            {"rel": "bookmark", "href": f"{self.base}{self.project}/{path}"},
        ]

    def next(self, path: str, parameters: Parameters, marker: str) -> list[dict[str, str]]:
        """The link from a full page of a list to the page after `marker`. What Nova drops is not in it."""
        pairs = ((name, value) for name, values in parameters.items() for value in values)
        return [{"rel": "next", "href": next_page(self.collection(path), pairs, marker)}]


def links_of(request: falcon.Request, options: ApiOptions, project_id: str | None) -> Links:
    """The links for a request. project_id: of its path, if it has one."""
    return Links(base=base_url(request, options), project=project_prefix(project_id))
