# SPDX-License-Identifier: Apache-2.0
"""Key pairs of a user out of the regions' own databases, by name without regard to case.

Where a user has the same name in two regions, the first one's is it. Raises `NotFound` for a marker that is none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg.rows import class_row

from treetop.errors import NotFound
from treetop.model.zone import ZoneId

# A user's rows by index nova_key_pairs_user: tens.
_READ: Final = """
    SELECT *
    FROM (
        SELECT DISTINCT ON (name) *
        FROM nova_key_pairs
        WHERE zone_id = ANY(%(zones)s::smallint[])
          AND user_id = %(user)s
          AND (%(name)s::text IS NULL OR name = %(name)s)
        ORDER BY name, array_position(%(zones)s::smallint[], zone_id)
    ) AS pairs
    WHERE %(marker)s::text IS NULL
       OR (lower(name) COLLATE "C", name COLLATE "C") > (lower(%(marker)s), %(marker)s)
    ORDER BY lower(name) COLLATE "C", name COLLATE "C"
    LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """One key pair. created_at, updated_at: text."""

    zone_id: int
    id: int
    created_at: str | None
    updated_at: str | None
    name: str
    user_id: str
    fingerprint: str | None
    public_key: str | None
    type: str | None


def list_keypairs(
    connection: psycopg.Connection,
    zone_ids: Sequence[ZoneId],
    user_id: str,
    *,
    limit: int | None = None,
    marker: str | None = None,
) -> list[KeyPair]:
    """At most `limit` (None: all) after the one named `marker`. zone_ids: the regions' databases."""
    if marker is not None and read_keypair(connection, zone_ids, user_id, marker) is None:
        raise NotFound(f"Marker {marker} could not be found.")
    return _read(connection, zone_ids, user_id, name=None, limit=limit, marker=marker)


def read_keypair(
    connection: psycopg.Connection, zone_ids: Sequence[ZoneId], user_id: str, name: str
) -> KeyPair | None:
    """A user's key pair of this name; None if there is none."""
    found = _read(connection, zone_ids, user_id, name=name, limit=1, marker=None)
    return found[0] if found else None


def _read(
    connection: psycopg.Connection,
    zone_ids: Sequence[ZoneId],
    user_id: str,
    *,
    name: str | None,
    limit: int | None,
    marker: str | None,
) -> list[KeyPair]:
    parameters = {"zones": list(zone_ids), "user": user_id, "name": name, "limit": limit, "marker": marker}
    with connection.cursor(row_factory=class_row(KeyPair)) as cursor:
        return cursor.execute(_READ, parameters).fetchall()
