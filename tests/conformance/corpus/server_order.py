# SPDX-License-Identifier: Apache-2.0
"""Every key that a list of servers is sorted by, both ways, and what is refused.

Keys that are text or can be NULL are asked for among servers where Nova itself has an order (`name=`): on
others it fails, or orders by whichever cell answers. Those are asked for too, see `differences`.
"""

from typing import Final

from tests.conformance.corpus.request import once, words

#: Keys that no server of `name=state` has NULL or in mixed case.
_SORTED: Final = words(
    "auto_disk_config created_at display_name hostname image_ref instance_type_id kernel_id locked power_state "
    "progress project_id ramdisk_id root_device_name updated_at user_id uuid vm_state"
)

_NULLABLE: Final = words(
    "access_ip_v4 availability_zone config_drive display_description host key_name launched_at locked_by node "
    "task_state terminated_at"
)

_IGNORED: Final = words("id deleted memory_mb vcpus user_data")

_BY_EACH: Final = once(
    *(f"/servers?name=state&sort_key={key}&sort_dir=asc" for key in _SORTED),
    *(f"/servers?name=state&sort_key={key}&sort_dir=desc&limit=20" for key in _SORTED),
    *(f"/servers?all_tenants=1&sort_key={key}&sort_dir=asc" for key in _NULLABLE),
    *(f"/servers?name=state&sort_key={key}" for key in _IGNORED),
    *(f"/servers?name=tagged&sort_key={key}&limit=2" for key in _IGNORED),
)

_OTHERS: Final = once(
    "/servers?sort_key=created_at&limit=30",
    "/servers?sort_dir=asc&limit=30",
    "/servers?sort_key=created_at&sort_key=uuid&sort_dir=asc&sort_dir=asc&limit=30",
    "/servers?sort_key=uuid&sort_dir=asc&marker={tagged}&limit=10",
    "/servers?sort_key=created_at&sort_dir=asc&marker={tagged}&limit=10",
    "/servers?name=state&sort_key=vm_state&sort_key=display_name&sort_dir=asc&sort_dir=desc",
    "/servers?name=state&sort_key=vm_state&sort_key=display_name&sort_dir=desc",
    "/servers?name=state&sort_key=created_at&sort_key=display_name&sort_key=uuid&sort_dir=desc&sort_dir=desc&sort_dir=desc",
    "/servers?name=state&sort_key=vm_state&sort_key=created_at&sort_dir=desc",
    "/servers?name=unscheduled&sort_key=display_name&sort_dir=desc&all_tenants=1&limit=7",
    "/servers?name=web-0&sort_key=display_name&sort_dir=asc&limit=20",
    "/servers?name=^db-0&sort_key=hostname&sort_key=created_at&sort_dir=asc&sort_dir=desc&limit=9",
    "/servers?name=casing&sort_key=display_name&sort_dir=asc",
    "/servers?sort_key=display_name&sort_dir=asc&all_tenants=1",
    "/servers?sort_key=host",
    "/servers?sort_key=id&sort_key=uuid&sort_dir=desc&sort_dir=asc&limit=10",
    "/servers?sort_key=no_such_key",
    "/servers?sort_key=",
    "/servers?sort_key=uuid&sort_dir=up",
    "/servers?sort_dir=up",
    "/servers?sort_key=uuid&sort_dir=asc&sort_dir=desc",
    "/servers?sort_dir=asc&sort_dir=desc&limit=4",
)

REQUESTS: Final = (*_BY_EACH, *_OTHERS)
