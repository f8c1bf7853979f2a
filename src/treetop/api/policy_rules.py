# SPDX-License-Identifier: Apache-2.0
"""What each permission requires unless the operator says otherwise: Nova's defaults as one table.

`policy` gives it to oslo.policy, `caller` derives from it what a plain reader has. Needs no library. Facts: Nova 34,
policies/*.py (check strings, former names), api/openstack/compute/*.py (what is checked about what).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Final

from treetop.api.permission import Permission


class Who(StrEnum):
    """Nova's check strings, by what they come to."""

    ADMIN = "rule:context_is_admin"
    MANAGER = "rule:project_manager_or_admin"
    READER = "rule:project_reader_or_admin"
    USER = "(rule:context_is_admin) or user_id:%(user_id)s"
    ANYONE = "@"


class About(Enum):
    """What a rule is checked about; a rule of an operator may ask for its project or user."""

    CALLER = "the caller's own project and user"
    PROJECT = "the project that owns what is asked for"
    USER = "the user who owns what is asked for"
    NOTHING = "nothing: what belongs to nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Former:
    """A name that a rule had before. An operator's rule of that name counts while the new one has none."""

    name: str
    check: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One default. check: in oslo.policy's language."""

    check: str
    about: About = About.CALLER
    former: Former | None = None


_ADMIN_OR_OWNER: Final = "is_admin:True or project_id:%(project_id)s"
_OLD_ADMIN: Final = Former(name="rule:admin_api", check="is_admin:True")
_OLD_OWNER: Final = Former(name="rule:admin_or_owner", check=_ADMIN_OR_OWNER)

#: The rules that others refer to, by name.
ALIASES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "context_is_admin": Rule("role:admin", former=_OLD_ADMIN),
        "admin_or_owner": Rule(_ADMIN_OR_OWNER),
        "admin_api": Rule("is_admin:True"),
        "project_manager_api": Rule("role:manager and project_id:%(project_id)s", former=_OLD_ADMIN),
        "project_member_api": Rule("role:member and project_id:%(project_id)s", former=_OLD_OWNER),
        "project_reader_api": Rule("role:reader and project_id:%(project_id)s", former=_OLD_OWNER),
        "service_api": Rule("role:service", former=_OLD_ADMIN),
        "project_manager_or_admin": Rule(
            "rule:project_manager_api or rule:context_is_admin", former=_OLD_ADMIN
        ),
        "project_member_or_admin": Rule(
            "rule:project_member_api or rule:context_is_admin", former=_OLD_OWNER
        ),
        "project_reader_or_admin": Rule(
            "rule:project_reader_api or rule:context_is_admin", former=_OLD_OWNER
        ),
        "service_or_admin": Rule("rule:service_api or rule:context_is_admin", former=_OLD_ADMIN),
    }
)


def _formerly(name: str, check: str) -> Former:
    return Former(name=f"os_compute_api:{name}", check=check)


_ACTIONS: Final = _formerly("os-instance-actions", "rule:admin_or_owner")
_HYPERVISORS: Final = _formerly("os-hypervisors", "rule:admin_api")
_MIGRATIONS: Final = _formerly("os-migrations:index", "rule:context_is_admin")

