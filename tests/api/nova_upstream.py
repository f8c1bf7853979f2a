# SPDX-License-Identifier: Apache-2.0
"""A nova-api for tests of what is passed through to it: real HTTP, but what it says is the test's.

Notes each request as it came over the wire, and answers with the next `Reply`, or an empty 202. Bodies are read and
written piece by piece and only their lengths are kept.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Reply:
    """length None: chunked. breaks_off: close the connection instead of the last piece."""

    status: int = 202
    reason: str = "Accepted"
    headers: list[tuple[str, str]] = field(default_factory=list)
    pieces: Iterable[bytes] = ()
    length: int | None = 0
    breaks_off: bool = False


@dataclass
class Received:
    """One request."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body_bytes: int
    body_start: bytes

    def header(self, name):
        """The values of a header, in order."""
        return [value for given, value in self.headers if given.lower() == name.lower()]


class NovaUpstream:
    """url: where it listens. received: what came. replies: what it says next."""

    def __init__(self):
        self.received: list[Received] = []
        self.replies: list[Reply] = []
        self.before_answering = lambda: None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(upstream):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            upstream.received.append(self.read())
            upstream.before_answering()
            self.reply(upstream.replies.pop(0) if upstream.replies else Reply())

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

        def read(self):
            start, total = b"", 0
            left = int(self.headers.get("Content-Length", 0))
            while left:
                piece = self.rfile.read(min(left, 65536))
                start = start or piece[:4096]
                total, left = total + len(piece), left - len(piece)
            return Received(self.command, self.path, self.headers.items(), total, start)

        def reply(self, reply):
            self.send_response_only(reply.status, reply.reason)
            for name, value in reply.headers:
                self.send_header(name, value)
            if reply.length is None:
                self.send_header("Transfer-Encoding", "chunked")
            elif reply.status != 204:
                self.send_header("Content-Length", str(reply.length))
            self.end_headers()
            for piece in reply.pieces:
                head, tail = (b"%x\r\n" % len(piece), b"\r\n") if reply.length is None else (b"", b"")
                self.wfile.write(head + piece + tail)
            self.close_connection = reply.breaks_off
            if reply.length is None and not reply.breaks_off:
                self.wfile.write(b"0\r\n\r\n")

        def log_message(self, *_):
            pass

    return Handler
