# SPDX-License-Identifier: Apache-2.0
"""The two documents of a migration: of `/os-migrations`, and of `/servers/{id}/migrations`. Pure.

Facts: Nova 34, api/openstack/compute/migrations.py (`_output`), server_migrations.py (`output`).
"""

from typing import Any, Final

import orjson

from treetop.api.json_text import stamp
from treetop.store.migrations import Migration

UUID_SINCE: Final = 59
OWNER_SINCE: Final = 80
TYPE_SINCE: Final = 23
_HOSTS: Final = ("source_compute", "source_node", "dest_compute", "dest_node", "dest_host")

Document = dict[str, Any]  # Any: JSON


def listed_migration(migration: Migration, minor: int, *, sees_hosts: bool) -> Document:
    """The document in a list of all migrations, without links."""
    document = {
        "instance_uuid": migration.server_id,
        "old_instance_type_id": migration.old_instance_type_id,
        "new_instance_type_id": migration.new_instance_type_id,
        **_common(migration, minor, sees_hosts=sees_hosts),
    }
    return document | {"migration_type": migration.migration_type} if minor >= TYPE_SINCE else document


def server_migration(migration: Migration, minor: int, *, sees_hosts: bool) -> Document:
    """The document of a migration of one server, which shows how far it is."""
    return {
        "server_uuid": migration.server_id,
        "memory_total_bytes": migration.memory_total,
        "memory_processed_bytes": migration.memory_processed,
        "memory_remaining_bytes": migration.memory_remaining,
        "disk_total_bytes": migration.disk_total,
        "disk_processed_bytes": migration.disk_processed,
        "disk_remaining_bytes": migration.disk_remaining,
        **_common(migration, minor, sees_hosts=sees_hosts),
    }


def _common(migration: Migration, minor: int, *, sees_hosts: bool) -> Document:
    document = {
        "id": migration.id,
        "status": migration.status,
        "created_at": orjson.Fragment(stamp(migration.created_at)),
        "updated_at": orjson.Fragment(stamp(migration.updated_at)),
        **{name: getattr(migration, name) if sees_hosts else None for name in _HOSTS},
    }
    if minor >= UUID_SINCE:
        document["uuid"] = migration.uuid
    if minor >= OWNER_SINCE:
        document |= {"user_id": migration.user_id, "project_id": migration.project_id}
    return document