#: Every permission's default.
RULES: Final[Mapping[Permission, Rule]] = MappingProxyType(
    {
        Permission.SERVERS_INDEX: Rule(Who.READER),
        Permission.SERVERS_DETAIL: Rule(Who.READER),
        Permission.SERVERS_SHOW: Rule(Who.READER, About.PROJECT),
        Permission.INDEX_ALL_TENANTS: Rule(Who.ADMIN),
        Permission.DETAIL_ALL_TENANTS: Rule(Who.ADMIN),
        Permission.ALL_FILTERS: Rule(Who.ADMIN),
        Permission.EXTENDED_ATTRIBUTES: Rule(Who.ADMIN, About.PROJECT),
        Permission.FLAVOR_EXTRA_SPECS: Rule(
            Who.READER, About.PROJECT, _formerly("os-flavor-extra-specs:index", "rule:admin_or_owner")
        ),
        Permission.HOST_STATUS: Rule(Who.ADMIN, About.PROJECT),
        Permission.HOST_STATUS_UNKNOWN_ONLY: Rule(Who.ADMIN, About.PROJECT),
        Permission.IPS_INDEX: Rule(Who.READER, About.PROJECT),
        Permission.IPS_SHOW: Rule(Who.READER, About.PROJECT),
        Permission.METADATA_INDEX: Rule(Who.READER, About.PROJECT),
        Permission.METADATA_SHOW: Rule(Who.READER, About.PROJECT),
        Permission.TAGS_INDEX: Rule(Who.READER, About.PROJECT),
        Permission.TAGS_SHOW: Rule(Who.READER, About.PROJECT),
        Permission.VOLUME_ATTACHMENTS_INDEX: Rule(Who.READER, About.PROJECT),
        Permission.VOLUME_ATTACHMENTS_SHOW: Rule(Who.READER, About.PROJECT),
        Permission.ACTIONS_LIST: Rule(Who.READER, About.PROJECT, _ACTIONS),
        Permission.ACTIONS_SHOW: Rule(Who.READER, About.PROJECT, _ACTIONS),
        Permission.ACTIONS_EVENTS: Rule(Who.ADMIN, About.PROJECT),
        Permission.ACTIONS_EVENTS_DETAILS: Rule(Who.ADMIN, About.PROJECT),
        Permission.SERVER_MIGRATIONS_INDEX: Rule(Who.MANAGER, About.PROJECT),
        Permission.SERVER_MIGRATIONS_INDEX_HOST: Rule(
            Who.ADMIN, About.PROJECT, _formerly("servers:migrations:index", "rule:context_is_admin")
        ),
        Permission.SERVER_MIGRATIONS_SHOW: Rule(Who.ADMIN, About.PROJECT),
        Permission.EXTRA_SPECS_INDEX: Rule(Who.READER),
        Permission.EXTRA_SPECS_SHOW: Rule(Who.READER),
        Permission.FLAVOR_ACCESS: Rule(
            Who.ADMIN, former=_formerly("os-flavor-access", "rule:admin_or_owner")
        ),
        Permission.HYPERVISORS_LIST: Rule(Who.ADMIN, About.NOTHING, _HYPERVISORS),
        Permission.HYPERVISORS_LIST_DETAIL: Rule(Who.ADMIN, About.NOTHING, _HYPERVISORS),
        Permission.HYPERVISORS_SHOW: Rule(Who.ADMIN, About.NOTHING, _HYPERVISORS),
        Permission.HYPERVISORS_STATISTICS: Rule(Who.ADMIN, About.NOTHING, _HYPERVISORS),
        Permission.HYPERVISORS_UPTIME: Rule(Who.ADMIN, About.NOTHING, _HYPERVISORS),
        Permission.HYPERVISORS_SEARCH: Rule(Who.ADMIN, About.NOTHING, _HYPERVISORS),
        Permission.HYPERVISORS_SERVERS: Rule(Who.ADMIN, About.NOTHING, _HYPERVISORS),
        Permission.SERVICES_LIST: Rule(Who.ADMIN, About.NOTHING, _formerly("os-services", "rule:admin_api")),
        Permission.AGGREGATES_INDEX: Rule(Who.ADMIN, About.NOTHING),
        Permission.AGGREGATES_SHOW: Rule(Who.ADMIN, About.NOTHING),
        Permission.AVAILABILITY_ZONES_LIST: Rule(Who.ANYONE, About.NOTHING),
        Permission.AVAILABILITY_ZONES_DETAIL: Rule(Who.ADMIN, About.NOTHING),
        Permission.MIGRATIONS_INDEX: Rule(Who.MANAGER),
        Permission.MIGRATIONS_INDEX_ALL_PROJECTS: Rule(Who.ADMIN, former=_MIGRATIONS),
        Permission.MIGRATIONS_INDEX_HOST: Rule(Who.ADMIN, former=_MIGRATIONS),
        Permission.SERVER_GROUPS_INDEX: Rule(Who.READER, About.PROJECT),
        Permission.SERVER_GROUPS_INDEX_ALL_PROJECTS: Rule(Who.ADMIN, About.PROJECT),
        Permission.SERVER_GROUPS_SHOW: Rule(Who.READER, About.PROJECT),
        Permission.USAGE_LIST: Rule(Who.ADMIN),
        Permission.USAGE_SHOW: Rule(Who.READER, About.PROJECT),
        Permission.LIMITS: Rule(Who.ANYONE, About.NOTHING),
        Permission.LIMITS_OTHER_PROJECT: Rule(
            Who.ADMIN, former=_formerly("os-used-limits", "rule:admin_api")
        ),
        Permission.QUOTA_SETS_SHOW: Rule(Who.READER, About.PROJECT),
        Permission.QUOTA_SETS_DETAIL: Rule(Who.READER, About.PROJECT),
        Permission.QUOTA_SETS_DEFAULTS: Rule(Who.ANYONE, About.PROJECT),
        Permission.KEYPAIRS_INDEX: Rule(Who.USER, About.USER),
        Permission.KEYPAIRS_SHOW: Rule(Who.USER, About.USER),
        Permission.EXTENSIONS: Rule(Who.ANYONE, About.NOTHING),
        Permission.ZONES_LIST: Rule(Who.ADMIN, About.NOTHING),
    }
)
