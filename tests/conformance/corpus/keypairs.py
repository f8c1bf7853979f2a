# SPDX-License-Identifier: Apache-2.0
"""Key pairs of a user."""

from typing import Final

from tests.conformance.corpus.request import once, walks

REQUESTS: Final = (
    *once("/os-keypairs", also=("reader", "other member")),
    *once(
        "/os-keypairs/alpha",
        "/os-keypairs/x509",
        "/os-keypairs/key-%C3%BC",
        "/os-keypairs/theirs",
        "/os-keypairs/none",
        "/os-keypairs?limit=2",
        "/os-keypairs?limit=x",
        "/os-keypairs?limit=0",
        "/os-keypairs?marker=alpha",
        "/os-keypairs?marker=none",
        "/os-keypairs?user_id={other_user}",
        "/os-keypairs/theirs?user_id={other_user}",
        "/os-keypairs?unknown=1",
    ),
    *walks(4, "/os-keypairs?limit=2"),
)
