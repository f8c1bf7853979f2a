# SPDX-License-Identifier: Apache-2.0
"""What arrives as bytes that no client library sends: answered or refused, and the next request is served."""

import socket
from contextlib import suppress

import pytest

from tests.api.conftest import serving
from treetop.api.app import make_app
from treetop.api.auth import noauth
from treetop.api.options import ApiOptions

BIG = 100_000


@pytest.fixture(scope="module")
def port(crowded_pool):
    with serving(make_app(crowded_pool, authenticator=noauth, options=ApiOptions())) as port:
        yield port


def exchange(port, sent):
    """The first line and the rest of what comes back until the server has said all (it is told to close)."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(sent)
        received = bytearray()
        with suppress(ConnectionResetError):  # of a server that has read enough
            while part := connection.recv(65536):
                received += part
    first, _, rest = bytes(received).partition(b"\r\n")
    return first.decode(), rest


def get(target, *headers, method=b"GET"):
    lines = [method + b" " + target + b" HTTP/1.1", b"Host: x", b"Connection: close", *headers]
    return b"\r\n".join([*lines, b"", b""])


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (get(b"/v2.1/servers?name=" + b"a" * BIG), 200),
        (get(b"/v2.1/servers?" + b"name=a&" * (BIG // 7)), 200),
        (get(b"/v2.1/servers/" + b"a" * BIG), 404),
        (get(b"/" + b"a/" * (BIG // 2)), 300),
        (get(b"/v2.1/servers/%00"), 404),
        (get(b"/v2.1/servers/%ff%fe"), 404),
        (get(b"/v2.1/servers/..%2f..%2fetc"), 404),
        (get(b"/v2.1/../v2.1/servers"), 404),
        (get(b"//v2.1//servers"), 404),
        (get(b"/v2.1/servers?name=\xff"), 400),
        (get(b"/v2.1/servers", b"OpenStack-API-Version: compute 2." + b"9" * BIG), 400),
        (get(b"/v2.1/servers", b"OpenStack-API-Version: \xff\xfe"), 200),  # names no service of ours
        (get(b"/v2.1/servers", *[b"OpenStack-API-Version: compute 2.26"] * 200), 200),
        (get(b"/v2.1/servers", b"X-Auth-Token: " + b"\xe9" * BIG), 200),
        (get(b"/v2.1/servers", b"X-Long: " + b"x" * 300_000), 431),
        (get(b"/v2.1/servers", b"Content-Length: 5") + b"hello", 200),
        (get(b"/v2.1/servers", b"Content-Length: five"), 400),
        (get(b"/v2.1/servers", b"Content-Length: -1"), 400),
        (get(b"/v2.1/servers", b"Transfer-Encoding: chunked") + b"zz\r\n", 400),
        (get(b"/v2.1/servers", b"Transfer-Encoding: x, chunked"), 501),
        (get(b"/v2.1/servers", b"no colon"), 400),
        (get(b"http://evil.example.org/v2.1/servers"), 200),
        (b"\x16\x03\x01\x02\x00\x01\x00" + b"\r\n\r\n", 400),
        (b"GET\r\n\r\n", 400),
    ],
    ids=range(24),
)
def test_bytes_that_no_client_sends_are_answered(port, sent, status):
    first, rest = exchange(port, sent)

    assert first.split()[1] == str(status)
    assert b"Traceback" not in rest
    assert exchange(port, get(b"/healthcheck"))[0].split()[1] == "200"


def test_a_connection_that_says_nothing_keeps_nobody_waiting(port):
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
    try:
        for connection in silent:
            connection.sendall(b"GET /v2.1/servers HTTP/1.1\r\nHost")

        assert exchange(port, get(b"/healthcheck"))[0].split()[1] == "200"
    finally:
        for connection in silent:
            connection.close()
