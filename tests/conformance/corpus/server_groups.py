# SPDX-License-Identifier: Apache-2.0
"""Server groups."""

from typing import Final

from tests.conformance.corpus.request import once, walks

REQUESTS: Final = (
    *once("/os-server-groups", "/os-server-groups/{spread}", also=("reader", "other member")),
    *once(
        "/os-server-groups?all_projects=True",
        "/os-server-groups?all_projects",
        "/os-server-groups?limit=1",
        "/os-server-groups?limit=1&offset=1",
        "/os-server-groups?offset=99",
        "/os-server-groups?limit=x",
        "/os-server-groups?limit=0",
        "/os-server-groups?offset=-1",
        "/os-server-groups?unknown=1",
        "/os-server-groups/{together}",
        "/os-server-groups/{group_of_other}",
        "/os-server-groups/{nobody}",
        "/os-server-groups/x",
    ),
    *walks(3, "/os-server-groups?limit=2&all_projects=1"),
)
