# SPDX-License-Identifier: Apache-2.0
"""What a validated token says about its user: WSGI environment in, hashable `Credentials` out. Pure.

Reads what keystonemiddleware writes, as oslo.context does. An environment it has not written is nobody's.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

#: Set by keystonemiddleware alone: no header of a client can get there.
_SEEN: Final = "keystone.token_auth"
_STATUS: Final = "HTTP_X_IDENTITY_STATUS"
_CONFIRMED: Final = "Confirmed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The names are those that rules of a policy use. None: the token has none; project_id: not for a project."""

    user_id: str
    user_domain_id: str | None
    project_id: str | None
    project_domain_id: str | None
    domain_id: str | None
    system_scope: str | None
    roles: tuple[str, ...]
    is_admin_project: bool
    service_user_id: str | None = None
    service_user_domain_id: str | None = None
    service_project_id: str | None = None
    service_project_domain_id: str | None = None
    service_roles: tuple[str, ...] = ()

    def policy_values(self) -> dict[str, Any]:
        """As oslo.policy takes them; what may be several is a list there."""
        return asdict(self) | {"roles": list(self.roles), "service_roles": list(self.service_roles)}


def credentials_of(environ: Mapping[str, Any]) -> Credentials | None:
    """Who sent the request; None: somebody without a valid token."""
    user_id = environ.get("HTTP_X_USER_ID")
    if _SEEN not in environ or environ.get(_STATUS) != _CONFIRMED or not user_id:
        return None
    return Credentials(
        user_id=user_id,
        user_domain_id=environ.get("HTTP_X_USER_DOMAIN_ID"),
        project_id=environ.get("HTTP_X_PROJECT_ID"),
        project_domain_id=environ.get("HTTP_X_PROJECT_DOMAIN_ID"),
        domain_id=environ.get("HTTP_X_DOMAIN_ID"),
        system_scope=environ.get("HTTP_OPENSTACK_SYSTEM_SCOPE"),
        roles=_names(environ.get("HTTP_X_ROLES")),
        is_admin_project=(environ.get("HTTP_X_IS_ADMIN_PROJECT") or "true").lower() == "true",
        service_user_id=environ.get("HTTP_X_SERVICE_USER_ID"),
        service_user_domain_id=environ.get("HTTP_X_SERVICE_USER_DOMAIN_ID"),
        service_project_id=environ.get("HTTP_X_SERVICE_PROJECT_ID"),
        service_project_domain_id=environ.get("HTTP_X_SERVICE_PROJECT_DOMAIN_ID"),
        service_roles=_names(environ.get("HTTP_X_SERVICE_ROLES")),
    )


def _names(header: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in header.split(",")) if header else ()
