# SPDX-License-Identifier: Apache-2.0
"""The one zone of a test of apply."""

import pytest

from tests.apply.claimed_top import claim_zone
from treetop.model.zone import Zone


@pytest.fixture
def zone(top_dsn: str) -> Zone:
    return claim_zone(top_dsn)
