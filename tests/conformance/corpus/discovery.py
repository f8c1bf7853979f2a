# SPDX-License-Identifier: Apache-2.0
"""What clients ask before anything else: versions, extensions."""

from typing import Final

from tests.conformance.corpus.request import Request, once

REQUESTS: Final = (
    *(Request(path=f"={path}") for path in ("/", "/v2.1", "/v2.1/", "/v2.1?x=1", "/v9", "/nothing/here")),
    *once(
        "/extensions",
        "/extensions/os-keypairs",
        "/extensions/none",
        "/nothing",
        "/{member_project}/extensions",
    ),
)
