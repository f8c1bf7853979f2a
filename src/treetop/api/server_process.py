# SPDX-License-Identifier: Apache-2.0
"""A WSGI application under waitress: one address, a few threads, an orderly end.

Any other WSGI server will do in production; this one needs nothing else. Raises `Refuse` if the port is
taken.
"""

import errno
import logging
import signal
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final

import waitress

from treetop.errors import Refuse

_BACKLOG: Final = 1024
_IDLE_SECONDS: Final = 120  # clients and proxies reuse connections
_BODY_BYTES: Final = 64 * 1024 * 1024  # an answer waiting for a slow client stays in memory up to this
_HEADER_BYTES: Final = 262_144  # the client asks for hundreds of images by id in one URL


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where the API listens. host: an address or name; port: 0 lets the system choose; threads: requests at
    once.
    """

    host: str
    port: int
    threads: int


class ApiServer:
    """A bound server. Made in one thread; `run` blocks its thread until `stop` or a signal."""

    def __init__(self, app: Callable[..., Any], listening: Listening) -> None:
        self._server = _bind(app, listening)
        self.port = int(self._server.effective_port)

    def run(self) -> None:
        """Serve until stopped; then finish the requests that are being answered."""
        self._server.run()
        self._server.close()

    def stop(self) -> None:
        """End `run`, from any thread; idempotent."""
        self._server.close()


def stop_on_signals() -> None:
    """Let SIGTERM and SIGINT end `ApiServer.run` in the main thread, which must be the caller."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)


def _bind(app: Callable[..., Any], listening: Listening) -> Any:  # Any: waitress has no types
    # It warns once per request that has to wait for a thread: nothing for a log under load.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    try:
        return waitress.create_server(
            app,
            host=listening.host,
            port=listening.port,
            threads=listening.threads,
            backlog=_BACKLOG,
            channel_timeout=_IDLE_SECONDS,
            outbuf_overflow=_BODY_BYTES,
            outbuf_high_watermark=_BODY_BYTES,
            max_request_header_size=_HEADER_BYTES,
            ident=None,
            clear_untrusted_proxy_headers=True,
        )
    except OSError as error:
        where = f"{listening.host}:{listening.port}"
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
    except ValueError as error:  # waitress's word for a name that does not resolve
        raise Refuse(
            f"cannot listen on {listening.host}: {error}", hint="write an address such as 127.0.0.1"
        ) from error


def _stop(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)  # waitress's loop ends on it and lets the threads finish
