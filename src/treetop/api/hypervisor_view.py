# SPDX-License-Identifier: Apache-2.0
"""Hypervisor documents at every microversion. Pure.

Facts: Nova 34, api/openstack/compute/hypervisors.py (`_view_hypervisor`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from treetop.api.json_text import loads_object
from treetop.api.options import ApiOptions
from treetop.api.server_values import instance_name
from treetop.store.hypervisors import HostKey, Hypervisor

UUID_SINCE: Final = 53
UPTIME_SINCE: Final = 88
_CPU_OBJECT_SINCE: Final = 28
_EMPTY_SERVERS_SINCE: Final = 75
_SIZES: Final = (
    *("vcpus", "memory_mb", "local_gb", "vcpus_used", "memory_mb_used", "local_gb_used", "free_ram_mb"),
    *("free_disk_gb", "current_workload", "running_vms", "disk_available_least"),
)

Json = dict[str, Any]  # Any: JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class HypervisorShape:
    """Which document is asked for. servers: those of each host that has any; None: not asked for."""

    minor: int
    options: ApiOptions
    is_detail: bool = False
    servers: Mapping[HostKey, Sequence[tuple[int, str]]] | None = None

    def document(self, hypervisor: Hypervisor) -> Json:
        """The document of a hypervisor."""
        is_up = hypervisor.is_up(self.options.service_down_seconds)
        document: Json = {
            "id": hypervisor.uuid if self.minor >= UUID_SINCE else hypervisor.id,
            "hypervisor_hostname": hypervisor.hypervisor_hostname,
            "state": "up" if is_up else "down",
            "status": "disabled" if hypervisor.is_disabled else "enabled",
        }
        if self.is_detail:
            document |= self._details(hypervisor)
        if self.servers is not None:
            servers = self.servers.get((hypervisor.zone_id, hypervisor.host), ())
            if servers or self.minor >= _EMPTY_SERVERS_SINCE:
                document["servers"] = [self._server(*server) for server in servers]
        return document

    def _details(self, hypervisor: Hypervisor) -> Json:
        details: Json = {
            "hypervisor_type": hypervisor.hypervisor_type,
            "hypervisor_version": hypervisor.hypervisor_version,
            "host_ip": hypervisor.host_ip,
            "service": {
                "id": hypervisor.service_uuid if self.minor >= UUID_SINCE else hypervisor.service_id,
                "host": hypervisor.host,
                "disabled_reason": hypervisor.disabled_reason,
            },
        }
        if self.minor >= UPTIME_SINCE:
            return details | {"uptime": uptime(hypervisor)}
        details |= {name: getattr(hypervisor, name) for name in _SIZES}
        cpu_info: object = hypervisor.cpu_info
        if self.minor >= _CPU_OBJECT_SINCE:
            cpu_info = loads_object(hypervisor.cpu_info)
        return details | {"cpu_info": cpu_info}

    def _server(self, source_id: int, uuid: str) -> Json:
        name = instance_name(self.options.instance_name_template, source_id=source_id, uuid=uuid)
        return {"name": name, "uuid": uuid}


def uptime(hypervisor: Hypervisor) -> str | None:
    """What the host said of its uptime when it last reported; None: it did not."""
    value = loads_object(hypervisor.stats).get("uptime")
    return None if value is None else str(value)
