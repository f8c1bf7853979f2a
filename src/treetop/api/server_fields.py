# SPDX-License-Identifier: Apache-2.0
"""The table of a server document's fields: key, value, since and until which microversion, for whom, in which
view.

`server_view` compiles renderers from it; nothing else knows the shape of a server. A value is JSON with
Python expressions in braces (JSON's own braces doubled), over the columns of `server` it `uses`, over
`LOCALS` and `JOINS`, over `page` (`server_view.Page`), and over the functions of `json_text` and
`server_values`. Facts: Nova 34 at each microversion.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from treetop.api.permission import Permission


class View(StrEnum):
    """Which document: of `/servers`, of `/servers/detail`, of `/servers/{id}`."""

    INDEX = "index"
    DETAIL = "detail"
    SHOW = "show"


FULL_VIEWS: Final = frozenset({View.DETAIL, View.SHOW})


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """A value that several fields share, computed once per server."""

    expression: str
    uses: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field.

    uses: columns, locals and joins, separated by spaces. until: the last microversion; None: still there.
    needs, lacks: the permission with (without) which a caller gets the field; None: everybody.
    is_optional: the value is a bare expression; where it gives None the key is left out.
    """

    key: str
    value: str
    uses: str = ""
    since: int = 1
    until: int | None = None
    needs: Permission | None = None
    lacks: Permission | None = None
    views: frozenset[View] = FULL_VIEWS
    is_optional: bool = False


_ATTRIBUTES: Final = Permission.EXTENDED_ATTRIBUTES
_SPECS: Final = Permission.FLAVOR_EXTRA_SPECS
_EVERY_VIEW: Final = frozenset(View)
_LINKS: Final = (
    '[{{"rel":"self","href":"{server_url}{uuid}"}},'
    '{{"rel":"bookmark","href":"{bookmark_url}servers/{uuid}"}}]'
)

LOCALS: Final[Mapping[str, Local]] = MappingProxyType(
    {
        "status": Local(
            expression="status_of(vm_state, task_state, is_deleted=deleted)",
            uses="vm_state task_state deleted",
        ),
        "system": Local(expression="pairs(system_metadata)", uses="system_metadata"),
        "request_spec": Local(expression="request_specs.get(uuid)", uses="uuid request_specs"),
    }
)

#: What other tables say about the servers of a page (`server_joins` reads it): name -> the columns it is found by.
JOINS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "host_zones": "zone_id host",
        "host_statuses": "zone_id host",
        "request_specs": "uuid",
        "server_groups": "uuid",
    }
)


def _texts(names: str, *, prefix: str, since: int = 1, needs: Permission | None = None) -> tuple[Field, ...]:
    """Fields that show a text column of the same name."""
    return tuple(
        Field(key=prefix + name, value=f"{{text({name})}}", uses=name, since=since, needs=needs)
        for name in names.split()
    )


