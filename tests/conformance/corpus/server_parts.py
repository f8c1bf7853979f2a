# SPDX-License-Identifier: Apache-2.0
"""What is below one server: addresses, metadata, tags, volumes, actions, migrations, and the region's migrations."""

from typing import Final

from tests.conformance.corpus.request import once, walks, words

_PARTS: Final = words("ips metadata tags os-volume_attachments os-instance-actions migrations")
_OF: Final = words("tagged gone soft of_other nobody requested unscheduled")

_EVERYWHERE: Final = once(*(f"/servers/{{{server}}}/{part}" for part in _PARTS for server in _OF))

_ADDRESSES: Final = once(
    "/servers/{many_ports}/ips",
    "/servers/{many_ports}/ips/blue",
    "/servers/{many_ports}/ips/gr%C3%BCn%20%E7%BD%91%E7%BB%9C",
    "/servers/{many_ports}/ips/red",
    "/servers/{building_with_ports}/ips",
    "/servers/{no_cache}/ips",
    "/servers/{of_other}/ips/blue",
)

_LABELS: Final = once(
    "/servers/{metadata}/metadata",
    "/servers/{metadata}/metadata/Key",
    "/servers/{metadata}/metadata/empty",
    "/servers/{metadata}/metadata/a%20b",
    "/servers/{metadata}/metadata/schl%C3%BCssel",
    "/servers/{metadata}/metadata/taken%20away",
    "/servers/{metadata}/metadata/none",
    "/servers/{tagged}/tags/beta",
    "/servers/{tagged}/tags/BETA",
    "/servers/{tagged}/tags/none",
    "/servers/{of_other}/tags/beta",
)

_VOLUMES: Final = once(
    "/servers/{volumes}/os-volume_attachments",
    "/servers/{volumes}/os-volume_attachments?limit=1",
    "/servers/{volumes}/os-volume_attachments?limit=1&offset=1",
    "/servers/{volumes}/os-volume_attachments?unknown=1",
    "/servers/{volumes}/os-volume_attachments?limit=x",
    "/servers/{from_volume}/os-volume_attachments",
    "/servers/{volumes}/os-volume_attachments/{nobody}",
    "/servers/{volumes}/os-volume_attachments/{kept_volume}",
    "/servers/{volumes}/os-volume_attachments/{second_volume}",
    "/servers/{volumes}/os-volume_attachments/{detached_volume}",
)

_ACTIONS: Final = (
    *once(
        "/servers/{with_actions}/os-instance-actions",
        "/servers/{with_actions}/os-instance-actions/{action}",
        "/servers/{with_actions}/os-instance-actions/{running_action}",
        "/servers/{with_actions}/os-instance-actions/{first_action}",
        "/servers/{with_actions}/os-instance-actions/req-none",
        "/servers/{with_actions}/os-instance-actions?limit=2&marker={action}",
        "/servers/{with_actions}/os-instance-actions?marker=none",
        "/servers/{with_actions}/os-instance-actions?changes-since=2026-02-25T00:01:30Z",
        "/servers/{with_actions}/os-instance-actions?changes-before=2026-02-25T00:01:30Z",
        "/servers/{with_actions}/os-instance-actions?changes-since=x",
        "/servers/{with_actions}/os-instance-actions?unknown=1",
        "/servers/{with_actions}/os-instance-actions?limit=x",
        also=("reader", "other member"),
    ),
    *walks(4, "/servers/{with_actions}/os-instance-actions?limit=2"),
)

_MIGRATIONS: Final = (
    *once(
        "/servers/{with_migrations}/migrations",
        "/servers/{with_migrations}/migrations/900004",
        "/servers/{with_migrations}/migrations/900000",
        "/servers/{with_migrations}/migrations/1",
        "/servers/{with_migrations}/migrations/x",
        "/os-migrations",
        "/os-migrations?limit=3",
        "/os-migrations?status=error",
        "/os-migrations?host={host}",
        "/os-migrations?migration_type=live-migration",
        "/os-migrations?source_compute={host}",
        "/os-migrations?instance_uuid={with_migrations}",
        "/os-migrations?hidden=1",
        "/os-migrations?changes-since=2026-02-26T00:00:00Z",
        "/os-migrations?changes-before=2026-02-26T00:00:00Z",
        "/os-migrations?user_id={member_user}",
        "/os-migrations?project_id={member_project}",
        "/os-migrations?marker={nobody}",
        "/os-migrations?unknown=1",
    ),
    *walks(4, "/os-migrations?limit=3"),
)

REQUESTS: Final = (*_EVERYWHERE, *_ADDRESSES, *_LABELS, *_VOLUMES, *_ACTIONS, *_MIGRATIONS)
