# SPDX-License-Identifier: Apache-2.0
"""The rows that Nova has for one server, in every table of its cell. Pure.

`ServerPlan` -> {table: rows}; every row of a table has the same columns in the same order, columns that are
NULL for every server are left out. Ids are fixed by the server's number: each table gives every server a
block of ids, so rows of a deleted server can say `deleted = id` and any part of a zone can be loaded alone.
"""

from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

from treetop.demo.catalogue import DELETED, fixed_hex, fixed_uuid
from treetop.demo.device_rows import image_device, volume_device
from treetop.demo.documents import (
    flavor_document,
    keypairs_document,
    migration_context_document,
    network_document,
    public_key,
)
from treetop.demo.population import ServerPlan, host_name, node_name
from treetop.demo.row import Row, Value

Rows: TypeAlias = dict[str, list[Row]]

#: How many rows one server can have in a table; 32 x 60 million servers still fit Nova's integer ids.
_ID_BLOCKS: Final[Mapping[str, int]] = {
    "instance_system_metadata": 32,
    "instance_metadata": 16,
    "block_device_mapping": 8,
    "virtual_interfaces": 4,
    "instance_actions": 2,
    "instance_actions_events": 2,
}


def server_rows(plan: ServerPlan) -> Rows:
    """All rows of a server, parents before children."""
    return {
        "instances": [instance_row(plan)],
        "instance_id_mappings": list(_numbered(plan, "instance_id_mappings", [{"uuid": plan.uuid}])),
        "instance_extra": [_extra(plan)],
        "instance_info_caches": [_info_cache(plan)],
        "instance_metadata": metadata_rows(plan, dict(plan.metadata)),
        "instance_system_metadata": system_metadata_rows(plan, _system_metadata(plan)),
        "block_device_mapping": block_device_rows(plan),
        "virtual_interfaces": _interfaces(plan),
        "tags": [] if plan.deleted_at else [{"resource_id": plan.uuid, "tag": tag} for tag in plan.tags],
        "instance_faults": _faults(plan),
        "migrations": _migrations(plan),
        "instance_actions": _actions(plan),
        "instance_actions_events": _events(plan),
    }


def instance_row(plan: ServerPlan) -> Row:
    """The row of `instances`."""
    number, zone = plan.host_number, plan.zone
    host = None if number is None else host_name(zone, number)
    is_from_volume = any(volume.is_root for volume in plan.volumes)
    return {
        "created_at": plan.created_at,
        "updated_at": plan.updated_at,
        "deleted_at": plan.deleted_at,
        "id": plan.number,
        "user_id": plan.user[0],
        "project_id": plan.project.id,
        "image_ref": "" if is_from_volume else plan.image.id,
        "kernel_id": "",
        "ramdisk_id": "",
        "launch_index": 0,
        "key_name": plan.key_name,
        "key_data": None if plan.key_name is None else public_key(plan.key_name),
        "power_state": plan.state.power_state,
        "vm_state": plan.state.vm_state,
        "task_state": plan.state.task_state,
        "memory_mb": plan.flavor.memory_mb,
        "vcpus": plan.flavor.vcpus,
        "root_gb": plan.flavor.root_gb,
        "ephemeral_gb": plan.flavor.ephemeral_gb,
        "instance_type_id": plan.flavor.id,
        "hostname": plan.hostname,
        "host": host,
        "node": None if number is None else node_name(zone, number),
        "compute_id": None if number is None else number + 1,
        "launched_on": host,
        "user_data": plan.user_data,
        "reservation_id": f"r-{plan.number:08x}",
        "launched_at": plan.launched_at,
        "terminated_at": plan.deleted_at,
        "display_name": plan.name,
        "display_description": plan.description,
        "availability_zone": None if number is None else plan.availability_zone,
        "locked": plan.locked_by is not None,
        "locked_by": plan.locked_by,
        "uuid": plan.uuid,
        "root_device_name": "/dev/vda",
        "access_ip_v4": plan.access_v4,
        "access_ip_v6": plan.access_v6,
        "config_drive": "True" if plan.config_drive else "",
        "default_swap_device": "/dev/vdz" if plan.flavor.swap else None,
        "progress": 0,
        "auto_disk_config": plan.number % 3 == 0,
        "shutdown_terminate": False,
        "disable_terminate": False,
        "deleted": plan.number if plan.deleted_at else 0,
        "cleaned": 1 if plan.deleted_at else 0,
        "hidden": False,
    }


def metadata_rows(plan: ServerPlan, items: Mapping[str, str]) -> list[Row]:
    """Rows of `instance_metadata`."""
    return list(_numbered(plan, "instance_metadata", _items(plan, items)))


def system_metadata_rows(plan: ServerPlan, items: Mapping[str, str | None]) -> list[Row]:
    """Rows of `instance_system_metadata`."""
    return list(_numbered(plan, "instance_system_metadata", _items(plan, items)))


def block_device_rows(plan: ServerPlan) -> list[Row]:
    """Rows of `block_device_mapping`: the image's disk, unless it boots from a volume, and the volumes."""
    devices = [volume_device(volume, plan.uuid) for volume in plan.volumes]
    if not any(volume.is_root for volume in plan.volumes):
        devices.insert(0, image_device(plan))
    return list(_numbered(plan, "block_device_mapping", devices))


def _numbered(plan: ServerPlan, table: str, rows: list[Row]) -> Iterator[Row]:
    block = _ID_BLOCKS.get(table, 1)
    first = (plan.number - 1) * block + 1
    for number, row in enumerate(rows, first):
        yield {
            "created_at": plan.created_at,
            "updated_at": None,
            "deleted_at": plan.deleted_at,
            "id": number,
            "deleted": number if plan.deleted_at else 0,
            **row,
        }


