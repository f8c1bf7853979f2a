# SPDX-License-Identifier: Apache-2.0
"""What an operator decides about the API's answers. Made by `config`'s reader, never by the API itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class StaleZones(StrEnum):
    """What is shown of the servers of a stale zone."""

    LAST_KNOWN = "last-known"  # as they were when the zone was last read
    UNKNOWN = "unknown"  # what Nova shows of a cell that is down: placeholders of status UNKNOWN, or nothing
    OMIT = "omit"  # nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiOptions:
    """page_rows_max: servers in one answer at most, as Nova's `[api] max_limit`.

    stale_after_seconds: a live zone that is further behind is named in `Treetop-Zones-Stale`.
    stale_zones: what is shown of such zones and of those that are not live, unless the request says so.
    freshness_wait_seconds: how long a request waits for zones to be as fresh as it demands.
    waiting_requests_max: requests that wait for zones at the same time; fewer than there are threads.
    public_url: what links begin with; None: the scheme and host of the request.
    default_availability_zone, internal_availability_zone, instance_name_template, service_down_seconds: as in the
    zones' nova.conf (internal_service_availability_zone, service_down_time); they decide what availability zones,
    a server's name and host_status, and the state of services are.
    default_quotas: resource -> limit where it is not Nova's own default, as in their [quota].
    """

    page_rows_max: int = 1000
    stale_after_seconds: float = 15.0
    stale_zones: StaleZones = StaleZones.LAST_KNOWN
    freshness_wait_seconds: float = 2.0
    waiting_requests_max: int = 4
    public_url: str | None = None
    default_availability_zone: str = "nova"
    instance_name_template: str = "instance-%08x"
    internal_availability_zone: str = "internal"
    service_down_seconds: int = 60
    default_quotas: Mapping[str, int] = field(default_factory=dict)
