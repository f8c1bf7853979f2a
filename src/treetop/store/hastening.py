# SPDX-License-Identifier: Apache-2.0
"""A word from an API process to the workers of zones: write soon how far you are.

An idle zone's instant moves about once a second. Where somebody waits for it, PostgreSQL's NOTIFY, which readers
may use too, tells its worker to find out and write it now. Nothing depends on the word: without it, it takes that
second.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import psycopg

from treetop.model.zone import ZoneId
from treetop.store.session import store_errors

_CHANNEL: Final = "treetop_hasten"
_PAYLOAD: Final = re.compile(r"([0-9]{1,5}) ([0-9]{1,10}(?:\.[0-9]+)?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """Somebody waits for a zone as of an instant (the top's clock)."""

    zone_id: ZoneId
    until: datetime


def hasten(connection: psycopg.Connection, zone_ids: Sequence[ZoneId], *, seconds_ahead: float = 0.0) -> None:
    """Say to the workers of these zones that the present is waited for, or so many seconds later.

    Heard at the commit. A standby cannot say it, and does nothing.
    """
    connection.execute(
        "SELECT pg_notify(%(channel)s,"
        " id || ' ' || (extract(epoch FROM clock_timestamp())::float8 + %(ahead)s::float8))"
        " FROM unnest(%(zones)s::integer[]) AS id WHERE NOT pg_is_in_recovery()",
        {"channel": _CHANNEL, "zones": list(zone_ids), "ahead": seconds_ahead},
    )


def listen(connection: psycopg.Connection) -> None:
    """Begin to listen on a connection of one's own, in autocommit."""
    with store_errors():
        connection.execute(f"LISTEN {_CHANNEL}")


def heard(connection: psycopg.Connection, *, wait_seconds: float) -> list[Word]:
    """What was said since the last call, waiting up to so long for the first word."""
    with store_errors():
        payloads = [notify.payload for notify in connection.notifies(timeout=wait_seconds, stop_after=1)]
    return [
        Word(zone_id=ZoneId(int(match[1])), until=datetime.fromtimestamp(float(match[2]), UTC))
        for payload in payloads
        if (match := _PAYLOAD.fullmatch(payload))
    ]
