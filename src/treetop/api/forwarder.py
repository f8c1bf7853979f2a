# SPDX-License-Identifier: Apache-2.0
"""One request over to a nova-api and its answer back, both bodies piece by piece.

In: the request and the `NovaEndpoint` it is for. Out: `Forwarded`, whose body holds a connection until it was read
or closed. Nothing is tried again: a write might be done twice. Raises `Fault`: 502 (Nova cannot be reached or
answers nonsense), 503 (as many requests as allowed are on their way), 504 (it takes too long). An answer that
breaks off in its middle ends the client's connection, so that it cannot be taken for whole.

The address is never in an answer, only in the log.
"""

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import falcon
import urllib3
from urllib3 import exceptions as http
from urllib3.util import SKIP_HEADER, Timeout

from treetop.api.fault import Fault, unavailable
from treetop.api.forwarded_headers import answer_headers, request_headers
from treetop.api.not_held import WRITING
from treetop.api.nova_endpoints import NovaEndpoint

log = logging.getLogger(__name__)

_PIECE_BYTES: Final = 65_536
_CONNECT_SECONDS: Final = 5.0
_BAD_GATEWAY, _GATEWAY_TIMEOUT = 502, 504
_BODILESS: Final = frozenset({204, 304})
#: What urllib3 would add if the client sent none.
_ADDED: Final = ("accept-encoding", "user-agent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarded:
    """Nova's answer. body: None if the answer has none; else to be iterated once, and closed."""

    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: "ForwardedBody | None"

    @property
    def is_success(self) -> bool:
        """Nova did what was asked."""
        return 200 <= self.status < 300


class ForwardedBody:
    """The pieces of an answer as they come. `close` gives the connection and the seat back, once."""

    def __init__(self, response: urllib3.BaseHTTPResponse, seats: threading.BoundedSemaphore) -> None:
        self._response = response
        self._seats = seats
        self._is_open = True

    def __iter__(self) -> Iterator[bytes]:
        try:
            while piece := self._response.read1(_PIECE_BYTES, decode_content=False):
                yield piece
        except http.HTTPError as error:
            log.warning("an answer of Nova broke off: %s", _reason(error))
            raise
        finally:
            self.close()

    def close(self) -> None:
        """End it; what was not read is not read any more."""
        if not self._is_open:
            return
        self._is_open = False
        self._response.close()
        self._response.release_conn()
        self._seats.release()


class Forwarder:
    """Connections to every nova-api, kept and used again; safe for many threads.

    most: requests on their way at the same time. answer_seconds: how long Nova may be silent.
    """

    def __init__(self, *, most: int, answer_seconds: float) -> None:
        self._seats = threading.BoundedSemaphore(most)
        self._pools = urllib3.PoolManager(
            num_pools=64,
            maxsize=most,
            retries=False,
            timeout=Timeout(connect=_CONNECT_SECONDS, read=answer_seconds),
            blocksize=_PIECE_BYTES,
        )

    def close(self) -> None:
        """Close the connections that are idle."""
        self._pools.clear()

    def forward(
        self, request: falcon.Request, endpoint: NovaEndpoint, target: str, *, public_url: str
    ) -> Forwarded:
        """Send it and return the answer once its headers are there. target: path and query, from `/v2.1` on."""
        if not self._seats.acquire(blocking=False):
            raise unavailable(
                f"Too many requests are on their way to {endpoint.name}: ask again.", retry_after_seconds=1
            )
        try:
            response = self._send(request, endpoint, target, public_url)
        except BaseException:
            self._seats.release()
            raise
        body = ForwardedBody(response, self._seats)
        if response.status in _BODILESS:
            body.close()
        return Forwarded(
            status=response.status,
            reason=response.reason or "",
            headers=answer_headers(response.headers.iteritems()),
            body=None if response.status in _BODILESS else body,
        )

    def _send(
        self, request: falcon.Request, endpoint: NovaEndpoint, target: str, public_url: str
    ) -> urllib3.BaseHTTPResponse:
        headers: dict[str, str] = dict.fromkeys(_ADDED, SKIP_HEADER)
        headers |= request_headers(request.env, public_url=public_url)
        length = request.content_length
        is_chunked = length is None and bool(request.env.get("wsgi.input_terminated"))
        if length:
            headers["content-length"] = str(length)
        body: Any = None  # a file to urllib3; Falcon's type of it knows only `read`
        if length or is_chunked:
            body = request.stream if is_chunked else request.bounded_stream
        folder = urllib3.util.parse_url(endpoint.url).path or ""
        try:
            return self._pools.connection_from_url(endpoint.url).urlopen(
                request.method,
                folder + target,
                body=body,
                headers=headers,
                chunked=is_chunked,
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
            )
        except http.HTTPError as error:
            is_late = isinstance(error, http.TimeoutError) and not isinstance(error, http.NewConnectionError)
            what = "did not answer in time" if is_late else "cannot be reached"
            status = _GATEWAY_TIMEOUT if is_late else _BAD_GATEWAY
            raise _failed(status, f"{endpoint.name} {what}", request, error) from error


def _failed(status: int, what: str, request: falcon.Request, error: Exception) -> Fault:
    log.warning("%s: %s %s: %s", what, request.method, request.path, _reason(error))
    is_sent = not isinstance(error, http.NewConnectionError | http.ConnectTimeoutError)
    doubt = " Whether it did what was asked is not known." if is_sent and request.method in WRITING else ""
    return Fault(status, f"{what[0].upper()}{what[1:]}.{doubt}")


def _reason(error: Exception) -> str:
    return str(error).strip() or type(error).__name__
