# SPDX-License-Identifier: Apache-2.0
"""How long servers ran within a window, and what that comes to per project. Pure.

Facts: Nova 34, api/openstack/compute/simple_tenant_usage.py.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from treetop.api.json_text import loads_object
from treetop.store.usage import UsedServer

_SECONDS_PER_HOUR: Final = 3600.0

Json = dict[str, Any]  # Any: JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What is reported on."""

    begin: datetime
    end: datetime
    now: datetime


def server_usage(server: UsedServer, window: Window) -> Json:
    """What one server used."""
    started = _parsed(server.launched_at)
    ended = None if server.terminated_at is None else _parsed(server.terminated_at)
    within = min(window.end, ended or window.end) - max(started, window.begin)
    flavor = loads_object(server.flavor)
    return {
        "hours": within.total_seconds() / _SECONDS_PER_HOUR,
        "flavor": flavor.get("original_name") or server.flavor_name or "",
        "instance_id": server.uuid,
        "name": server.display_name,
        "tenant_id": server.project_id,
        "memory_mb": _size(flavor, "ram", server.memory_mb),
        "local_gb": _size(flavor, "disk", server.root_gb) + _size(flavor, "ephemeral", server.ephemeral_gb),
        "vcpus": _size(flavor, "vcpus", server.vcpus),
        "started_at": instant(started),
        "ended_at": None if ended is None else instant(ended),
        "state": "terminated" if ended else server.vm_state,
        "uptime": int(((ended or window.now) - started).total_seconds()),
    }


def project_usages(usages: Iterable[Json], window: Window, *, is_detailed: bool) -> list[Json]:
    """The sums per project, in the order in which projects come first. is_detailed: with the servers."""
    result: dict[str, Json] = {}
    for usage in usages:
        total = result.setdefault(usage["tenant_id"], _empty(usage["tenant_id"], window, is_detailed))
        total["total_hours"] += usage["hours"]
        for name in ("local_gb", "vcpus", "memory_mb"):
            total[f"total_{name}_usage"] += usage[name] * usage["hours"]
        if is_detailed:
            total["server_usages"].append(usage)
    return list(result.values())


def instant(at: datetime) -> str:
    """A time as Nova writes it where it does not name its zone: to the microsecond."""
    return at.replace(tzinfo=None).isoformat(timespec="microseconds")


def _size(flavor: Mapping[str, Any], name: str, otherwise: int | None) -> int:
    """What the flavor says, which may be null, or the server's own column."""
    size: int | None = flavor.get(name)
    return (otherwise or 0) if size is None else size


def _parsed(text: str) -> datetime:
    """A time as zones keep it: in UTC, without saying so."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _empty(project_id: str, window: Window, is_detailed: bool) -> Json:
    totals: Json = dict.fromkeys(
        ("total_hours", "total_local_gb_usage", "total_vcpus_usage", "total_memory_mb_usage"), 0
    )
    servers: Json = {"server_usages": []} if is_detailed else {}
    period = {"start": instant(window.begin), "stop": instant(window.end)}
    return {"tenant_id": project_id, **totals, **servers, **period}
