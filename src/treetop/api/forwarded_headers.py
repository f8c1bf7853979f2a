# SPDX-License-Identifier: Apache-2.0
"""Headers of a request on its way to Nova, and of the answer on its way back. Pure.

All pass as they are, but: those that are about one connection only (RFC 9110, 7.6.1); the identity that
Keystone's middleware writes into a request, which Nova makes anew from the token; and `X-Forwarded-*`, which
say how the client reached us, for Nova's links (`[oslo_middleware] enable_proxy_headers_parsing`), and before which
Nova would take a client's own `Forwarded` (RFC 7239).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

_CONNECTION: Final = "connection keep-alive proxy-connection te trailer transfer-encoding upgrade"
_OF_CONNECTION: Final = frozenset([*_CONNECTION.split(), "proxy-authenticate", "proxy-authorization"])
#: Answered by the server that talks to the client; made anew for Nova.
_OF_HOP: Final = frozenset({"host", "expect", "content-length", "forwarded", "x-forwarded-prefix"})
_IDENTITY: Final = (
    "x-identity-status",
    "x-service-identity-status",
    "x-service-catalog",
    "x-is-admin-project",
    "x-roles",
    "x-role",
    "x-tenant",
    "openstack-system-scope",
    *(
        f"x-{of}{kind}"
        for of in ("", "service-")
        for kind in ("user", "project", "domain", "tenant", "roles")
    ),
)
_KEPT: Final = frozenset({"x-service-token"})
_VIA: Final = "treetop"
MOST_HOPS: Final = 4

Environ = Mapping[str, Any]  # Any: WSGI's


def request_headers(environ: Environ, *, public_url: str) -> dict[str, str]:
    """What Nova gets. public_url: scheme, host and folder as the client reaches them."""
    named = dict(_named(environ))
    dropped = _OF_CONNECTION | _OF_HOP | _listed(named.get("connection", ""))
    kept = {
        name: value
        for name, value in named.items()
        if name not in dropped and (name in _KEPT or not name.startswith(_IDENTITY))
    }
    public = urlsplit(public_url)
    came_through, client = named.get("x-forwarded-for", ""), environ.get("REMOTE_ADDR", "")
    if came_through.rpartition(",")[2].strip() == client:
        client = ""  # named already, by what stands before us and is trusted
    kept |= {
        "x-forwarded-for": ", ".join(filter(None, (came_through, client))),
        "x-forwarded-proto": public.scheme,
        "x-forwarded-host": public.netloc,
        "via": ", ".join(filter(None, (named.get("via"), f"1.1 {_VIA}"))),
    }
    if public.path.strip("/"):
        kept["x-forwarded-prefix"] = public.path.rstrip("/")
    return kept


def hops(environ: Environ) -> int:
    """How many of us the request came through: many mean that `[proxy] nova_endpoint` leads back here."""
    received = [hop.split() for hop in str(environ.get("HTTP_VIA", "")).split(",")]
    return sum(1 for hop in received if hop[1:2] == [_VIA])


def answer_headers(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """What the client gets, in Nova's order."""
    given = list(pairs)
    dropped = _OF_CONNECTION | _listed(
        ",".join(value for name, value in given if name.lower() == "connection")
    )
    return [(name, value) for name, value in given if name.lower() not in dropped]


def _named(environ: Environ) -> Iterator[tuple[str, str]]:
    for key, value in environ.items():
        if key.startswith("HTTP_"):
            yield key[5:].replace("_", "-").lower(), str(value)
    if environ.get("CONTENT_TYPE"):
        yield "content-type", str(environ["CONTENT_TYPE"])


def _listed(connection: str) -> frozenset[str]:
    """The headers that a `Connection` header names as being of this connection only."""
    return frozenset(name.strip().lower() for name in connection.split(","))
