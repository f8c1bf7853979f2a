# SPDX-License-Identifier: Apache-2.0
"""A request's path and query as they came over the wire, for passing them on unchanged. Pure.

WSGI hands out a decoded path, in which `%2F` and `/` look alike. Servers put what was sent beside it: waitress
and uWSGI as REQUEST_URI, gunicorn as RAW_URI. Only paths below `/v2.1` without `.` and `..` segments, however
written, pass: what Nova's web server has beside its API is nobody's business.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, unquote_to_bytes, urlsplit

_ROOT: Final = "/v2.1"
_SAFE: Final = "/%:@!$&'()*+,;=~-._"


def raw_target(environ: Mapping[str, Any]) -> str | None:  # Any: WSGI's
    """Path and query from `/v2.1` on; None: nothing that may be passed on."""
    decoded: str = environ.get("PATH_INFO", "")
    if decoded != _ROOT and not decoded.startswith(f"{_ROOT}/"):
        return None
    raw = _sent_path(environ, decoded)
    if any(unquote_to_bytes(segment) in (b".", b"..") for segment in raw.split("/")) or "\\" in decoded:
        return None
    if any(segment in (".", "..") for segment in decoded.split("/")):  # of an encoded slash
        return None
    query = environ.get("QUERY_STRING", "")
    return f"{raw}?{query}" if query else raw


def _sent_path(environ: Mapping[str, Any], decoded: str) -> str:  # Any: WSGI's
    """The path as sent if the server says it and it is the one that was routed, else the routed one, encoded."""
    sent = str(environ.get("REQUEST_URI") or environ.get("RAW_URI") or "")
    folder: str = environ.get("SCRIPT_NAME", "")
    try:
        path = sent.partition("?")[0] if sent.startswith("/") else urlsplit(sent).path
    except ValueError:
        path = ""
    for candidate in (path, path.removeprefix(folder)):
        if unquote_to_bytes(candidate).decode("latin-1") == decoded:
            return quote(candidate, safe=_SAFE, encoding="latin-1")
    return quote(decoded, safe=_SAFE.replace("%", ""), encoding="latin-1")
