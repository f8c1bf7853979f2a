# SPDX-License-Identifier: Apache-2.0
"""The rules of a policy that an answer depends on: one member each, its value Nova's name of the rule.

A `policy.yaml` names rules by these values, refusals repeat them. What each allows by default is in
`policy_rules`; who has which is in `caller`. Facts: Nova 34, policies/*.py; tests/conformance compares.
"""

from enum import StrEnum


class Permission(StrEnum):
    """A rule; a caller either has it or not."""

    # servers: lists, documents
    SERVERS_INDEX = "os_compute_api:servers:index"
    SERVERS_DETAIL = "os_compute_api:servers:detail"
    SERVERS_SHOW = "os_compute_api:servers:show"
    INDEX_ALL_TENANTS = "os_compute_api:servers:index:get_all_tenants"
    DETAIL_ALL_TENANTS = "os_compute_api:servers:detail:get_all_tenants"
    ALL_FILTERS = "os_compute_api:servers:allow_all_filters"
    EXTENDED_ATTRIBUTES = "os_compute_api:os-extended-server-attributes"
    FLAVOR_EXTRA_SPECS = "os_compute_api:servers:show:flavor-extra-specs"
    HOST_STATUS = "os_compute_api:servers:show:host_status"
    HOST_STATUS_UNKNOWN_ONLY = "os_compute_api:servers:show:host_status:unknown-only"
    # below one server
    IPS_INDEX = "os_compute_api:ips:index"
    IPS_SHOW = "os_compute_api:ips:show"
    METADATA_INDEX = "os_compute_api:server-metadata:index"
    METADATA_SHOW = "os_compute_api:server-metadata:show"
    TAGS_INDEX = "os_compute_api:os-server-tags:index"
    TAGS_SHOW = "os_compute_api:os-server-tags:show"
    VOLUME_ATTACHMENTS_INDEX = "os_compute_api:os-volumes-attachments:index"
    VOLUME_ATTACHMENTS_SHOW = "os_compute_api:os-volumes-attachments:show"
    ACTIONS_LIST = "os_compute_api:os-instance-actions:list"
    ACTIONS_SHOW = "os_compute_api:os-instance-actions:show"
    ACTIONS_EVENTS = "os_compute_api:os-instance-actions:events"
    ACTIONS_EVENTS_DETAILS = "os_compute_api:os-instance-actions:events:details"
    SERVER_MIGRATIONS_INDEX = "os_compute_api:servers:migrations:index"
    SERVER_MIGRATIONS_INDEX_HOST = "os_compute_api:servers:migrations:index:host"
    SERVER_MIGRATIONS_SHOW = "os_compute_api:servers:migrations:show"
    # flavors
    EXTRA_SPECS_INDEX = "os_compute_api:os-flavor-extra-specs:index"
    EXTRA_SPECS_SHOW = "os_compute_api:os-flavor-extra-specs:show"
    FLAVOR_ACCESS = "os_compute_api:os-flavor-access"
    # hosts
    HYPERVISORS_LIST = "os_compute_api:os-hypervisors:list"
    HYPERVISORS_LIST_DETAIL = "os_compute_api:os-hypervisors:list-detail"
    HYPERVISORS_SHOW = "os_compute_api:os-hypervisors:show"
    HYPERVISORS_STATISTICS = "os_compute_api:os-hypervisors:statistics"
    HYPERVISORS_UPTIME = "os_compute_api:os-hypervisors:uptime"
    HYPERVISORS_SEARCH = "os_compute_api:os-hypervisors:search"
    HYPERVISORS_SERVERS = "os_compute_api:os-hypervisors:servers"
    SERVICES_LIST = "os_compute_api:os-services:list"
    AGGREGATES_INDEX = "os_compute_api:os-aggregates:index"
    AGGREGATES_SHOW = "os_compute_api:os-aggregates:show"
    AVAILABILITY_ZONES_LIST = "os_compute_api:os-availability-zone:list"
    AVAILABILITY_ZONES_DETAIL = "os_compute_api:os-availability-zone:detail"
    MIGRATIONS_INDEX = "os_compute_api:os-migrations:index"
    MIGRATIONS_INDEX_ALL_PROJECTS = "os_compute_api:os-migrations:index:all_projects"
    MIGRATIONS_INDEX_HOST = "os_compute_api:os-migrations:index:host"
    # what belongs to a project or a user
    SERVER_GROUPS_INDEX = "os_compute_api:os-server-groups:index"
    SERVER_GROUPS_INDEX_ALL_PROJECTS = "os_compute_api:os-server-groups:index:all_projects"
    SERVER_GROUPS_SHOW = "os_compute_api:os-server-groups:show"
    USAGE_LIST = "os_compute_api:os-simple-tenant-usage:list"
    USAGE_SHOW = "os_compute_api:os-simple-tenant-usage:show"
    LIMITS = "os_compute_api:limits"
    LIMITS_OTHER_PROJECT = "os_compute_api:limits:other_project"
    QUOTA_SETS_SHOW = "os_compute_api:os-quota-sets:show"
    QUOTA_SETS_DETAIL = "os_compute_api:os-quota-sets:detail"
    QUOTA_SETS_DEFAULTS = "os_compute_api:os-quota-sets:defaults"
    KEYPAIRS_INDEX = "os_compute_api:os-keypairs:index"
    KEYPAIRS_SHOW = "os_compute_api:os-keypairs:show"
    EXTENSIONS = "os_compute_api:extensions"
    # of Treetop's own
    ZONES_LIST = "treetop:zones:list"
