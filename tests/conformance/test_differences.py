# SPDX-License-Identifier: Apache-2.0
"""What differs on purpose is explained to the reader, one heading for each entry."""

import re
from pathlib import Path

from tests.conformance.differences import DIFFERENCES

_PAGE = Path(__file__).parents[2] / "docs" / "reference" / "differences-from-nova.md"


def test_every_difference_on_purpose_is_explained() -> None:
    headings = re.findall(r"^### (.*)$", _PAGE.read_text(), re.MULTILINE)

    assert headings == [difference.heading for difference in DIFFERENCES]
