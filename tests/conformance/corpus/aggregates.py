# SPDX-License-Identifier: Apache-2.0
"""Host aggregates."""

from typing import Final

from tests.conformance.corpus.request import once

REQUESTS: Final = (
    *once("/os-aggregates", "/os-aggregates/1", also=("reader",)),
    *once(
        "/os-aggregates/2",
        "/os-aggregates/3",
        "/os-aggregates/4",
        "/os-aggregates/99",
        "/os-aggregates/x",
        "/os-aggregates/0",
        "/os-aggregates/-1",
        "/os-aggregates/{aggregate_uuid}",
        "/os-aggregates?unknown=1",
        "/os-aggregates/1?unknown=1",
    ),
)
