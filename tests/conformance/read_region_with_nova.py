# SPDX-License-Identifier: Apache-2.0
"""Read a region's API database with Nova's own objects and print what Nova sees, as JSON.

Runs in `.venv-nova`, never in the tests' own process: `python read_region_with_nova.py NOVA_CONF`.
"""

import json
import sys

from nova import monkey_patch

monkey_patch.patch(backend="threading")

from nova import config, context, objects  # noqa: E402 - Nova wants to be patched first
from sqlalchemy.engine import make_url  # noqa: E402


def place(cell: "objects.CellMapping") -> list[object]:
    """Where SQLAlchemy would look for the cell's database, after Nova filled in what is a template."""
    url = make_url(cell.database_connection)
    host, port = url.query.get("host", url.host), url.query.get("port", url.port)
    return [url.get_backend_name(), host, port and int(port), url.database]


def request(admin: "context.RequestContext", uuid: str) -> dict[str, object]:
    spec = objects.RequestSpec.get_by_instance_uuid(admin, uuid)
    return {
        "flavor": spec.flavor.name,
        "image": spec.image.id,
        "availability_zone": spec.availability_zone,
        "hints": spec.scheduler_hints,
        "group": spec.instance_group.uuid if spec.instance_group else None,
    }


def build_request(found: "objects.BuildRequest") -> dict[str, object]:
    instance = found.instance
    return {
        "uuid": instance.uuid,
        "name": instance.display_name,
        "flavor": instance.flavor.name,
        "metadata": instance.metadata,
        "tags": [tag.tag for tag in found.tags],
    }


def main() -> None:
    config.parse_args(["read", "--config-file", sys.argv[1]])
    objects.register_all()
    admin = context.get_admin_context()
    cells = objects.CellMappingList.get_all(admin)
    mappings = [
        mapping for cell in cells for mapping in objects.InstanceMappingList.get_by_cell_id(admin, cell.id)
    ]
    seen = {
        "places": {cell.name: place(cell) for cell in cells},
        "flavors": {flavor.name: flavor.extra_specs for flavor in objects.FlavorList.get_all(admin)},
        "aggregates": {
            found.name: [found.metadata, sorted(found.hosts)]
            for found in objects.AggregateList.get_all(admin)
        },
        "groups": {
            found.uuid: [found.policy, found.rules, sorted(found.members)]
            for found in objects.InstanceGroupList.get_all(admin)
        },
        "mappings": {found.instance_uuid: found.queued_for_delete for found in mappings},
        "requests": {found.instance_uuid: request(admin, found.instance_uuid) for found in mappings},
        "build_requests": list(map(build_request, objects.BuildRequestList.get_all(admin))),
    }
    sys.stdout.write(json.dumps(seen))


if __name__ == "__main__":
    main()
