# SPDX-License-Identifier: Apache-2.0
"""What passing requests through to Nova needs, opened from the options and closed as one.

`open_proxy` gives None while `[proxy] nova_endpoint` is not set: then nothing of this exists, and no read pays
for it. Raises `Refuse` for URLs that cannot be meant.
"""

from dataclasses import dataclass

from psycopg_pool import ConnectionPool

from treetop.api.forwarder import Forwarder
from treetop.api.nova_endpoints import NovaEndpoints, parse_endpoints
from treetop.config import Settings
from treetop.store.pool import open_marks_pool


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """The way to every region's Nova. marks: a pool that may write `write_mark`.

    read_your_writes_seconds: how long after a write its caller's reads wait to see it; 0: they do not.
    passes_stale_reads: a read that demands fresher zones than there are goes to Nova instead of being refused.
    """

    endpoints: NovaEndpoints
    forwarder: Forwarder
    marks: ConnectionPool
    read_your_writes_seconds: float = 5.0
    passes_stale_reads: bool = False

    def close(self) -> None:
        """Close every connection."""
        self.forwarder.close()
        self.marks.close()


def open_proxy(settings: Settings) -> Proxy | None:
    """What the options ask for. Does not connect to any Nova."""
    endpoints = parse_endpoints(settings.nova_endpoint)
    if endpoints is None:
        return None
    return Proxy(
        endpoints=endpoints,
        forwarder=Forwarder(most=settings.proxy_connections, answer_seconds=settings.proxy_timeout_seconds),
        marks=open_marks_pool(settings.required_connection()),
        read_your_writes_seconds=settings.read_your_writes_seconds,
        passes_stale_reads=settings.pass_stale_reads,
    )
