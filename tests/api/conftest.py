# SPDX-License-Identifier: Apache-2.0
"""The API in-process over a fresh top: `top` (to write rows), `api` (to ask)."""

import json
import threading
from contextlib import contextmanager

import falcon.testing
import psycopg
import pytest

from tests.api import two_projects
from tests.api.passing import fronting, nova
from tests.store.builders import PROJECT, a_zone
from treetop.api.app import make_app
from treetop.api.auth import noauth
from treetop.api.caller import reader_of
from treetop.api.options import ApiOptions
from treetop.api.server_process import ApiServer, Listening
from treetop.model.zone import ZoneId
from treetop.nova.mirrored_tables import MIRRORED_API_TABLES, MIRRORED_CELL_TABLES, top_table
from treetop.store.migrate import sync_schema
from treetop.store.partition import drop_partition
from treetop.store.pool import open_pool

__all__ = ["fronting", "nova"]

#: What PostgreSQL would compare with a name of 251 letters `a` for hours, as in a URL.
RUNAWAY_PATTERN = r"^((a%2B)\2)%2B$"


class Client:
    """Asks the API as an administrator of the builders' project, unless told otherwise."""

    def __init__(self, pool, authenticator=noauth, **options):
        self._client = falcon.testing.TestClient(
            make_app(pool, authenticator=authenticator, options=ApiOptions(**options))
        )

    def ask(self, path, minor=1, *, method="GET", headers=None):
        """`path` with its query string, as sent on the wire; minor None: no microversion header."""
        path, _, query = path.partition("?")
        sent = {"X-Project-Id": PROJECT} | (headers or {})
        if minor is not None:
            sent["OpenStack-API-Version"] = f"compute 2.{minor}"
        return self._client.simulate_request(method, path, query_string=query, headers=sent)

    def get(self, path, minor=1, **kwargs):
        """The document of an answer that must be 200."""
        answer = self.ask(path, minor, **kwargs)
        assert answer.status_code == 200, answer.text
        return json.loads(answer.content)

    def names(self, query="", minor=1, path="/v2.1/servers"):
        """The names of the listed servers, in order."""
        return [server["name"] for server in self.get(f"{path}?{query}", minor)["servers"]]

    def refusal(self, path, minor=1, **kwargs):
        """(status, fault name, message) of an answer that must be a fault."""
        answer = self.ask(path, minor, **kwargs)
        assert answer.status_code >= 400, answer.text
        ((name, fault),) = json.loads(answer.content).items()
        assert fault["code"] == answer.status_code
        return answer.status_code, name, fault["message"]


@pytest.fixture(scope="session")
def api_dsn(top_server):
    """One database for all tests of the API: `top` empties it, which is ten times as fast as a new one."""
    with psycopg.connect(top_server.conninfo(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE api")
    sync_schema(top_server.conninfo("api"))
    return top_server.conninfo("api")


@pytest.fixture(scope="session")
def pool(api_dsn):
    pool = open_pool(api_dsn, size=2, statement_timeout_seconds=5)
    yield pool
    pool.close()


@pytest.fixture(scope="session")
def crowded_pool(top_server):
    """Over a top with rows of two projects in every table (`two_projects`), which no test changes."""
    with psycopg.connect(top_server.conninfo(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE crowded")
    sync_schema(top_server.conninfo("crowded"))
    with psycopg.connect(top_server.conninfo("crowded"), autocommit=True) as connection:
        two_projects.fill(connection)
    pool = open_pool(top_server.conninfo("crowded"), size=2, statement_timeout_seconds=5)
    yield pool
    pool.close()


@pytest.fixture
def top(api_dsn):
    """An autocommit connection to a top that has zone 1 and nothing else."""
    with psycopg.connect(api_dsn, autocommit=True) as connection:
        for (zone_id,) in connection.execute("SELECT id FROM zone").fetchall():
            connection.execute(drop_partition(ZoneId(zone_id)))
        tables = (*MIRRORED_API_TABLES, *MIRRORED_CELL_TABLES)
        connection.execute("TRUNCATE zone, zone_position, zone_status, server_feed, write_mark")
        for name in tables:  # a few rows at most: five times as fast as TRUNCATE of them all
            connection.execute(f"DELETE FROM {top_table(name)}")
        a_zone(connection)
        yield connection


@pytest.fixture
def api(pool, top):
    return Client(pool)


@pytest.fixture
def reader_api(pool, top):
    return Client(pool, authenticator=lambda _request, _project: reader_of(PROJECT))


@contextmanager
def serving(app):
    """The port of a server that answers with `app` meanwhile."""
    server = ApiServer(app, Listening(host="127.0.0.1", port=0, threads=2))
    thread = threading.Thread(target=server.run)
    thread.start()
    yield server.port
    server.stop()
    thread.join(10)
    assert not thread.is_alive()


@pytest.fixture
def port(pool, top):
    """The port of a running server over the builders' top."""
    with serving(make_app(pool, authenticator=noauth, options=ApiOptions())) as port:
        yield port


@pytest.fixture
def impatient_api(api_dsn, top):
    """The API over a pool whose statements are cut off after 0.2 s."""
    pool = open_pool(api_dsn, size=1, statement_timeout_seconds=0.2)
    yield Client(pool)
    pool.close()
