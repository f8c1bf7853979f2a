# SPDX-License-Identifier: Apache-2.0
"""A build request -> the columns that a server's row has: a server that was accepted and that no cell has yet. Pure.

In: `build_requests.instance` and `.tags` as Nova writes them (serialized versioned objects). Out: the values as
`store.pool` gives those of `server`, so that both are shown alike; or None for text that cannot be read, which Nova
does not show either. Facts: Nova 34, objects/build_request.py (`_load_instance`), compute/api.py (what is set then).
"""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from treetop.errors import StopZone
from treetop.nova.decode import decode_addresses, decode_flavor, decode_trusted_certs

_NAMES: Final = """
    uuid project_id user_id display_name hostname vm_state task_state power_state availability_zone image_ref
    kernel_id ramdisk_id key_name launch_index memory_mb vcpus root_gb ephemeral_gb reservation_id root_device_name
    access_ip_v4 access_ip_v6 config_drive display_description locked_by user_data instance_type_id
    auto_disk_config locked
"""
_COPIED: Final = tuple(_NAMES.split())
#: What no server has before a cell has it.
_NOT_YET: Final = dict.fromkeys(
    ("source_id", "launched_at", "terminated_at", "host", "node", "volumes", "faults", "fixed_ips")
)

Columns = Mapping[str, Any]  # Any: as the JSON has it


def build_request_columns(
    instance: str | None, tags: str | None, *, created_at: str | None, updated_at: str | None
) -> Columns | None:
    """Columns of `server` by name; those that Nova did not write are None."""
    try:
        data = _data(instance)
        flavor = decode_flavor(_text({"cur": data["flavor"]}) if data.get("flavor") else None)
        network_info = (data.get("info_cache") or {}).get("nova_object.data", {}).get("network_info")
        return {
            **_NOT_YET,
            **{name: data.get(name) for name in _COPIED},
            "created_at": created_at,
            "updated_at": updated_at,
            "progress": data.get("progress", 0),
            "deleted": bool(data.get("deleted")),
            "hidden": bool(data.get("hidden")),
            "host_id": "",
            "flavor_id": flavor.flavor_id,
            "flavor": flavor.document,
            "trusted_certs": decode_trusted_certs(_text(data.get("trusted_certs"))),
            "addresses": decode_addresses(network_info).document,
            "metadata": _pairs(data.get("metadata")),
            "system_metadata": _pairs(data.get("system_metadata")),
            "tags": _text(dict.fromkeys(_tags(tags), True)),
        }
    except (ValueError, TypeError, AttributeError, KeyError, StopZone):
        return None


def _data(serialized: str | None) -> dict[str, Any]:
    data = orjson.loads(serialized or "")["nova_object.data"]
    if not isinstance(data["uuid"], str):
        raise TypeError("no uuid")
    return dict(data)


def _pairs(values: Mapping[str, str | None] | None) -> str:
    """`{"0": ["key", "value"]}`, as rows of metadata are kept."""
    return _text({str(row): list(pair) for row, pair in enumerate((values or {}).items())}) or "{}"


def _tags(serialized: str | None) -> list[str]:
    if not serialized:
        return []
    tags = orjson.loads(serialized)["nova_object.data"]["objects"]
    return [str(tag["nova_object.data"]["tag"]) for tag in tags]


def _text(value: object) -> str | None:
    return None if value is None else orjson.dumps(value).decode()
