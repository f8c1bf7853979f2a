# SPDX-License-Identifier: Apache-2.0
"""Which tables and columns of a cell database make the servers' rows, and nothing more.

Facts: schema of Nova 34 (made by `nova-manage db sync`); a column that older releases lack is not `required` and
reads as None there.
"""

from treetop.nova.table import Kind, Table, columns_of

COMPUTED_HOST_ID = "host_id"  # made by `nova.trust` from project and host, the way Nova's API makes hostId

INSTANCES = Table(
    name="instances",
    columns=(
        *columns_of(Kind.INTEGER, "id"),
        *columns_of(Kind.TEXT, "uuid project_id user_id display_name hostname vm_state task_state"),
        *columns_of(Kind.INTEGER, "power_state progress deleted"),
        *columns_of(Kind.TIMESTAMP, "created_at updated_at launched_at terminated_at"),
        *columns_of(Kind.TEXT, "host node availability_zone image_ref kernel_id ramdisk_id key_name"),
        *columns_of(Kind.INTEGER, "instance_type_id launch_index memory_mb vcpus root_gb ephemeral_gb"),
        *columns_of(Kind.TEXT, "reservation_id root_device_name access_ip_v4 access_ip_v6 config_drive"),
        *columns_of(Kind.TEXT, "display_description locked_by user_data"),
        *columns_of(Kind.BOOLEAN, "locked auto_disk_config"),
        *columns_of(Kind.BOOLEAN, "hidden", required=False),  # since Train
    ),
    key=("id",),
    owner="uuid",
    computed=(COMPUTED_HOST_ID,),
)

INSTANCE_EXTRA = Table(
    name="instance_extra",
    columns=(
        *columns_of(Kind.INTEGER, "id"),
        *columns_of(Kind.TEXT, "instance_uuid flavor"),
        *columns_of(Kind.TEXT, "trusted_certs", required=False),  # since Rocky
    ),
    key=("id",),
    owner="instance_uuid",
)

INSTANCE_INFO_CACHES = Table(
    name="instance_info_caches",
    columns=(*columns_of(Kind.INTEGER, "id"), *columns_of(Kind.TEXT, "instance_uuid network_info")),
    key=("id",),
    owner="instance_uuid",
)

INSTANCE_METADATA = Table(
    name="instance_metadata",
    columns=(
        *columns_of(Kind.INTEGER, "id"),
        *columns_of(Kind.TEXT, "instance_uuid key value"),
        *columns_of(Kind.INTEGER, "deleted"),
    ),
    key=("id",),
    owner="instance_uuid",
)

INSTANCE_SYSTEM_METADATA = Table(
    name="instance_system_metadata",
    columns=(*columns_of(Kind.INTEGER, "id"), *columns_of(Kind.TEXT, "instance_uuid key value")),
    key=("id",),
    owner="instance_uuid",
)

TAGS = Table(
    name="tags",
    columns=columns_of(Kind.TEXT, "resource_id tag"),
    key=("resource_id", "tag"),
    owner="resource_id",
)

BLOCK_DEVICE_MAPPING = Table(
    name="block_device_mapping",
    columns=(
        *columns_of(Kind.INTEGER, "id"),
        *columns_of(Kind.TEXT, "instance_uuid volume_id device_name"),
        *columns_of(Kind.BOOLEAN, "delete_on_termination"),
        *columns_of(Kind.INTEGER, "deleted"),
        *columns_of(Kind.TEXT, "tag attachment_id uuid", required=False),  # since Ocata, Pike, Queens
    ),
    key=("id",),
    owner="instance_uuid",
)

INSTANCE_FAULTS = Table(
    name="instance_faults",
    columns=(
        *columns_of(Kind.INTEGER, "id"),
        *columns_of(Kind.TEXT, "instance_uuid"),
        *columns_of(Kind.TIMESTAMP, "created_at"),
        *columns_of(Kind.INTEGER, "code"),
        *columns_of(Kind.TEXT, "message details"),
        *columns_of(Kind.INTEGER, "deleted"),
    ),
    key=("id",),
    owner="instance_uuid",
)

#: What is read of a cell (and of cell0), by table name. `instances` comes first: it makes the server's row.
CELL_TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        INSTANCES,
        INSTANCE_EXTRA,
        INSTANCE_INFO_CACHES,
        INSTANCE_METADATA,
        INSTANCE_SYSTEM_METADATA,
        TAGS,
        BLOCK_DEVICE_MAPPING,
        INSTANCE_FAULTS,
    )
}

#: Table -> where a row has the uuid of its server, and what tells it from the server's other rows (id, or the tag).
OWNER_PLACES = {name: table.index(table.owner) for name, table in CELL_TABLES.items() if table.owner}
KEY_PLACES = {name: table.index(table.key[-1]) for name, table in CELL_TABLES.items()}
