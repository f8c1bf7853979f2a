# SPDX-License-Identifier: Apache-2.0
"""Rows of `block_device_mapping` without id: a server's disk from its image, and its volumes. Pure."""

from treetop.demo.catalogue import fixed_uuid
from treetop.demo.documents import connection_document
from treetop.demo.population import ServerPlan, Volume
from treetop.demo.row import Row


def volume_device(volume: Volume, server_uuid: str) -> Row:
    """A `block_device_mapping` row without id and times: an attached volume."""
    return {
        "device_name": volume.device_name,
        "delete_on_termination": volume.delete_on_termination,
        "volume_id": volume.id,
        "volume_size": volume.size_gb,
        "no_device": False,
        "connection_info": connection_document(volume.id, server_uuid),
        "instance_uuid": server_uuid,
        "source_type": "volume",
        "destination_type": "volume",
        "device_type": "disk",
        "disk_bus": "virtio",
        "boot_index": 0 if volume.is_root else None,
        "image_id": None,
        "attachment_id": volume.attachment_id,
        "uuid": fixed_uuid(f"device {volume.id} {server_uuid}"),
        "encrypted": False,
    }


def image_device(plan: ServerPlan) -> Row:
    """The disk that was made from the server's image, on its host."""
    return {
        "device_name": "/dev/vda",
        "delete_on_termination": True,
        "volume_id": None,
        "volume_size": None,
        "no_device": False,
        "connection_info": None,
        "instance_uuid": plan.uuid,
        "source_type": "image",
        "destination_type": "local",
        "device_type": "disk",
        "disk_bus": "virtio",
        "boot_index": 0,
        "image_id": plan.image.id,
        "attachment_id": None,
        "uuid": fixed_uuid(f"device root {plan.uuid}"),
        "encrypted": False,
    }
