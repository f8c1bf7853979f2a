# SPDX-License-Identifier: Apache-2.0
"""A WSGI application under waitress: one address, a few threads, an orderly end.

Any other WSGI server will do in production; this one needs nothing else. Raises `Refuse` if the address
cannot be had.
"""

import errno
import logging
import signal
import socket
import threading
import time
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final
from wsgiref.types import WSGIApplication

import waitress
from waitress import wasyncore

from treetop.errors import Refuse

_BACKLOG: Final = 1024
_IDLE_SECONDS: Final = 120  # clients and proxies reuse connections
_CONNECTIONS: Final = 900  # idle ones count; a process may usually have 1,024 files open
_BODY_BYTES: Final = 64 * 1024 * 1024  # an answer waiting for a slow client stays in memory up to this
_QUEUED_BYTES: Final = (
    1024 * 1024
)  # of an answer in pieces: more is not asked for until the client took these
_HEADER_BYTES: Final = 262_144  # the client asks for hundreds of images by id in one URL
_REQUEST_BYTES: Final = 1024**3  # it is on disk until it is read
_WAKE_SECONDS: Final = 0.5  # how long a signal may go unnoticed
_FLUSH_SECONDS: Final = 2.0  # how long slow clients may take over the last bytes when the server ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where the API listens. host: address or name; port: 0 lets the system choose; threads: requests at
    once.
    """

    host: str
    port: int
    threads: int


class ApiServer:
    """A bound server. `run` blocks its thread until `stop`, from any thread, or a signal (`stop_on_signals`).

    is_behind_proxy, request_bytes_max: see `deploy.Deployed`.
    """

    def __init__(
        self,
        app: WSGIApplication,
        listening: Listening,
        *,
        is_behind_proxy: bool = False,
        request_bytes_max: int = _REQUEST_BYTES,
    ) -> None:
        self._socket = _bind(listening)
        self.port = int(self._socket.getsockname()[1])
        self._stopping = threading.Event()
        self._map: dict[int, Any] = {}  # waitress's channels by file descriptor; it has no types
        # It warns once per request that has to wait for a thread: nothing for a log under load.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        self._server = waitress.create_server(
            app,
            map=self._map,
            sockets=[self._socket],
            threads=listening.threads,
            backlog=_BACKLOG,
            connection_limit=_CONNECTIONS,
            channel_timeout=_IDLE_SECONDS,
            outbuf_overflow=_BODY_BYTES,
            outbuf_high_watermark=_QUEUED_BYTES,
            max_request_header_size=_HEADER_BYTES,
            ident=None,
            max_request_body_size=request_bytes_max,
            clear_untrusted_proxy_headers=not is_behind_proxy,
        )

    def run(self) -> None:
        """Serve until stopped; then finish what is being answered and close every connection."""
        try:
            while not self._stopping.is_set():
                self._loop()
        finally:
            self._server.task_dispatcher.shutdown()
            deadline = time.monotonic() + _FLUSH_SECONDS
            while self._has_output() and time.monotonic() < deadline:
                self._loop()
            wasyncore.close_all(self._map, ignore_all=True)

    def stop(self) -> None:
        """Let `run` end within half a second; idempotent, safe in a signal handler."""
        self._stopping.set()

    def stop_on_signals(self) -> None:
        """Stop at SIGTERM and SIGINT. Only the main thread may call it."""

        def handler(_number: int, _frame: FrameType | None) -> None:
            self.stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, handler)

    def _loop(self) -> None:
        wasyncore.loop(timeout=_WAKE_SECONDS, map=self._map, use_poll=True, count=1)

    def _has_output(self) -> bool:
        return any(getattr(channel, "total_outbufs_len", 0) > 0 for channel in self._map.values())


def _bind(listening: Listening) -> socket.socket:
    """A bound socket on the first address that the host's name has."""
    where = f"{listening.host}:{listening.port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            listening.host, listening.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
        except OSError:
            bound.close()
            raise
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Refuse(
                f"port {listening.port} on {listening.host} is taken",
                hint=f"stop what listens there (ss -ltnp 'sport = :{listening.port}'), "
                "or choose another port: --port NUMBER or [api] port",
            ) from error
        raise Refuse(
            f"cannot listen on {where}: {error.strerror or error}",
            hint="choose an address of this machine: --host ADDRESS or [api] host",
        ) from error
    return bound
