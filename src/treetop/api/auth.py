# SPDX-License-Identifier: Apache-2.0
"""How a request becomes a `Caller`: `keystone`, by a token that was validated around the API (`token_gate`), or
`noauth`, for a laptop, where everybody is an administrator.

`noauth` must not be reachable from other machines: `check_exposure` refuses that before a port is opened.
"""

import re
from collections.abc import Callable
from ipaddress import ip_address
from typing import Final

import falcon

from treetop.api.caller import Caller, admin_of
from treetop.api.credentials import Credentials, credentials_of
from treetop.api.fault import bad_request, unauthorized
from treetop.errors import Refuse

DEFAULT_PROJECT: Final = "demo"
_PROJECT = re.compile(r"[A-Za-z0-9_.-]{1,255}")

#: Reads the credentials of a request; the text is the project id of its URL, None if it has none.
Authenticator = Callable[[falcon.Request, str | None], Caller]


def noauth(request: falcon.Request, url_project: str | None) -> Caller:
    """Let everybody in as an administrator of the project they name (header, else URL, else `demo`)."""
    named = request.get_header("X-Project-Id")
    if named is not None and _PROJECT.fullmatch(named) is None:
        raise bad_request("X-Project-Id is not a project id")
    return admin_of(named or url_project or DEFAULT_PROJECT)


def keystone(policy: Callable[[Credentials], Caller]) -> Authenticator:
    """Let in whom Keystone knows, with what the policy gives them; a 401 `Fault` for others."""

    def authenticate(request: falcon.Request, _url_project: str | None) -> Caller:
        credentials = credentials_of(request.env)
        if credentials is None:  # nobody gets here, unless [keystone_authtoken] delay_auth_decision
            raise unauthorized()
        return policy(credentials)

    return authenticate


def check_url_project(url_project: str | None, caller: Caller) -> None:
    """Raise a 400 `Fault` if the URL names another project than the caller's, as Nova does."""
    if url_project is not None and url_project != caller.project_id:
        raise bad_request(
            f"Malformed request URL: URL's project_id '{url_project}' "
            f"doesn't match Context's project_id '{caller.project_id or None}'"
        )


def check_exposure(auth_strategy: str, host: str, *, allow_insecure: bool) -> None:
    """Raise `Refuse` if everybody on the network could list everything."""
    if auth_strategy == "noauth" and not allow_insecure and not is_loopback(host):
        raise Refuse(
            f"without authentication the API does not listen on {host}: whoever reaches it sees every server",
            hint="set [api] auth_strategy = keystone (docs/howto/keystone.md), or listen on 127.0.0.1",
        )


def is_loopback(host: str) -> bool:
    """Say whether an address to listen on can only be reached from this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
