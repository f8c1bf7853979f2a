# SPDX-License-Identifier: Apache-2.0
"""Servers that were accepted and are in no cell yet: rows of `build_requests` and their mappings. Pure.

The documents have the keys that Nova 34 writes when it serialises an instance before it is scheduled.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final

from tests.conformance.region.api_rows import request_spec
from tests.conformance.region.plan import MEMBER, NOW, OTHER
from treetop.demo.catalogue import FLAVORS, IMAGES, Project, fixed_uuid
from treetop.demo.documents import flavor_document
from treetop.demo.row import Row
from treetop.demo.server_rows import Rows

_IDS_FROM: Final = 100_000

_NOTHING: Final = (
    "key_name key_data ephemeral_key_uuid host node user_data launched_at terminated_at availability_zone "
    "launched_on locked_by os_type architecture vm_mode root_device_name default_ephemeral_device "
    "default_swap_device access_ip_v4 access_ip_v6 cell_name fault pci_devices numa_topology old_flavor "
    "new_flavor trusted_certs updated_at deleted_at"
)

#: name -> (project, metadata, tags).
REQUESTED: Final[Mapping[str, tuple[Project, Mapping[str, str], tuple[str, ...]]]] = {
    "requested-one": (MEMBER, {"asked": "just now"}, ("beta",)),
    "requested-zwei": (MEMBER, {}, ()),
    "requested-of-other": (OTHER, {}, ()),
}


def requested_uuid(name: str) -> str:
    """The uuid of a server that is requested."""
    return fixed_uuid(f"requested {name}")


def build_request_rows() -> Rows:
    """Rows of every table that knows a requested server; they come behind those of the cells."""
    return {
        "build_requests": list(_requests()),
        "instance_mappings": list(_mappings()),
        "request_specs": list(_specs()),
    }


def _requests() -> Iterator[Row]:
    for number, (name, (project, metadata, tags)) in enumerate(REQUESTED.items()):
        yield {
            "id": _IDS_FROM + number,
            "created_at": NOW - timedelta(seconds=10 - number),
            "updated_at": None,
            "project_id": project.id,
            "instance_uuid": requested_uuid(name),
            "instance": json.dumps(_instance(name, project, metadata)),
            "block_device_mappings": json.dumps(_object("BlockDeviceMappingList", "1.18", {"objects": []})),
            "tags": json.dumps(_tags(name, tags)),
        }


def _mappings() -> Iterator[Row]:
    for number, (name, (project, _, _)) in enumerate(REQUESTED.items()):
        yield {
            "id": _IDS_FROM + number,
            "created_at": NOW,
            "updated_at": None,
            "instance_uuid": requested_uuid(name),
            "cell_id": None,
            "project_id": project.id,
            "queued_for_delete": False,
            "user_id": project.users[0][0],
        }


def _specs() -> Iterator[Row]:
    for number, (name, (project, _, _)) in enumerate(REQUESTED.items()):
        uuid = requested_uuid(name)
        yield {
            "id": _IDS_FROM + number,
            "created_at": NOW,
            "updated_at": None,
            "instance_uuid": uuid,
            "spec": request_spec(uuid, project.id, "north" if number else None, {}),
        }


def _object(name: str, version: str, data: Mapping[str, object]) -> dict[str, object]:
    return {
        "nova_object.name": name,
        "nova_object.namespace": "nova",
        "nova_object.version": version,
        "nova_object.data": dict(data),
    }


def _tags(name: str, tags: tuple[str, ...]) -> dict[str, object]:
    uuid = requested_uuid(name)
    found = [_object("Tag", "1.1", {"resource_id": uuid, "tag": tag}) for tag in tags]
    return _object("TagList", "1.1", {"objects": found})


def _instance(name: str, project: Project, metadata: Mapping[str, str]) -> dict[str, object]:
    flavor = FLAVORS[1]
    uuid = requested_uuid(name)
    nothing = dict.fromkeys(_NOTHING.split())
    cache = {"instance_uuid": uuid, "network_info": "[]"}
    data: dict[str, object] = {
        **nothing,
        "user_id": project.users[0][0],
        "project_id": project.id,
        "image_ref": IMAGES[0].id,
        "kernel_id": "",
        "ramdisk_id": "",
        "hostname": name,
        "launch_index": 0,
        "power_state": 0,
        "vm_state": "building",
        "task_state": "scheduling",
        "memory_mb": flavor.memory_mb,
        "vcpus": flavor.vcpus,
        "root_gb": flavor.root_gb,
        "ephemeral_gb": flavor.ephemeral_gb,
        "instance_type_id": flavor.id,
        "reservation_id": "r-requested",
        "display_name": name,
        "display_description": name,
        "locked": False,
        "uuid": uuid,
        "config_drive": "",
        "auto_disk_config": False,
        "progress": 0,
        "shutdown_terminate": False,
        "disable_terminate": False,
        "metadata": dict(metadata),
        "system_metadata": {"image_os_distro": "debian", "image_base_image_ref": IMAGES[0].id},
        "info_cache": _object("InstanceInfoCache", "1.5", cache),
        "security_groups": _object("SecurityGroupList", "1.1", {"objects": []}),
        "services": _object("ServiceList", "1.19", {"objects": []}),
        "cleaned": False,
        "tags": _tags(name, ()),
        "flavor": json.loads(flavor_document(flavor.id))["cur"],
        "keypairs": _object("KeyPairList", "1.3", {"objects": []}),
        "pci_requests": _object("InstancePCIRequests", "1.1", {"instance_uuid": uuid, "requests": []}),
        "hidden": False,
        "created_at": NOW.isoformat() + "Z",
        "deleted": False,
    }
    return _object("Instance", "2.8", data)
