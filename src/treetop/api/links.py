# SPDX-License-Identifier: Apache-2.0
"""The URLs in answers: what they begin with, and the link to the next page. Pure."""

from collections.abc import Iterable
from urllib.parse import urlencode

import falcon

from treetop.api.options import ApiOptions


def base_url(request: falcon.Request, options: ApiOptions) -> str:
    """Scheme and host as the client reaches them, without a slash at the end."""
    return (options.public_url or f"{request.scheme}://{request.netloc}").rstrip("/")


def project_prefix(project_id: str | None) -> str:
    """What follows the version in a URL: the project, if the request's URL named it."""
    return "" if project_id is None else f"/{project_id}"


def next_page(url: str, pairs: Iterable[tuple[str, str]], marker: str) -> str:
    """`url` with the request's parameters, every repetition kept, and the marker of the next page.

    Nova keeps only one value of a repeated parameter, which changes the order or the filter from page 2 on.
    """
    kept = sorted((pair for pair in pairs if pair[0] != "marker"), key=lambda pair: pair[0])
    return f"{url}?{urlencode([*kept, ('marker', marker)])}"
