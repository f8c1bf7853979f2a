# SPDX-License-Identifier: Apache-2.0
"""How commands reach the top: one autocommit connection whose schema has been checked."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from cliff.command import Command

from treetop.config import Settings
from treetop.store.migrate import check_schema
from treetop.store.session import open_session


@contextmanager
def connected(settings: Settings) -> Iterator[psycopg.Connection]:
    """Yield a connection to the top; raises `Refuse` without one configured, `SchemaMismatch`, `StoreUnavailable`."""
    with open_session(settings.required_connection(), name="command") as conn:
        conn.autocommit = True
        check_schema(conn)
        yield conn


def settings_of(command: Command) -> Settings:
    """The settings that `cli.main` read before it made the command."""
    settings = command.app.settings  # type: ignore[attr-defined]  # cliff types every application as its base
    assert isinstance(settings, Settings)
    return settings
