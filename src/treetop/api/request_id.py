# SPDX-License-Identifier: Apache-2.0
"""The id of a request: made here, shown in the answer's headers and in the log to match both."""

import re
from typing import Final
from uuid import uuid4

HEADERS: Final = ("x-openstack-request-id", "x-compute-request-id")
#: Where an id made around the API is kept in the WSGI environment.
ENVIRON_KEY: Final = "treetop.request_id"
GLOBAL_HEADER: Final = "X-OpenStack-Request-ID"

_PATTERN = re.compile(r"req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def new_request_id() -> str:
    """A fresh id in the form all OpenStack services use."""
    return f"req-{uuid4()}"


def global_request_id(header: str | None) -> str | None:
    """The id that the caller sent along to tie requests of several services together; None unless
    well-formed.
    """
    return header if header is not None and _PATTERN.fullmatch(header) else None


def answer_headers(request_id: str) -> dict[str, str]:
    """The two headers of every answer."""
    return dict.fromkeys(HEADERS, request_id)
