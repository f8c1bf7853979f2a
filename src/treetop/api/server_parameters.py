# SPDX-License-Identifier: Apache-2.0
"""The table of query parameters of `GET /servers` and `/servers/detail`: name, kind, who, since when, what it
asks.

Facts: Nova 34, api/openstack/compute/schemas/servers.py and servers.py (`_get_server_search_options`).
"""

from collections.abc import Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from treetop.api.parameters import STRICT_SINCE, Kind, Parameter, QuerySchema
from treetop.store.server_filters import (
    at_address,
    equals,
    has_uuid,
    matches,
    matches_as_digit,
    matches_as_text,
    of_project,
)
from treetop.store.server_order import SORT_KEYS

_ALWAYS: Final = 1
_FILTERS_OPENED: Final = 83
_HOSTNAME_OPENED: Final = 90
LOCKED_SINCE: Final = 73

#: Columns of Nova's table that a server once could be sorted by and no longer is: accepted without effect
#: before 2.75.
_IGNORED = (
    "architecture cell_name cleaned default_ephemeral_device default_swap_device deleted deleted_at "
    "disable_terminate ephemeral_gb ephemeral_key_uuid id key_data launched_on memory_mb os_type "
    "reservation_id root_gb shutdown_terminate user_data vcpus vm_mode"
)
IGNORED_SORT_KEYS: Final = frozenset(_IGNORED.split())

#: Names of joined tables: known to the schema, refused as a filter.
_JOINED = "block_device_mapping services metadata system_metadata info_cache security_groups pci_devices"
JOINED_TABLES: Final = frozenset(_JOINED.split())


def sort_keys(minor: int) -> list[str]:
    """The keys that `sort_key` accepts at a microversion, as Nova lists them."""
    known = frozenset(SORT_KEYS)
    return sorted(known if minor >= STRICT_SINCE else known | IGNORED_SORT_KEYS)


def is_sorted_by(key: str, minor: int) -> bool:
    """Say whether an accepted sort key has an effect."""
    return key in SORT_KEYS and (key != "locked" or minor >= LOCKED_SINCE)


def _patterns() -> Iterator[Parameter]:
    for name, opened in (
        ("hostname", _HOSTNAME_OPENED),
        *dict.fromkeys(("availability_zone", "config_drive", "key_name"), _FILTERS_OPENED).items(),
        ("reservation_id", _ALWAYS),
        *dict.fromkeys(("node", "kernel_id", "ramdisk_id", "root_device_name", "locked_by")).items(),
        *dict.fromkeys(("display_name", "display_description", "access_ip_v4", "access_ip_v6")).items(),
    ):
        yield Parameter(name=name, kind=Kind.PATTERN, everyone_since=opened, clause=partial(matches, name))
    for name in ("created_at", "launched_at", "terminated_at", "power_state", "progress"):
        yield Parameter(
            name=name,
            kind=Kind.PATTERN,
            everyone_since=_FILTERS_OPENED,
            clause=partial(matches_as_text, name),
        )


def _tables() -> Iterator[Parameter]:
    text, pattern = Kind.TEXT, Kind.PATTERN
    yield Parameter(name="name", kind=pattern, everyone_since=1, clause=partial(matches, "display_name"))
    yield Parameter(name="description", kind=pattern, clause=partial(matches, "display_description"))
    yield Parameter(name="image", kind=text, everyone_since=1, clause=partial(equals, "image_ref"))
    yield Parameter(name="image_ref", kind=text, clause=partial(equals, "image_ref"))
    yield Parameter(name="flavor", kind=pattern, everyone_since=1)
    yield Parameter(name="ip", kind=pattern, everyone_since=1, clause=partial(at_address, version=4))
    yield Parameter(name="ip6", kind=pattern, everyone_since=5, clause=partial(at_address, version=6))
    yield Parameter(name="uuid", clause=has_uuid)
    yield Parameter(name="host")
    yield Parameter(name="user_id", everyone_since=_FILTERS_OPENED, clause=partial(equals, "user_id"))
    yield Parameter(name="vm_state", everyone_since=_FILTERS_OPENED, clause=partial(equals, "vm_state"))
    yield Parameter(name="task_state", everyone_since=_FILTERS_OPENED, clause=partial(equals, "task_state"))
    yield Parameter(name="launch_index", clause=partial(matches_as_text, "launch_index"))
    yield Parameter(
        name="auto_disk_config", kind=pattern, clause=partial(matches_as_digit, "auto_disk_config")
    )
    yield from _patterns()
    yield Parameter(name="project_id", clause=of_project)
    for name in ("tenant_id", "deleted", "soft_deleted"):
        yield Parameter(name=name)
    for name in ("status", "all_tenants", "sort_dir", "marker"):
        yield Parameter(name=name, everyone_since=1)
    yield Parameter(name="limit", kind=Kind.NUMBER, everyone_since=1)
    yield Parameter(name="sort_key", kind=Kind.CHOICE, choices=sort_keys, everyone_since=1)
    yield Parameter(name="changes-since", kind=Kind.TIME, everyone_since=1)
    yield Parameter(name="changes-before", kind=Kind.TIME, since=66, everyone_since=66)
    for name in ("tags", "tags-any", "not-tags", "not-tags-any"):
        yield Parameter(name=name, kind=pattern, since=26, everyone_since=26)
    yield Parameter(name="locked", since=LOCKED_SINCE, everyone_since=LOCKED_SINCE)
    for name in sorted(JOINED_TABLES):
        yield Parameter(name=name)


SERVER_PARAMETERS: Final[Mapping[str, Parameter]] = MappingProxyType(
    {parameter.name: parameter for parameter in _tables()}
)
SERVER_QUERY: Final = QuerySchema(parameters=SERVER_PARAMETERS, takes_underscore=True)
