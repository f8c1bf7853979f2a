# SPDX-License-Identifier: Apache-2.0
"""Connections that only read, for the API: a bounded pool with the session settings that answers rely on.

Values come back ready to be pasted: uuid, timestamp and jsonb columns as PostgreSQL's text, not as Python
objects (parsing them would cost about 40 ms for 1,000 servers). Sessions run in UTC and cancel what takes too
long.
"""

import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from psycopg import errors
from psycopg.pq import ExecStatus
from psycopg.types.string import TextLoader
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout, TooManyRequests

from treetop.errors import StoreUnavailable
from treetop.store.session import CONNECT_TIMEOUT_SECONDS, HALF_OPEN, store_errors

_AS_TEXT: Final = ("uuid", "timestamp", "jsonb", "json")
_CHECKOUT_SECONDS: Final = 2.0  # how long a request waits for a free connection before it is refused
_ANSWER_SECONDS: Final = (
    2.0  # and how long a server may take over an empty query before a connection is given up
)


def open_pool(conninfo: str, *, size: int, statement_timeout_seconds: float) -> ConnectionPool:
    """Open a pool of at most `size` connections; does not wait for the first one.

    So the API starts, and says 503, while the top is down; the pool connects again by itself. Close it with
    `.close()`.
    """
    return ConnectionPool(
        conninfo,
        min_size=1,
        max_size=size,
        timeout=_CHECKOUT_SECONDS,
        kwargs={
            "autocommit": True,
            "connect_timeout": CONNECT_TIMEOUT_SECONDS,
            "application_name": "treetop api",
            "options": f"-c timezone=UTC -c default_transaction_read_only=on "
            f"-c statement_timeout={round(statement_timeout_seconds * 1000)}",
            **HALF_OPEN,
        },
        configure=read_as_text,
        check=_require_answer,
        name="treetop-api",
        open=True,
    )


def _require_answer(connection: psycopg.Connection) -> None:
    """Raise `OperationalError` unless the server answers an empty query in time.

    One whose machine stands still keeps the connection and says nothing; libpq alone would wait for it for ever.
    """
    deadline = time.monotonic() + _ANSWER_SECONDS
    libpq = connection.pgconn
    libpq.send_query(b"")
    while libpq.is_busy():
        if not select.select([libpq.socket], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise psycopg.OperationalError("the server has the connection and does not answer")
        libpq.consume_input()
    while (result := libpq.get_result()) is not None:
        if result.status != ExecStatus.EMPTY_QUERY:
            raise psycopg.OperationalError("the server has closed the connection")


def open_marks_pool(conninfo: str) -> ConnectionPool:
    """Open the pool for the one thing that the API writes, `store.write_marks`; use it as the other with `reading`.

    A mark that a crash of the top loses was worth a few seconds: nobody waits for a disk.
    """
    return ConnectionPool(
        conninfo,
        min_size=0,
        max_size=2,
        timeout=_CHECKOUT_SECONDS,
        kwargs={
            "autocommit": True,
            "connect_timeout": CONNECT_TIMEOUT_SECONDS,
            "application_name": "treetop api marks",
            "options": "-c timezone=UTC -c synchronous_commit=off -c statement_timeout=2000",
            **HALF_OPEN,
        },
        check=_require_answer,
        name="treetop-marks",
        open=True,
    )


def read_as_text(connection: psycopg.Connection) -> None:
    """Make a connection return uuid, timestamp and JSON columns as text."""
    for type_name in _AS_TEXT:
        connection.adapters.register_loader(type_name, TextLoader)


@contextmanager
def reading(pool: ConnectionPool) -> Iterator[psycopg.Connection]:
    """Lend a connection.

    Raises `StoreUnavailable` if there is none in time, the database failed, or a statement took too long, and
    `SchemaMismatch` if it lacks our tables.
    """
    try:
        with store_errors(), _explained_cancel(), pool.connection() as connection:
            yield connection
    except (PoolTimeout, PoolClosed, TooManyRequests) as error:
        raise StoreUnavailable(
            f"no connection to the top's PostgreSQL: {error}",
            hint="check [store] connection and that its PostgreSQL runs",
        ) from error


@contextmanager
def _explained_cancel() -> Iterator[None]:
    try:
        yield
    except errors.QueryCanceled as error:
        raise StoreUnavailable(
            "the top's PostgreSQL took too long over this request",
            hint="ask for less (a project, a status, a simpler pattern), or raise the statement timeout",
        ) from error
