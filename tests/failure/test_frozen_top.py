# SPDX-License-Identifier: Apache-2.0
"""The top's machine stands still: connections stay open and nobody answers. A list is a 503 soon, and comes back."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from tests.api.conftest import Client
from tests.servers import wait_until
from treetop.store.daemon import processes_in
from treetop.store.migrate import sync_schema
from treetop.store.pool import open_pool


@pytest.fixture
def frozen(own_postgres):
    """A server, and the function that stops and continues all of its processes."""
    server = own_postgres()
    sync_schema(server.conninfo("postgres"))
    with psycopg.connect(server.conninfo("postgres")) as connection:
        (folder,) = connection.execute("SHOW data_directory").fetchone()

    def send(number):
        for pid in processes_in(Path(folder)):
            with suppress(ProcessLookupError):  # a session's process that has ended since
                os.kill(pid, number)

    yield server, send
    send(signal.SIGCONT)


def test_a_list_is_refused_soon_and_answered_again(frozen):
    server, send = frozen
    pool = open_pool(server.conninfo("postgres"), size=2, statement_timeout_seconds=1)
    try:
        api = Client(pool)
        assert api.get("/v2.1/servers") == {"servers": []}

        send(signal.SIGSTOP)
        assert api.refusal("/v2.1/servers")[:2] == (503, "serviceUnavailable")

        send(signal.SIGCONT)
        wait_until(
            "lists are answered again", lambda: api.ask("/v2.1/servers").status_code == 200, seconds=30
        )
    finally:
        pool.close()
