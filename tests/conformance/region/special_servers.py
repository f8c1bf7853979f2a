# SPDX-License-Identifier: Apache-2.0
"""Servers made on purpose: each has what one filter, field or rule of Nova looks at, or a NULL Nova lives with.

`special_servers(cell)` -> the cell's. Every one has a name (`SPECIAL` finds its uuid), which the requests of
the corpus use. Pure: an edit changes the rows of a plain active server.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from tests.conformance.region.edits import (
    Edit,
    both,
    columns,
    deleted,
    extra,
    network_info,
    rows,
    soft_deleted,
    tags,
    without,
)
from tests.conformance.region.plan import CELL0, CELLS, MEMBER, OTHER, THIRD, population
from tests.conformance.region.servers import Made, active, make
from treetop.demo.catalogue import Network, fixed_uuid
from treetop.demo.documents import Port, network_document
from treetop.demo.population import host_name, node_name, server_uuid
from treetop.demo.row import Row, Value

SPECIAL_FROM: Final = 2001


def _port(number: int, label: str, v4: str, v6: str | None, floating: str | None) -> Port:
    network = Network(
        id=fixed_uuid(label),
        label=label,
        v4_second_octet=0,
        v6_prefix="2001:db8:77",
        mtu=1500,
        is_tunneled=True,
    )
    return Port(
        id=fixed_uuid(f"port {number} {label}"),
        mac=f"fa:16:3e:aa:bb:{number:02x}",
        network=network,
        tenant_id=MEMBER.id,
        v4=v4,
        v6=v6,
        floating=floating,
    )


_MANY_PORTS: Final = network_document(
    [
        _port(1, "blue", "192.0.2.11", "2001:db8:77::11", "203.0.113.11"),
        _port(2, "blue", "192.0.2.12", None, None),
        _port(3, "grün 网络", "192.0.2.13", None, "203.0.113.13"),
    ]
)


def _fault(code: int, message: str | None, details: str | None, **more: Value) -> Row:
    return {"code": code, "message": message, "details": details, "host": None, **more}


def _volume(name: str, **more: Value) -> Row:
    return {
        "volume_id": fixed_uuid(f"volume {name}"),
        "uuid": fixed_uuid(f"bdm {name}"),
        "attachment_id": fixed_uuid(f"attachment {name}"),
        "device_name": "/dev/vdb",
        "delete_on_termination": False,
        "source_type": "volume",
        "destination_type": "volume",
        "no_device": False,
        "boot_index": None,
        "tag": None,
        **more,
    }


def _pair(key: str, value: str | None, **more: Value) -> Row:
    return {"key": key, "value": value, **more}


_CERTIFICATES: Final = json.dumps(
    {
        "nova_object.name": "TrustedCerts",
        "nova_object.namespace": "nova",
        "nova_object.version": "1.0",
        "nova_object.data": {"ids": ["cert-1", "cert-2"]},
        "nova_object.changes": ["ids"],
    }
)

_FAILED: Final[Row] = {"vm_state": "error", "power_state": 0}

#: Of a project whose lists only administrators ask for: what Nova shows of it, its own response schema refuses.
_THIRD: Final[Mapping[str, Any]] = {"project": THIRD, "user": THIRD.users[0]}

#: name -> (changes of the plan, edit of the rows); dealt out to the cells in this order.
_TABLE: Final[Mapping[str, tuple[Mapping[str, Any], Edit]]] = {
    "soft": ({}, soft_deleted),
    "soft_of_other": ({"project": OTHER, "user": OTHER.users[0]}, soft_deleted),
    "gone": ({}, deleted),
    "gone_of_other": ({"project": OTHER, "user": OTHER.users[0]}, deleted),
    "gone_with_fault": (
        {"fault": "No valid host was found."},
        deleted,
    ),
    "of_other": ({"project": OTHER, "user": OTHER.users[0]}, columns()),
    "of_third": ({"project": THIRD, "user": THIRD.users[1]}, columns()),
    "hidden_null": ({}, columns(hidden=None)),
    "hidden": ({}, columns(hidden=True)),
    "never_updated": ({"updated_at": None}, columns(updated_at=None)),
    "null_user": (_THIRD, columns(user_id=None)),
    "null_hostname": ({}, columns(hostname=None, display_description=None)),
    "null_image": ({}, columns(image_ref=None, kernel_id=None, ramdisk_id=None)),
    "null_power": ({}, columns(power_state=None, launch_index=None, progress=None)),
    "null_vm": ({}, columns(vm_state=None)),
    "null_small": (
        {},
        columns(
            config_drive=None,
            key_name=None,
            key_data=None,
            root_device_name=None,
            reservation_id=None,
            availability_zone=None,
            launched_at=None,
            launched_on=None,
            auto_disk_config=None,
            user_data=None,
        ),
    ),
    "null_host": ({}, columns(host=None, node=None, compute_id=None)),
    "null_node": ({}, columns(node=None)),
    "homeless": ({}, columns(host="left-the-cell", node="left-the-cell.example.org")),
    "on_disabled": ({"host_number": 2}, columns()),
    "on_forced_down": ({"host_number": 3}, columns()),
    "on_stale": ({"host_number": 4}, columns()),
    "no_cache": ({}, without("instance_info_caches")),
    "many_ports": ({}, network_info(_MANY_PORTS)),
    "building_with_ports": (
        {},
        both(
            network_info(_MANY_PORTS),
            columns(vm_state="building", task_state="spawning", host=None, node=None),
        ),
    ),
    "certified": ({}, extra(trusted_certs=_CERTIFICATES)),
    "fault_500": (
        {},
        both(columns(**_FAILED), rows("instance_faults", _fault(500, "Boom", "Traceback\n  x"))),
    ),
    "fault_404": (
        {},
        both(columns(**_FAILED), rows("instance_faults", _fault(404, "Gone 消失", "only words"))),
    ),
    "fault_bare": ({}, both(columns(**_FAILED), rows("instance_faults", _fault(500, "No details", "")))),
    "fault_null": (_THIRD, both(columns(**_FAILED), rows("instance_faults", _fault(500, None, None)))),
    "fault_newest": (
        {},
        both(
            columns(**_FAILED),
            rows("instance_faults", _fault(500, "first", "a"), _fault(400, "second", "b")),
        ),
    ),
    "fault_none": ({}, both(columns(**_FAILED), without("instance_faults"))),
    "fault_recovered": ({}, rows("instance_faults", _fault(500, "long ago", "x"))),
    "metadata": (
        {},
        rows(
            "instance_metadata",
            _pair("Key", "value"),
            _pair("empty", ""),
            _pair("schlüssel", "wert 値"),
            _pair("a b", "x/y&z=1"),
            _pair("taken away", "x", deleted=1),
        ),
    ),
    "image_properties": (
        {},
        rows(
            "instance_system_metadata",
            _pair("image_os_distro", "debian"),
            _pair("image_hw_disk_bus", "virtio"),
            _pair("image_architecture", "x86_64"),
            _pair("image_no_such_property", "1"),
            _pair("image_os_version", None),
            _pair("image_base_image_ref", "x"),
            _pair("image_min_disk", "7"),
            _pair("owner_user_name", "kim"),
        ),
    ),
    "tagged": ({}, tags("Alpha", "beta", "größe", "x" * 60)),
    "tagged_once": ({}, tags("beta")),
    "tagged_of_other": ({"project": OTHER, "user": OTHER.users[0]}, tags("beta", "gamma")),
    "locked_by_owner": ({"locked_by": "owner", "locked_reason": None}, columns()),
    "locked_by_admin": ({"locked_by": "admin", "locked_reason": 'hands "off" – 禁止'}, columns()),
    "from_volume": (
        {},
        both(
            columns(image_ref=""),
            rows("block_device_mapping", _volume("root", device_name="/dev/vda", boot_index=0)),
        ),
    ),
    "volumes": (
        {},
        rows(
            "block_device_mapping",
            _volume("kept", delete_on_termination=True, tag="data"),
            _volume("detached", deleted=7),
            _volume("second", device_name="/dev/vdc", delete_on_termination=None, attachment_id=None),
            _volume("local", volume_id=None, source_type="image", destination_type="local"),
        ),
    ),
    "accessible": ({}, columns(access_ip_v4="198.51.100.7", access_ip_v6="2001:db8::7")),
    "described": ({"description": "Beschreibung: größer als 3"}, columns()),
    "case_lower": ({"name": "casing-a"}, columns()),
    "case_upper": ({"name": "CASING-B"}, columns()),
    "case_mixed": ({"name": "Casing-c"}, columns()),
    "named_like_regex": ({"name": "a.b*c|d[e]"}, columns()),
    "named_unicode": ({"name": "Größe-测试-сервер", "hostname": "groesse"}, columns()),
    "in_group": ({}, columns()),
    "in_group_too": ({}, columns()),
    "pinned": ({}, columns()),
    "hinted": ({}, columns()),
    "without_spec": ({}, columns()),
    "null_hints": (_THIRD, columns()),
    "with_actions": ({}, columns()),
    "with_migrations": ({}, columns()),
    "user_data": ({}, columns(user_data="I2Nsb3VkLWNvbmZpZwo=", config_drive="True")),
    "old_flavor": ({}, columns(instance_type_id=999)),
}


def _cell_of(name: str) -> str:
    return CELLS[list(_TABLE).index(name) % len(CELLS)]


def _number_of(name: str) -> int:
    return SPECIAL_FROM + list(_TABLE).index(name)


def _uuid(cell: str, number: int) -> str:
    return server_uuid(population(cell), number)


#: What tests call a special server -> its uuid.
SPECIAL: Final[Mapping[str, str]] = {name: _uuid(_cell_of(name), _number_of(name)) for name in _TABLE}


def special_servers(cell: str) -> Iterator[Made]:
    """The special servers of a cell."""
    if cell == CELL0:
        return
    for name, (changes, edit) in _TABLE.items():
        if _cell_of(name) != cell:
            continue
        plain = active(cell, _number_of(name), name.replace("_", "-"))
        made = make(replace(plain, **changes))
        edit(made)
        yield made
    yield from _moving(cell)


def _moving(cell: str) -> Iterator[Made]:
    """A server that is being moved from cell1 to cell2: both cells have it, one copy is hidden."""
    if cell not in CELLS[:2]:
        return
    plain = active(CELLS[0], SPECIAL_FROM + 500, "moving")
    made = make(plain)
    made.rows["instances"][0] |= {
        "hidden": cell == CELLS[0],
        "host": host_name(cell, 0),
        "node": node_name(cell, 0),
    }
    yield made
