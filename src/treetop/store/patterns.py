# SPDX-License-Identifier: Apache-2.0
"""A regular expression of a caller compared with a few values: by PostgreSQL, whose statement timeout ends what would
run for ever. Python's own matching cannot be interrupted.
"""

import re
from collections.abc import Collection
from typing import Final

import psycopg

from treetop.store.clause import Clause, readable_patterns

_SIGNS: Final = re.compile(r"[\\.^$*+?{}\[\]()|]")  # without one of these a pattern means itself
_MATCHING: Final = "SELECT value FROM unnest(%s::text[]) AS value WHERE value ~ %s"


def matching_values(connection: psycopg.Connection, pattern: str, values: Collection[str]) -> frozenset[str]:
    """The values in which the pattern is found, the case minded. Raises `Refuse` for one that cannot be compared."""
    if not values or _SIGNS.search(pattern) is None:
        return frozenset(value for value in values if pattern in value)
    with readable_patterns((Clause(template="", values=(pattern,), uses_pattern=True),)):
        found = connection.execute(_MATCHING, (list(values), pattern)).fetchall()
    return frozenset(value for (value,) in found)
