# SPDX-License-Identifier: Apache-2.0
"""The JSON documents of Nova's API database about one server: request spec, build request, its tags. Pure.

Shapes as Nova 34 serializes them (`request_specs.spec`, `build_requests.instance` and `.tags`), as in `documents`.
"""

import json

from treetop.demo.catalogue import Flavor, Image
from treetop.demo.documents import FLAVORS_CREATED_AT, Document, flavor_object, versioned_object
from treetop.demo.population import ServerPlan
from treetop.demo.region_catalogue import ServerRequest

_LIMITS = ("numa_topology", "memory_mb", "disk_gb", "vcpu")


def request_spec_document(plan: ServerPlan, request: ServerRequest) -> str:
    """`request_specs.spec`: what the scheduler was asked for."""
    groups = [versioned_object("SecurityGroup", "1.2", {"name": "default"}, changes=("name",))]
    group = request.group
    data: Document = {
        "image": _image(plan.image, plan.project.id),
        "numa_topology": None,
        "pci_requests": versioned_object(
            "InstancePCIRequests", "1.1", {"requests": []}, changes=("requests",)
        ),
        "project_id": plan.project.id,
        "user_id": plan.user[0],
        "availability_zone": request.availability_zone,
        "flavor": flavor_object(plan.flavor),
        "num_instances": 1,
        "ignore_hosts": None,
        "force_hosts": None,
        "force_nodes": None,
        "requested_destination": None,
        "retry": None,
        "limits": versioned_object("SchedulerLimits", "1.0", dict.fromkeys(_LIMITS), changes=_LIMITS),
        "instance_group": None
        if group is None
        else versioned_object("InstanceGroup", "1.11", {"uuid": group.uuid}),
        "scheduler_hints": request.hints,
        "instance_uuid": plan.uuid,
        "security_groups": versioned_object(
            "SecurityGroupList", "1.1", {"objects": groups}, changes=("objects",)
        ),
        "is_bfv": any(volume.is_root for volume in plan.volumes),
        "requested_resources": [],
    }
    return json.dumps(versioned_object("RequestSpec", "1.15", data, changes=tuple(data)))


def with_flavor(request_spec: str, flavor: Flavor) -> str:
    """The same request spec after a resize."""
    document = json.loads(request_spec)
    document["nova_object.data"]["flavor"] = flavor_object(flavor)
    return json.dumps(document)


def instance_document(
    plan: ServerPlan, request: ServerRequest, system_metadata: dict[str, str | None]
) -> str:
    """`build_requests.instance`: the server before any cell has it."""
    data: Document = {
        "user_id": plan.user[0],
        "project_id": plan.project.id,
        "image_ref": plan.image.id,
        "kernel_id": "",
        "ramdisk_id": "",
        "hostname": plan.hostname,
        "launch_index": 0,
        "key_name": plan.key_name,
        "power_state": 0,
        "vm_state": "building",
        "task_state": "scheduling",
        "memory_mb": plan.flavor.memory_mb,
        "vcpus": plan.flavor.vcpus,
        "root_gb": plan.flavor.root_gb,
        "ephemeral_gb": plan.flavor.ephemeral_gb,
        "instance_type_id": plan.flavor.id,
        "user_data": plan.user_data,
        "reservation_id": f"r-{plan.number:08x}",
        "availability_zone": request.availability_zone,
        "display_name": plan.name,
        "display_description": plan.description,
        "locked": False,
        "uuid": plan.uuid,
        "root_device_name": None,
        "config_drive": "True" if plan.config_drive else "",
        "access_ip_v4": plan.access_v4,
        "access_ip_v6": plan.access_v6,
        "auto_disk_config": plan.number % 3 == 0,
        "progress": 0,
        "shutdown_terminate": False,
        "disable_terminate": False,
        "hidden": False,
        "deleted": False,
        "metadata": dict(plan.metadata),
        "system_metadata": system_metadata,
        "info_cache": versioned_object(
            "InstanceInfoCache", "1.5", {"instance_uuid": plan.uuid, "network_info": "[]"},
            changes=("instance_uuid", "network_info"),
        ),
        "security_groups": versioned_object("SecurityGroupList", "1.1", {"objects": []}),
        "flavor": flavor_object(plan.flavor),
        "old_flavor": None,
        "new_flavor": None,
        "numa_topology": None,
        "ephemeral_key_uuid": None,
        "trusted_certs": None,
    }  # fmt: skip
    return json.dumps(versioned_object("Instance", "2.8", data, changes=tuple(data)))


def tags_document(plan: ServerPlan) -> str:
    """`build_requests.tags`."""
    tags = [
        versioned_object("Tag", "1.1", {"resource_id": plan.uuid, "tag": tag}, changes=("resource_id", "tag"))
        for tag in plan.tags
    ]
    return json.dumps(versioned_object("TagList", "1.1", {"objects": tags}, changes=("objects",)))


def empty_devices_document() -> str:
    """`build_requests.block_device_mappings` of a server whose disks follow from its image."""
    return json.dumps(
        versioned_object("BlockDeviceMappingList", "1.18", {"objects": []}, changes=("objects",))
    )


def _image(image: Image, owner: str) -> Document:
    properties = versioned_object(
        "ImageMetaProps", "1.44", dict(image.properties), changes=tuple(image.properties)
    )
    data: Document = {
        "id": image.id,
        "name": image.properties.get("os_distro", "cirros"),
        "status": "active",
        "checksum": image.id.replace("-", ""),
        "owner": owner,
        "size": 613_416_960,
        "container_format": "bare",
        "disk_format": image.disk_format,
        "created_at": FLAVORS_CREATED_AT,
        "updated_at": FLAVORS_CREATED_AT,
        "min_ram": 0,
        "min_disk": image.min_disk,
        "properties": properties,
    }
    return versioned_object("ImageMeta", "1.8", data, changes=tuple(data))