def _items(plan: ServerPlan, items: Mapping[str, str | None]) -> list[Row]:
    return [{"key": key, "value": value, "instance_uuid": plan.uuid} for key, value in items.items()]


def _system_metadata(plan: ServerPlan) -> dict[str, str | None]:
    image = plan.image
    items: dict[str, str | None] = {f"image_{key}": value for key, value in image.properties.items()}
    items["image_min_ram"] = "0"
    items["image_min_disk"] = str(plan.flavor.root_gb or image.min_disk)
    items["image_disk_format"] = image.disk_format
    items["image_container_format"] = "bare"
    items["image_base_image_ref"] = image.id
    items["owner_user_name"] = plan.user[1]
    items["owner_project_name"] = plan.project.name
    if plan.host_number is not None:
        items["boot_roles"] = "member,reader"
    if plan.locked_reason is not None:
        items["locked_reason"] = plan.locked_reason
    if plan.old_flavor is not None:
        items["old_vm_state"] = "active"
    if plan.state.vm_state == "shelved_offloaded":
        items["shelved_at"] = (plan.updated_at or plan.created_at).isoformat()
        items["shelved_image_id"] = fixed_uuid(f"shelved {plan.uuid}")
        items["shelved_host"] = host_name(plan.zone, 0)
    return items


def _extra(plan: ServerPlan) -> Row:
    resized = plan.old_flavor is not None
    old, new = (plan.old_flavor.id, plan.flavor.id) if plan.old_flavor else (None, None)
    row: Row = {
        "instance_uuid": plan.uuid,
        "pci_requests": "[]",
        "flavor": flavor_document(plan.flavor.id, old_id=old, new_id=new),
        "migration_context": migration_context_document(plan.uuid, plan.number) if resized else None,
        "keypairs": keypairs_document([plan.key_name] if plan.key_name else [], plan.user[0]),
    }
    return next(_numbered(plan, "instance_extra", [row])) | {"updated_at": plan.updated_at}


def _info_cache(plan: ServerPlan) -> Row:
    ports = () if plan.deleted_at else plan.ports  # Nova empties the cache before it deletes
    row: Row = {"network_info": network_document(ports), "instance_uuid": plan.uuid}
    return next(_numbered(plan, "instance_info_caches", [row])) | {"updated_at": plan.updated_at}


def _interfaces(plan: ServerPlan) -> list[Row]:
    rows: list[Row] = [
        {"address": f"{port.mac}/{port.id}", "uuid": port.id, "instance_uuid": plan.uuid}
        for port in plan.ports
    ]
    return list(_numbered(plan, "virtual_interfaces", rows))


def fault_row(uuid: str, message: str, host: Value) -> Row:
    """An `instance_faults` row without id and times."""
    details = (
        f'Traceback (most recent call last):\n  File "manager.py", line 2468\nNovaException: {message}\n'
    )
    return {"instance_uuid": uuid, "code": 500, "message": message, "details": details, "host": host}


def _faults(plan: ServerPlan) -> list[Row]:
    if plan.fault is None:
        return []
    row = fault_row(plan.uuid, plan.fault, instance_row(plan)["host"])
    return list(_numbered(plan, "instance_faults", [row]))


def _migrations(plan: ServerPlan) -> list[Row]:
    if plan.old_flavor is None or plan.host_number is None:
        return []
    host, node = host_name(plan.zone, plan.host_number), node_name(plan.zone, plan.host_number)
    source = 1 if plan.host_number == 0 else 0
    row: Row = {
        "source_compute": host_name(plan.zone, source),
        "source_node": node_name(plan.zone, source),
        "dest_compute": host,
        "dest_node": node,
        "dest_host": "192.0.2.10",
        "dest_compute_id": plan.host_number + 1,
        "status": "finished",
        "instance_uuid": plan.uuid,
        "old_instance_type_id": plan.old_flavor.id,
        "new_instance_type_id": plan.flavor.id,
        "migration_type": "resize",
        "hidden": False,
        "uuid": fixed_uuid(f"migration {plan.uuid}"),
        "cross_cell_move": False,
        "user_id": plan.user[0],
        "project_id": plan.project.id,
    }
    return list(_numbered(plan, "migrations", [row]))


def _actions(plan: ServerPlan) -> list[Row]:
    names = ("create", "delete") if plan.state is DELETED else ("create",)
    rows: list[Row] = [
        {
            "action": name,
            "instance_uuid": plan.uuid,
            "request_id": f"req-{fixed_hex(plan.uuid + name)}",
            "user_id": plan.user[0],
            "project_id": plan.project.id,
            "start_time": plan.created_at,
        }
        for name in names
    ]
    # Nova leaves the history of a deleted server undeleted, so that it can be asked for
    return [row | {"deleted_at": None, "deleted": 0} for row in _numbered(plan, "instance_actions", rows)]


def _events(plan: ServerPlan) -> list[Row]:
    actions = _actions(plan)
    build = (
        "compute__do_build_and_run_instance" if plan.launched_at else "conductor_schedule_and_build_instances"
    )
    events = (build, "compute_terminate_instance")
    rows: list[Row] = [
        {
            "event": event,
            "action_id": action["id"],
            "start_time": plan.created_at,
            "finish_time": plan.launched_at,
            "result": "Success" if plan.fault is None else "Error",
            "host": None if plan.host_number is None else host_name(plan.zone, plan.host_number),
        }
        for action, event in zip(actions, events, strict=False)
    ]
    return [
        row | {"deleted_at": None, "deleted": 0} for row in _numbered(plan, "instance_actions_events", rows)
    ]
