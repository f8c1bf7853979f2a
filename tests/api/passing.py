# SPDX-License-Identifier: Apache-2.0
"""The API as a real server in front of a `NovaUpstream`, for tests: fixtures `nova` and `fronting`, and `ask`."""

import contextlib
import http.client
import json
import socket
import threading

import pytest

from tests.api.nova_upstream import NovaUpstream
from treetop.api.app import make_app
from treetop.api.auth import noauth
from treetop.api.forwarder import Forwarder
from treetop.api.nova_endpoints import parse_endpoints
from treetop.api.options import ApiOptions
from treetop.api.proxy import Proxy
from treetop.api.server_process import ApiServer, Listening
from treetop.store.pool import open_marks_pool


@pytest.fixture
def nova():
    upstream = NovaUpstream()
    yield upstream
    upstream.close()


def a_proxy(dsn, *endpoints, most=4, answer_seconds=20.0, **options):
    """The way to these, with marks at `dsn`."""
    return Proxy(
        endpoints=parse_endpoints(endpoints),
        forwarder=Forwarder(most=most, answer_seconds=answer_seconds),
        marks=open_marks_pool(dsn),
        **options,
    )


@contextlib.contextmanager
def in_front(pool, dsn, *endpoints, options=None, **proxy_options):
    """The port of an API that reads `pool` and keeps its marks at `dsn`, in front of these."""
    proxy = a_proxy(dsn, *endpoints, **proxy_options)
    app = make_app(pool, authenticator=noauth, options=options or ApiOptions(), proxy=proxy)
    server = ApiServer(app, Listening(host="127.0.0.1", port=0, threads=6))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server.port
    finally:
        server.stop()
        with contextlib.suppress(OSError):  # wakes it, else it looks twice a second
            socket.create_connection(("127.0.0.1", server.port)).close()
        thread.join()
        proxy.close()


@pytest.fixture
def fronting(pool, top, api_dsn):
    """Return `front(endpoint, …)` -> the port of an API in front of it; see `in_front`."""
    with contextlib.ExitStack() as stack:
        yield lambda *endpoints, **options: stack.enter_context(
            in_front(pool, api_dsn, *endpoints, **options)
        )


class Asking:
    """One connection to the API; closes itself."""

    def __init__(self, port):
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._connection.close()

    def ask(self, method, target, body=None, headers=None):
        self._connection.request(method, target, body=body, headers=headers or {})
        return self._connection.getresponse()


def ask(port, method, target, body=None, headers=None):
    """(status, headers as a dict with small names, body)."""
    with Asking(port) as asking:
        answer = asking.ask(method, target, body, headers)
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def fault(answer):
    status, _, body = answer
    ((name, document),) = json.loads(body).items()
    assert document["code"] == status
    return status, name, document["message"]
