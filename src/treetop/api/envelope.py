# SPDX-License-Identifier: Apache-2.0
"""What every answer has, whoever gives it: a request id, and a fault document instead of a traceback."""

import logging
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from treetop.api.request_id import ENVIRON_KEY, answer_headers, new_request_id
from treetop.api.wsgi_fault import begin_fault

log = logging.getLogger(__name__)


class Envelope:
    """A WSGI application around another."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, with the id in headers."""
        environ[ENVIRON_KEY] = request_id = new_request_id()

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Callable[[bytes], object]:
            present = {name.lower() for name, _ in headers}
            missing = [pair for pair in answer_headers(request_id).items() if pair[0] not in present]
            return start_response(status, [*headers, *missing], *rest)

        try:
            return self._app(environ, start)
        except Exception:
            log.exception(
                "request failed around the API",
                extra={"request_id": request_id, "hint": "report it with this traceback"},
            )
            message = f"Unexpected API Error. The log of this API has the reason under {request_id}."
            return begin_fault(start, HTTPStatus.INTERNAL_SERVER_ERROR, message)
