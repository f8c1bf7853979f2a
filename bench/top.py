# SPDX-License-Identifier: Apache-2.0
"""A private top for benchmarks: an embedded PostgreSQL with the schema and one registered zone."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from treetop.model.source_url import parse_source_url
from treetop.model.zone import PasswordReference, SourceUrl, Trust, Zone, ZoneName
from treetop.store import leases
from treetop.store.embedded import EmbeddedPostgres
from treetop.store.migrate import sync_schema
from treetop.store.zones import add_zone

OWNER = "bench/1"
_SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "4GB", "checkpoint_timeout": "30min"}


@contextmanager
def private_top() -> Iterator[EmbeddedPostgres]:
    """A server with an empty, migrated database `postgres`; removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="treetop-bench-") as folder:
        server = EmbeddedPostgres(folder=Path(folder) / "top", settings=_SETTINGS, dies_with_parent=True)
        server.start()
        try:
            sync_schema(server.conninfo())
            yield server
        finally:
            server.remove()


def register(
    conninfo: str, name: str, url: SourceUrl | None = None, password: PasswordReference | None = None
) -> Zone:
    """Register a zone and claim it."""
    with psycopg.connect(conninfo, autocommit=True) as conn:
        zone = add_zone(
            conn,
            name=ZoneName(name),
            region="bench",
            trust=Trust.FULL,
            url=url or parse_source_url(f"mysql://u@h/{name}"),
            password=password,
        )
        leases.claim(conn, zone.id, owner=OWNER)
    return zone
