# SPDX-License-Identifier: Apache-2.0
"""What quotas come to: Nova's defaults, what a region gives to everybody, to a project, to a user.

`limits` and `quota_sets` show them. Facts: Nova 34, quota.py (resources, what counts), conf/quota.py (defaults).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import psycopg

from treetop.model.zone import ZoneId
from treetop.store.quotas import Limits, count_used, read_default_limits, read_limits
from treetop.store.server_groups import count_server_groups

#: Resource -> limit where nobody says otherwise; -1: none. The last four were nova-network's.
DEFAULTS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "cores": 20,
        "injected_file_content_bytes": 10240,
        "injected_file_path_bytes": 255,
        "injected_files": 5,
        "instances": 10,
        "key_pairs": 100,
        "metadata_items": 128,
        "ram": 51200,
        "server_group_members": 10,
        "server_groups": 10,
        **dict.fromkeys(("fixed_ips", "floating_ips", "security_group_rules", "security_groups"), -1),
    }
)
_NETWORK_UNTIL: Final = 36
_FILES_UNTIL: Final = 57


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """One resource's. in_use is 0 for what Nova does not count here."""

    limit: int
    in_use: int


def shown_resources(minor: int) -> list[str]:
    """The resources that a microversion shows."""
    hidden: set[str] = set()
    if minor >= _NETWORK_UNTIL:
        hidden |= {"fixed_ips", "floating_ips", "security_group_rules", "security_groups"}
    if minor >= _FILES_UNTIL:
        hidden |= {"injected_files", "injected_file_content_bytes", "injected_file_path_bytes"}
    return [name for name in DEFAULTS if name not in hidden]


def default_quotas(
    connection: psycopg.Connection, zone_ids: Sequence[ZoneId], configured: Limits
) -> Mapping[str, int]:
    """The limits of a project for which none were set.

    zone_ids: the regions' databases. configured: what the operator says instead of `DEFAULTS`.
    """
    return {**DEFAULTS, **configured, **_known(read_default_limits(connection, zone_ids))}


def project_limits(
    connection: psycopg.Connection,
    zone_ids: Sequence[ZoneId],
    configured: Limits,
    project_id: str,
    *,
    user_id: str | None = None,
) -> Mapping[str, int]:
    """Every resource's limit of a project, or of a user in it."""
    return {
        **default_quotas(connection, zone_ids, configured),
        **_known(read_limits(connection, zone_ids, project_id, user_id=user_id)),
    }


def project_quotas(
    connection: psycopg.Connection,
    zone_ids: Sequence[ZoneId],
    configured: Limits,
    project_id: str,
    *,
    user_id: str | None = None,
) -> Mapping[str, Quota]:
    """The same with what is used, for which the project's servers are counted."""
    limits = project_limits(connection, zone_ids, configured, project_id, user_id=user_id)
    groups = count_server_groups(connection, zone_ids, project_id=project_id, user_id=user_id)
    used = {**count_used(connection, project_id, user_id=user_id), "server_groups": groups}
    return {name: Quota(limit=limit, in_use=used.get(name, 0)) for name, limit in limits.items()}


def _known(limits: Mapping[str, int]) -> Mapping[str, int]:
    return {name: limit for name, limit in limits.items() if name in DEFAULTS}
