# SPDX-License-Identifier: Apache-2.0
"""Limits of a project and what it uses of them."""

from typing import Final

from tests.conformance.corpus.request import once

REQUESTS: Final = (
    *once("/limits", also=("reader", "other member")),
    *once(
        "/limits?reserved=False",
        "/limits?tenant_id={other_project}",
        "/limits?tenant_id={third_project}",
        "/limits?tenant_id=none",
        "/limits?unknown=1",
    ),
)
