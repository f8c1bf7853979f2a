# SPDX-License-Identifier: Apache-2.0
"""What an operator decides about the API's answers. Made by `config`'s reader, never by the API itself."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiOptions:
    """page_rows_max: servers in one answer at most, as Nova's `[api] max_limit`.

    stale_after_seconds: a live zone that is further behind is named in `Treetop-Zones-Stale`.
    public_url: what links begin with; None: the scheme and host of the request.
    """

    page_rows_max: int = 1000
    stale_after_seconds: float = 15.0
    public_url: str | None = None
