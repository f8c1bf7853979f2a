# SPDX-License-Identifier: Apache-2.0
"""Exceptions -> answers, in one place: Nova's fault documents, and its plain text for what is not routed.

What a caller did wrong is told in full, that the top does not answer as well; what else went wrong inside is told in
the log, with the request's id, and never in the answer. Facts: Nova 34, api/openstack/wsgi.py (names of faults),
measured texts.
"""

import logging
from typing import Any, Final

import falcon
import orjson

from treetop.api.fault import BAD_REQUEST, NOT_FOUND, UNAVAILABLE, Fault
from treetop.api.not_held import not_held
from treetop.errors import NotFound, Refuse, Retry, SchemaMismatch, StopZone, TreetopError

log = logging.getLogger(__name__)

_NAMES: Final = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    409: "conflictingRequest",
    413: "overLimit",
    415: "badMediaType",
    429: "overLimit",
    501: "notImplemented",
    503: "serviceUnavailable",
}
CONTENT_TYPE: Final = "application/json; charset=UTF-8"
_INTERNAL: Final = 500
_RETRY_SECONDS: Final = 2
_METHOD_NOT_ALLOWED: Final = 405
_NOVA: Final = "/v2"


def add_error_handlers(app: falcon.App) -> None:  # type: ignore[type-arg]
    """Make the app answer every exception."""
    app.add_error_handler(Exception, _unexpected)
    app.add_error_handler(falcon.HTTPError, _http_error)
    app.add_error_handler(Refuse, _refused)
    app.add_error_handler(Retry, _unavailable)
    for kind in (SchemaMismatch, StopZone):
        app.add_error_handler(kind, _out_of_order)
    app.add_error_handler(falcon.HTTPRouteNotFound, _not_routed)
    app.add_error_handler(falcon.HTTPMethodNotAllowed, _method_not_allowed)


def answer_fault(response: falcon.Response, status: int, message: str) -> None:
    """Write a fault document."""
    response.status = status
    response.data = fault_document(status, message)
    response.content_type = CONTENT_TYPE


def fault_document(status: int, message: str) -> bytes:
    """The body of a refusal."""
    return orjson.dumps({_NAMES.get(status, "computeFault"): {"code": status, "message": message}})


def answer_not_routed(response: falcon.Response) -> None:
    """Write Nova's plain text for a path that leads nowhere."""
    response.status = NOT_FOUND
    response.content_type = "text/plain; charset=UTF-8"
    response.text = "404 Not Found\n\nThe resource could not be found.\n\n   "


def _refused(_request: falcon.Request, response: falcon.Response, error: Refuse, _params: Any) -> None:
    status = BAD_REQUEST
    if isinstance(error, Fault):
        status = error.status
    elif isinstance(error, NotFound):
        status = NOT_FOUND
    answer_fault(response, status, str(error))
    if isinstance(error, Fault) and error.retry_after_seconds is not None:
        response.set_header("Retry-After", str(error.retry_after_seconds))


def _unavailable(
    request: falcon.Request, response: falcon.Response, error: TreetopError, _params: Any
) -> None:
    _answer_later(request, response, error, str(error))


def _out_of_order(
    request: falcon.Request, response: falcon.Response, error: TreetopError, _params: Any
) -> None:
    """A person has to mend it; the reason names tables and rights."""
    _answer_later(request, response, error, f"The top cannot be read. {_where_the_reason_is(request)}")


def _answer_later(
    request: falcon.Request, response: falcon.Response, error: TreetopError, message: str
) -> None:
    log.warning(
        "request could not be answered",
        extra={"path": request.path, "reason": str(error), "hint": error.hint, **_ids(request)},
    )
    answer_fault(response, UNAVAILABLE, message)
    response.set_header("Retry-After", str(_RETRY_SECONDS))


def _http_error(
    _request: falcon.Request, response: falcon.Response, error: falcon.HTTPError, _params: Any
) -> None:
    answer_fault(response, error.status_code, error.description or str(error.title))


def _not_routed(
    request: falcon.Request, response: falcon.Response, _error: falcon.HTTPError, _params: Any
) -> None:
    fault = not_held(request.method, request.path)
    if fault is not None:
        answer_fault(response, fault.status, str(fault))
        return
    answer_not_routed(response)


def _method_not_allowed(
    request: falcon.Request, response: falcon.Response, error: falcon.HTTPError, params: Any
) -> None:
    """Nova knows no such answer; our own paths give it."""
    if request.path == "/" or request.path.startswith(_NOVA):
        _not_routed(request, response, error, params)
        return
    answer_fault(response, _METHOD_NOT_ALLOWED, f"{request.method} is not possible here: this only reads.")
    response.set_headers(error.headers or {})


def _unexpected(request: falcon.Request, response: falcon.Response, error: Exception, _params: Any) -> None:
    log.error(
        "request failed",
        exc_info=error,
        extra={"path": request.path, "hint": "report it with this traceback", **_ids(request)},
    )
    answer_fault(
        response,
        _INTERNAL,
        f"Unexpected API Error ({type(error).__name__}). {_where_the_reason_is(request)}",
    )


def _where_the_reason_is(request: falcon.Request) -> str:
    return f"The log of this API has the reason under {_ids(request).get('request_id', 'this time')}."


def _ids(request: falcon.Request) -> dict[str, str]:
    """The request's own id, and the one that its sender ties requests of several services together by."""
    names = ("request_id", "global_request_id")
    found = {name: getattr(request.context, name, None) for name in names}
    return {name: value for name, value in found.items() if value is not None}
