# SPDX-License-Identifier: Apache-2.0
"""Flavors as the servers carry them: until the region's own table is read, those are the flavors there are.

A flavor that no live server has is not known, and one that was changed is known as its servers remember it.
"""

from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row

# Tens to hundreds of rows out of a scan of every live server: ask seldom (`api.flavors` keeps the answer).
_READ = """
    SELECT flavor_id AS id,
           max(flavor COLLATE "C") AS document
    FROM server
    WHERE NOT deleted
      AND flavor_id IS NOT NULL
      AND flavor IS NOT NULL
    GROUP BY flavor_id
    ORDER BY flavor_id COLLATE "C"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedFlavor:
    """document: JSON text in the form a server shows it from 2.47 on; where copies differ, one of them."""

    id: str
    document: str


def read_flavors(connection: psycopg.Connection) -> tuple[EmbeddedFlavor, ...]:
    """Every flavor of a live server, by id."""
    with connection.cursor(row_factory=class_row(EmbeddedFlavor)) as cursor:
        return tuple(cursor.execute(_READ).fetchall())
