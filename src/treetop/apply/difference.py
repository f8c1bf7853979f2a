# SPDX-License-Identifier: Apache-2.0
"""What a comparison of a zone with the top finds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

#: The `Difference.table` of servers: the top's table, not one of Nova's.
SERVER: Final = "server"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One server, or row of a mirrored table, that is not the same in the zone and at the top.

    table: `server`, or the name of Nova's table. key: the server's uuid, or the row's id.
    kind: `missing` (not at the top), `extra` (not in the zone), `different`.
    columns: of a `different` one, column -> (top's value, zone's value).
    """

    table: str
    key: str | int
    kind: str
    columns: Mapping[str, tuple[Any, Any]]  # Any: JSON values of any column
