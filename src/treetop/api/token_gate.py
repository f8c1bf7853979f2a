# SPDX-License-Identifier: Apache-2.0
"""Keystone's middleware in front of the API: a token, or a public path, or no answer.

What the middleware refuses with 401 goes out as it is, as clients know it from Nova. If it cannot find out
(Keystone is down, or refuses our own service user, or what it says makes no sense), the answer is a 503 that says so
and when to try again; its reason is in the log alone.
"""

import logging
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from keystonemiddleware.auth_token import AuthProtocol
from oslo_config import cfg

from treetop.api.versions import UNVERSIONED
from treetop.api.wsgi_fault import begin_fault

log = logging.getLogger(__name__)

#: The version documents and the health check, which Nova too answers to anybody, as it does paths without a version.
PUBLIC_PATHS: Final = frozenset({"/", "/v2.1", "/v2.1/", "/healthcheck", "/openapi.json"})
_ENTERED: Final = "treetop.token_is_good"
_TOKENS: Final = ("HTTP_X_AUTH_TOKEN", "HTTP_X_STORAGE_TOKEN", "HTTP_X_SERVICE_TOKEN")
_TOKEN_CHARACTERS_MAX: Final = 8_000  # Keystone's web server takes no longer header
_RETRY_SECONDS: Final = 5
_UNKNOWN: Final = (
    "The Keystone service is temporarily unavailable: it cannot be found out who sent the request."
)


class TokenGate:
    """A WSGI application around another. conf: with `[keystone_authtoken]` read."""

    def __init__(self, app: WSGIApplication, conf: cfg.ConfigOpts) -> None:
        self._app = app
        self._checked: WSGIApplication = AuthProtocol(self._enter, {"oslo_config_config": conf})

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Let the request in, or answer it."""
        path = environ.get("PATH_INFO", "")
        if path in PUBLIC_PATHS or UNVERSIONED.match(path):
            return self._app(environ, start_response)
        _drop_impossible(environ)
        begun: list[tuple[Any, ...]] = []

        def start(*arguments: Any) -> Callable[[bytes], object]:
            if _ENTERED in environ:
                return start_response(*arguments)
            begun[:] = [arguments]
            return lambda _data: None

        try:
            body = self._checked(environ, start)
        except Exception:
            if _ENTERED in environ:
                raise
            log.exception("tokens cannot be checked", extra={"hint": "see [keystone_authtoken]"})
            return _unavailable(start_response)
        if begun:
            if begun[0][0].startswith("503"):
                return _unavailable(start_response)
            start_response(*begun[0])
        return body

    def _enter(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ[_ENTERED] = True
        return self._app(environ, start_response)


def _drop_impossible(environ: WSGIEnvironment) -> None:
    """Take away what Keystone could not even be asked about, which would look as if Keystone was ill."""
    for name in _TOKENS:
        token = environ.get(name, "")
        if len(token) > _TOKEN_CHARACTERS_MAX or "\r" in token or "\n" in token:
            environ[name] = "-"


def _unavailable(start_response: StartResponse) -> Iterable[bytes]:
    return begin_fault(
        start_response, HTTPStatus.SERVICE_UNAVAILABLE, _UNKNOWN, {"Retry-After": str(_RETRY_SECONDS)}
    )
