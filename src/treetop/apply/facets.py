# SPDX-License-Identifier: Apache-2.0
"""The denormalisation itself: one row of a source table -> the columns of the aggregate row it owns. Pure.

Three kinds of facets:
* `instances` makes the row: `server_columns`;
* one row per server (`ONE`): the row's columns replace the facet's, `<facet>_id` remembers which row it was;
* many rows per server (`MANY`): a jsonb object keyed by the source row's id (tags: by the tag), merged in and out.
Chunks and log changes both go through here, so both give the same text for the same row.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from treetop.errors import StopZone
from treetop.model.change import UNCHANGED, Row, Value
from treetop.nova import tables
from treetop.nova.decode import decode_addresses, decode_flavor, decode_trusted_certs
from treetop.nova.table import Table

#: Columns of `server` with their SQL types, in the table's order, without zone_id.
SERVER_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "uuid": "uuid",
        "source_id": "bigint",
        **dict.fromkeys(("created_at", "updated_at", "launched_at", "terminated_at"), "timestamp"),
        **dict.fromkeys(("power_state", "progress", "instance_type_id", "launch_index"), "integer"),
        **dict.fromkeys(("memory_mb", "vcpus", "root_gb", "ephemeral_gb"), "integer"),
        **dict.fromkeys(("deleted", "hidden", "locked", "auto_disk_config"), "boolean"),
        **dict.fromkeys(
            ("project_id", "user_id", "display_name", "hostname", "vm_state", "task_state"), "text"
        ),
        **dict.fromkeys(("host", "node", "host_id", "availability_zone", "image_ref", "kernel_id"), "text"),
        **dict.fromkeys(("ramdisk_id", "key_name", "reservation_id", "root_device_name"), "text"),
        **dict.fromkeys(("access_ip_v4", "access_ip_v6", "config_drive", "display_description"), "text"),
        **dict.fromkeys(("locked_by", "user_data"), "text"),
        "extra_id": "bigint",
        **dict.fromkeys(("flavor_id", "flavor_name", "flavor", "trusted_certs"), "text"),
        "info_cache_id": "bigint",
        **dict.fromkeys(("addresses", "fixed_ips"), "text"),
        **dict.fromkeys(("metadata", "system_metadata", "tags", "volumes", "faults"), "jsonb"),
    }
)

#: Columns that `instances` owns, in the order of `tables.INSTANCES.shared_columns`.
_RENAMED = {"id": "source_id"}
INSTANCE_COLUMNS = tuple(_RENAMED.get(name, name) for name in tables.INSTANCES.shared_columns)
_DELETED = tables.INSTANCES.index("deleted")


def server_columns(row: Row) -> dict[str, Value]:
    """Return the server's own columns from an `instances` row; UNCHANGED ones are left out."""
    columns = dict(zip(INSTANCE_COLUMNS, row, strict=True))
    deleted = row[_DELETED]
    columns["deleted"] = deleted if deleted is UNCHANGED else deleted not in (0, None)
    if UNCHANGED in row:
        return {name: value for name, value in columns.items() if value is not UNCHANGED}
    return columns


class One(NamedTuple):
    """A facet with one source row per server. columns: every column it owns, the row's id first."""

    columns: tuple[str, ...]
    values: Callable[[Row], dict[str, Value]]


class Many(NamedTuple):
    """A facet with many source rows per server.

    column: the jsonb column. value: a source row -> what is kept under its key; None: not kept (soft-deleted).
    """

    column: str
    value: Callable[[Row], Any]  # Any JSON; `Partial` when the log left a part out


class Partial(NamedTuple):
    """A jsonb object of which only these fields are known; the others stay as stored."""

    fields: dict[str, Value]


def _extra(row: Row) -> dict[str, Value]:
    row_id, _, flavor, certs = row
    columns: dict[str, Value] = {"extra_id": row_id}
    if flavor is not UNCHANGED:
        columns["flavor_id"], columns["flavor_name"], columns["flavor"] = decode_flavor(_text(flavor))
    if certs is not UNCHANGED:
        columns["trusted_certs"] = decode_trusted_certs(_text(certs))
    return columns


def _info_cache(row: Row) -> dict[str, Value]:
    row_id, _, network_info = row
    if network_info is UNCHANGED:
        return {"info_cache_id": row_id}
    addresses, fixed_ips = decode_addresses(_text(network_info))
    return {"info_cache_id": row_id, "addresses": addresses, "fixed_ips": fixed_ips}


def _metadata(row: Row) -> list[Value] | None:
    _, _, key, value, deleted = row
    if deleted not in (0, None):
        return None
    return _whole([key, value], tables.INSTANCE_METADATA)


def _system_metadata(row: Row) -> list[Value]:
    return _whole([row[2], row[3]], tables.INSTANCE_SYSTEM_METADATA)


def _tag(_row: Row) -> bool:
    return True


def _volume(row: Row) -> dict[str, Value] | Partial | None:
    _, _, volume_id, device, delete_on_termination, deleted, tag, attachment_id, uuid = row
    if deleted not in (0, None) or not volume_id:
        return None
    return _fields(
        {
            "id": volume_id,
            "device": device,
            "delete_on_termination": bool(delete_on_termination),
            "tag": tag,
            "attachment_id": attachment_id,
            "bdm_uuid": uuid,
        }
    )


def _fault(row: Row) -> dict[str, Value] | Partial | None:
    _, _, created_at, code, message, details, deleted = row
    if deleted not in (0, None):
        return None
    return _fields({"created": created_at, "code": code, "message": message, "details": details})


def _text(value: Value) -> str | None:
    return None if value is None else str(value)


def _fields(fields: dict[str, Value]) -> dict[str, Value] | Partial:
    if UNCHANGED in fields.values():
        return Partial({name: value for name, value in fields.items() if value is not UNCHANGED})
    return fields


def _whole(values: list[Value], table: Table) -> list[Value]:
    if UNCHANGED in values:
        raise StopZone(
            f"the log carries an update of {table.name} without all of its values",
            hint=f"in the zone's database: ALTER TABLE {table.name} REPLICA IDENTITY FULL;",
        )
    return values


ONE: Mapping[str, One] = MappingProxyType(
    {
        tables.INSTANCE_EXTRA.name: One(
            ("extra_id", "flavor_id", "flavor_name", "flavor", "trusted_certs"), _extra
        ),
        tables.INSTANCE_INFO_CACHES.name: One(("info_cache_id", "addresses", "fixed_ips"), _info_cache),
    }
)

MANY: Mapping[str, Many] = MappingProxyType(
    {
        tables.INSTANCE_METADATA.name: Many("metadata", _metadata),
        tables.INSTANCE_SYSTEM_METADATA.name: Many("system_metadata", _system_metadata),
        tables.TAGS.name: Many("tags", _tag),
        tables.BLOCK_DEVICE_MAPPING.name: Many("volumes", _volume),
        tables.INSTANCE_FAULTS.name: Many("faults", _fault),
    }
)
