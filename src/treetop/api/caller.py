# SPDX-License-Identifier: Apache-2.0
"""Who asks, and what Nova's policies let them see. Made once per request by `api.auth`, then only read.

A handler says `caller.require(Permission.SERVERS_SHOW, project_id=owner)` where Nova's says `context.can(…)`.
"""

from dataclasses import dataclass
from typing import Final

from treetop.api.fault import denied
from treetop.api.permission import Permission
from treetop.api.policy_rules import RULES, About, Who

#: What Nova's defaults give to every reader of a project, there and elsewhere.
READER_PERMISSIONS: Final = frozenset(
    permission for permission, rule in RULES.items() if rule.check in (Who.READER, Who.USER, Who.ANYONE)
)
_ELSEWHERE: Final = frozenset(
    permission
    for permission in READER_PERMISSIONS
    if RULES[permission].about in (About.CALLER, About.NOTHING) or RULES[permission].check == Who.ANYONE
)
ADMIN_PERMISSIONS: Final = frozenset(Permission)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """project_id: whose servers are listed unless all are asked for; empty if the token is for no project.

    is_admin: Nova's `context_is_admin`. permissions: about what belongs to the caller's project, to the caller, or to
    nobody. elsewhere: about what belongs to another project or user.
    """

    user_id: str
    project_id: str
    is_admin: bool
    permissions: frozenset[Permission]
    elsewhere: frozenset[Permission]

    def may(
        self, permission: Permission, *, project_id: str | None = None, user_id: str | None = None
    ) -> bool:
        """Say whether the policy allows it. project_id, user_id: the owner of what is asked for, if one is asked."""
        is_own = project_id in (None, self.project_id) and user_id in (None, self.user_id)
        return permission in (self.permissions if is_own else self.elsewhere)

    def require(
        self, permission: Permission, *, project_id: str | None = None, user_id: str | None = None
    ) -> None:
        """Raise Nova's 403 `Fault` unless `may`."""
        if not self.may(permission, project_id=project_id, user_id=user_id):
            raise denied(permission)


def admin_of(project_id: str) -> Caller:
    """An administrator working in a project."""
    return Caller(
        user_id="admin",
        project_id=project_id,
        is_admin=True,
        permissions=ADMIN_PERMISSIONS,
        elsewhere=ADMIN_PERMISSIONS,
    )


def reader_of(project_id: str) -> Caller:
    """A user who may read a project's servers and nothing more."""
    return Caller(
        user_id="reader",
        project_id=project_id,
        is_admin=False,
        permissions=READER_PERMISSIONS,
        elsewhere=_ELSEWHERE,
    )
