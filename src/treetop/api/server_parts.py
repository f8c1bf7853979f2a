# SPDX-License-Identifier: Apache-2.0
"""What is below one server: path, below `/v2.1/`, -> what answers it."""

from psycopg_pool import ConnectionPool

from treetop.api.options import ApiOptions
from treetop.api.server_actions import ServerAction, ServerActionList
from treetop.api.server_ips import ServerIps
from treetop.api.server_metadata import ServerMetadata
from treetop.api.server_migrations import ServerMigrations
from treetop.api.server_tags import ServerTags
from treetop.api.volume_attachments import VolumeAttachments


def server_parts(pool: ConnectionPool, options: ApiOptions) -> dict[str, object]:
    """Each noun, all of it and one by one."""
    ips, metadata = ServerIps(pool, options), ServerMetadata(pool, options)
    tags, volumes = ServerTags(pool, options), VolumeAttachments(pool, options)
    migrations = ServerMigrations(pool, options)
    return {
        "servers/{server_id}/ips": ips,
        "servers/{server_id}/ips/{label}": ips,
        "servers/{server_id}/metadata": metadata,
        "servers/{server_id}/metadata/{key}": metadata,
        "servers/{server_id}/tags": tags,
        "servers/{server_id}/tags/{tag}": tags,
        "servers/{server_id}/os-volume_attachments": volumes,
        "servers/{server_id}/os-volume_attachments/{volume_id}": volumes,
        "servers/{server_id}/os-instance-actions": ServerActionList(pool, options),
        "servers/{server_id}/os-instance-actions/{request_id}": ServerAction(pool, options),
        "servers/{server_id}/migrations": migrations,
        "servers/{server_id}/migrations/{migration_id}": migrations,
    }
