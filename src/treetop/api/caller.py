# SPDX-License-Identifier: Apache-2.0
"""Who asks, and what Nova's policies let them see. Made once per request by `api.auth`, then only read."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Permission(StrEnum):
    """A rule of Nova's policy that changes an answer; the value is Nova's name of it."""

    INDEX_ALL_TENANTS = "os_compute_api:servers:index:get_all_tenants"
    DETAIL_ALL_TENANTS = "os_compute_api:servers:detail:get_all_tenants"
    ALL_FILTERS = "os_compute_api:servers:allow_all_filters"
    EXTENDED_ATTRIBUTES = "os_compute_api:os-extended-server-attributes"
    FLAVOR_EXTRA_SPECS = "os_compute_api:servers:show:flavor-extra-specs"


#: What Nova's defaults give to every reader of a project.
READER_PERMISSIONS: Final = frozenset({Permission.FLAVOR_EXTRA_SPECS})
ADMIN_PERMISSIONS: Final = frozenset(Permission)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """project_id: whose servers are listed unless all are asked for. is_admin: Nova's `context_is_admin`."""

    project_id: str
    is_admin: bool
    permissions: frozenset[Permission]


def admin_of(project_id: str) -> Caller:
    """An administrator working in a project."""
    return Caller(project_id=project_id, is_admin=True, permissions=ADMIN_PERMISSIONS)


def reader_of(project_id: str) -> Caller:
    """A user who may read a project's servers and nothing more."""
    return Caller(project_id=project_id, is_admin=False, permissions=READER_PERMISSIONS)
