# SPDX-License-Identifier: Apache-2.0
"""A word from an API process to the workers of zones: write soon how far you are.

An idle zone's instant moves about once a second. Where somebody waits for it, PostgreSQL's NOTIFY, which readers
may use too, tells its worker to find out and write it now. Nothing depends on the word: without it, it takes that
second.
"""

from collections.abc import Sequence
from typing import Final

import psycopg

from treetop.model.zone import ZoneId
from treetop.store.session import store_errors

_CHANNEL: Final = "treetop_hasten"


def hasten(connection: psycopg.Connection, zone_ids: Sequence[ZoneId]) -> None:
    """Say it to the workers of these zones; heard at the commit. A standby cannot, and says nothing."""
    connection.execute(
        "SELECT pg_notify(%(channel)s, id::text) FROM unnest(%(zones)s::integer[]) AS id"
        " WHERE NOT pg_is_in_recovery()",
        {"channel": _CHANNEL, "zones": list(zone_ids)},
    )


def listen(connection: psycopg.Connection) -> None:
    """Begin to listen on a connection of one's own, in autocommit."""
    with store_errors():
        connection.execute(f"LISTEN {_CHANNEL}")


def heard(connection: psycopg.Connection, *, wait_seconds: float) -> frozenset[ZoneId]:
    """The zones that were named since the last call, waiting up to so long for the first one."""
    with store_errors():
        payloads = [notify.payload for notify in connection.notifies(timeout=wait_seconds, stop_after=1)]
    return frozenset(ZoneId(int(payload)) for payload in payloads if payload.isdecimal())
