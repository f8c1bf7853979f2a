# SPDX-License-Identifier: Apache-2.0
"""Read every server of a cell with Nova's own objects and print what Nova sees, as JSON by uuid.

Runs in `.venv-nova`, never in the tests' own process: `python read_with_nova.py NOVA_CONF`.
"""

import json
import sys

from nova import monkey_patch

monkey_patch.patch(backend="threading")

from nova import config, context, objects  # noqa: E402 - Nova wants to be patched first

ATTRIBUTES = [
    "flavor",
    "info_cache",
    "metadata",
    "system_metadata",
    "tags",
    "fault",
    "keypairs",
    "migration_context",
]


def seen(instance: "objects.Instance") -> dict[str, object]:
    addresses = [
        ip["address"]
        for interface in instance.info_cache.network_info
        for subnet in interface["network"]["subnets"]
        for ip in subnet["ips"]
    ]
    devices = objects.BlockDeviceMappingList.get_by_instance_uuid(instance._context, instance.uuid)
    return {
        "name": instance.display_name,
        "flavor": instance.flavor.name,
        "old_flavor": instance.old_flavor.name if instance.old_flavor else None,
        "extra_specs": instance.flavor.extra_specs,
        "addresses": addresses,
        "metadata": instance.metadata,
        "tags": sorted(tag.tag for tag in instance.tags),
        "fault": instance.fault.message if instance.fault else None,
        "keypairs": [keypair.name for keypair in instance.keypairs],
        "is_resizing": instance.migration_context is not None,
        "volumes": sorted(device.volume_id for device in devices if device.volume_id),
        "locked_by": instance.locked_by,
    }


def main() -> None:
    config.parse_args(["read", "--config-file", sys.argv[1]])
    objects.register_all()
    admin = context.get_admin_context()
    found = objects.InstanceList.get_by_filters(admin, {"deleted": False}, expected_attrs=ATTRIBUTES)
    sys.stdout.write(json.dumps({instance.uuid: seen(instance) for instance in found}))


if __name__ == "__main__":
    main()
