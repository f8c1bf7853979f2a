# SPDX-License-Identifier: Apache-2.0
"""Which tables and columns of a cell database Treetop reads, and nothing more.

The decoders, the chunk readers, the PostgreSQL publication and the setup checks are all made from `CELL_TABLES`:
what is not named here never leaves a zone. Facts: schema of Nova 34 (made by `nova-manage db sync`); a column
that older releases lack is not `required` and reads as None there.
"""

from dataclasses import dataclass
from enum import StrEnum

COMPUTED_HOST_ID = "host_id"  # made by `nova.trust` from project and host, the way Nova's API makes hostId


class Kind(StrEnum):
    """The canonical type of a column's values (`model.change` has the forms)."""

    INTEGER = "integer"
    BOOLEAN = "boolean"
    TEXT = "text"
    TIMESTAMP = "timestamp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column that is read. required: False where some supported Nova release lacks it (reads as None)."""

    name: str
    kind: Kind
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One watched table.

    columns: in the order in which decoders give their values.
    computed: names of columns appended by `nova.trust` after reading; decoders do not know them.
    key: the primary key; owner: the column that holds the server's uuid.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    owner: str
    computed: tuple[str, ...] = ()

    @property
    def column_names(self) -> tuple[str, ...]:
        """The columns read from the zone, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def shared_columns(self) -> tuple[str, ...]:
        """The columns of a row as it leaves `capture`: those read, then the computed ones."""
        return self.column_names + self.computed

    @property
    def identity(self) -> tuple[str, ...]:
        """Key and owner: an UPDATE that changes one of them carries the old row."""
        return (*self.key, self.owner) if self.owner not in self.key else self.key

    def index(self, column: str) -> int:
        """The place of a shared column in a row. Raises ValueError for a column that is not read."""
        return self.shared_columns.index(column)


def _columns(kind: Kind, names: str, *, required: bool = True) -> tuple[Column, ...]:
    return tuple(Column(name=name, kind=kind, required=required) for name in names.split())


INSTANCES = Table(
    name="instances",
    columns=(
        *_columns(Kind.INTEGER, "id"),
        *_columns(Kind.TEXT, "uuid project_id user_id display_name hostname vm_state task_state"),
        *_columns(Kind.INTEGER, "power_state progress deleted"),
        *_columns(Kind.TIMESTAMP, "created_at updated_at launched_at terminated_at"),
        *_columns(Kind.TEXT, "host node availability_zone image_ref kernel_id ramdisk_id key_name"),
        *_columns(Kind.INTEGER, "instance_type_id launch_index memory_mb vcpus root_gb ephemeral_gb"),
        *_columns(Kind.TEXT, "reservation_id root_device_name access_ip_v4 access_ip_v6 config_drive"),
        *_columns(Kind.TEXT, "display_description locked_by user_data"),
        *_columns(Kind.BOOLEAN, "locked auto_disk_config"),
        *_columns(Kind.BOOLEAN, "hidden", required=False),  # since Train
    ),
    key=("id",),
    owner="uuid",
    computed=(COMPUTED_HOST_ID,),
)

INSTANCE_EXTRA = Table(
    name="instance_extra",
    columns=(
        *_columns(Kind.INTEGER, "id"),
        *_columns(Kind.TEXT, "instance_uuid flavor"),
        *_columns(Kind.TEXT, "trusted_certs", required=False),  # since Rocky
    ),
    key=("id",),
    owner="instance_uuid",
)

INSTANCE_INFO_CACHES = Table(
    name="instance_info_caches",
    columns=(*_columns(Kind.INTEGER, "id"), *_columns(Kind.TEXT, "instance_uuid network_info")),
    key=("id",),
    owner="instance_uuid",
)

INSTANCE_METADATA = Table(
    name="instance_metadata",
    columns=(
        *_columns(Kind.INTEGER, "id"),
        *_columns(Kind.TEXT, "instance_uuid key value"),
        *_columns(Kind.INTEGER, "deleted"),
    ),
    key=("id",),
    owner="instance_uuid",
)

INSTANCE_SYSTEM_METADATA = Table(
    name="instance_system_metadata",
    columns=(*_columns(Kind.INTEGER, "id"), *_columns(Kind.TEXT, "instance_uuid key value")),
    key=("id",),
    owner="instance_uuid",
)

TAGS = Table(
    name="tags",
    columns=_columns(Kind.TEXT, "resource_id tag"),
    key=("resource_id", "tag"),
    owner="resource_id",
)

BLOCK_DEVICE_MAPPING = Table(
    name="block_device_mapping",
    columns=(
        *_columns(Kind.INTEGER, "id"),
        *_columns(Kind.TEXT, "instance_uuid volume_id device_name"),
        *_columns(Kind.BOOLEAN, "delete_on_termination"),
        *_columns(Kind.INTEGER, "deleted"),
        *_columns(Kind.TEXT, "tag attachment_id uuid", required=False),  # since Ocata, Pike, Queens
    ),
    key=("id",),
    owner="instance_uuid",
)

INSTANCE_FAULTS = Table(
    name="instance_faults",
    columns=(
        *_columns(Kind.INTEGER, "id"),
        *_columns(Kind.TEXT, "instance_uuid"),
        *_columns(Kind.TIMESTAMP, "created_at"),
        *_columns(Kind.INTEGER, "code"),
        *_columns(Kind.TEXT, "message details"),
        *_columns(Kind.INTEGER, "deleted"),
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
OWNER_PLACES = {name: table.index(table.owner) for name, table in CELL_TABLES.items()}
KEY_PLACES = {name: table.index(table.key[-1]) for name, table in CELL_TABLES.items()}