FIELDS: Final = (
    Field(key="id", value='"{uuid}"', uses="uuid", views=_EVERY_VIEW),
    Field(key="name", value="{text(display_name)}", uses="display_name", views=_EVERY_VIEW),
    Field(key="links", value=_LINKS, uses="uuid", views=_EVERY_VIEW),
    Field(key="status", value='"{status}"', uses="status"),
    Field(key="tenant_id", value="{text(project_id or '')}", uses="project_id"),
    Field(key="user_id", value="{text(user_id or '')}", uses="user_id"),
    Field(key="metadata", value="{mapping(metadata)}", uses="metadata"),
    Field(key="hostId", value="{text(host_id or '')}", uses="host_id"),
    Field(key="image", value="{image(image_ref, bookmark_url)}", uses="image_ref", until=97),
    Field(
        key="image",
        value="{image_with_properties(image_ref, system, bookmark_url)}",
        uses="image_ref system",
        since=98,
    ),
    Field(key="flavor", value="{flavor_link(flavor_id, bookmark_url)}", uses="flavor_id", until=46),
    Field(key="flavor", value="{flavor or EMPTY}", uses="flavor", since=47, needs=_SPECS),
    Field(key="flavor", value="{flavor_without_extra_specs(flavor)}", uses="flavor", since=47, lacks=_SPECS),
    Field(key="created", value="{moment(created_at)}", uses="created_at"),
    # Nova shows the present as long as a server was never updated; its creation is the better answer.
    Field(key="updated", value="{moment(updated_at or created_at)}", uses="updated_at created_at"),
    Field(
        key="addresses",
        value="{EMPTY if vm_state == BUILDING_STATE else addresses or EMPTY}",
        uses="vm_state addresses",
    ),
    Field(key="accessIPv4", value="{text(access_ip_v4 or '')}", uses="access_ip_v4"),
    Field(key="accessIPv6", value="{text(access_ip_v6 or '')}", uses="access_ip_v6"),
    Field(
        key="OS-DCF:diskConfig",
        value='"{"AUTO" if auto_disk_config else "MANUAL"}"',
        uses="auto_disk_config",
    ),
    Field(
        key="OS-EXT-AZ:availability_zone",
        value="{host_zones.get((zone_id, host))"
        " or text(availability_zone or (page.default_availability_zone if host_id else ''))}",
        uses="host_zones availability_zone host_id",
    ),
    *_texts("config_drive key_name", prefix=""),
    Field(key="OS-SRV-USG:launched_at", value="{stamp(launched_at)}", uses="launched_at"),
    Field(key="OS-SRV-USG:terminated_at", value="{stamp(terminated_at)}", uses="terminated_at"),
    *_texts("host", prefix="OS-EXT-SRV-ATTR:", needs=_ATTRIBUTES),
    Field(key="OS-EXT-SRV-ATTR:hypervisor_hostname", value="{text(node)}", uses="node", needs=_ATTRIBUTES),
    Field(
        key="OS-EXT-SRV-ATTR:instance_name",
        value="{page.instance_name(zone_id, source_id, uuid)}",
        uses="source_id zone_id uuid",
        needs=_ATTRIBUTES,
    ),
    *_texts(
        "hostname kernel_id ramdisk_id reservation_id root_device_name user_data",
        prefix="OS-EXT-SRV-ATTR:",
        since=3,
        needs=_ATTRIBUTES,
    ),
    Field(
        key="OS-EXT-SRV-ATTR:launch_index",
        value="{number(launch_index)}",
        uses="launch_index",
        since=3,
        needs=_ATTRIBUTES,
    ),
    Field(
        key="OS-EXT-SRV-ATTR:hostname",
        value="{text(hostname)}",
        uses="hostname",
        since=90,
        lacks=_ATTRIBUTES,
    ),
    *_texts("task_state vm_state", prefix="OS-EXT-STS:"),
    Field(key="OS-EXT-STS:power_state", value="{number(power_state)}", uses="power_state"),
    Field(key="os-extended-volumes:volumes_attached", value="{volume_ids(volumes)}", uses="volumes", until=2),
    Field(
        key="os-extended-volumes:volumes_attached",
        value="{volumes_attached(volumes)}",
        uses="volumes",
        since=3,
    ),
    Field(key="locked", value='{"true" if locked_by else "false"}', uses="locked_by", since=9),
    Field(key="description", value="{text(display_description)}", uses="display_description", since=19),
    Field(key="tags", value="{names(tags)}", uses="tags", since=26),
    Field(key="trusted_image_certificates", value="{trusted_certs or NULL}", uses="trusted_certs", since=63),
    Field(key="locked_reason", value='{text(system.get("locked_reason"))}', uses="system", since=73),
    Field(
        key="pinned_availability_zone",
        value="{text(request_spec[0]) if request_spec else NULL}",
        uses="request_spec",
        since=96,
    ),
    # A server without a request spec has no hints in a list and an empty set of them alone.
    *(
        Field(
            key="scheduler_hints",
            value="{(request_spec[1] or NULL) if request_spec else " + without_spec + "}",
            uses="request_spec",
            since=100,
            views=frozenset({view}),
        )
        for view, without_spec in ((View.DETAIL, "NULL"), (View.SHOW, "EMPTY"))
    ),
    Field(
        key="server_groups",
        value="{server_groups.get(uuid) or '[]'}",
        uses="uuid server_groups",
        since=71,
        views=frozenset({View.SHOW}),
    ),
    Field(
        key="host_status",
        value="\"{'' if deleted else host_statuses.get((zone_id, host), '')}\"",
        uses="host_statuses deleted",
        since=16,
        needs=Permission.HOST_STATUS,
    ),
    Field(
        key="host_status",
        value="None if deleted else unknown_only(host_statuses.get((zone_id, host)))",
        uses="host_statuses deleted",
        since=16,
        needs=Permission.HOST_STATUS_UNKNOWN_ONLY,
        lacks=Permission.HOST_STATUS,
        is_optional=True,
    ),
    Field(
        key="progress",
        value="number(progress) if status in PROGRESS_STATUSES else None",
        uses="progress status",
        is_optional=True,
    ),
    Field(
        key="fault",
        value="newest_fault(faults, is_admin=is_admin) if status in FAULT_STATUSES else None",
        uses="faults status",
        is_optional=True,
    ),
)
