# SPDX-License-Identifier: Apache-2.0
"""Rows for tests of the API: `a_zone(…)`, `a_server(…)`, written by SQL with sensible defaults."""

import itertools
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
from psycopg import sql

from treetop.model.zone import ZoneId
from treetop.store.partition import create_partition

PROJECT = "11111111111111111111111111111111"
OTHER_PROJECT = "22222222222222222222222222222222"
USER = "33333333333333333333333333333333"
IMAGE = "70af6f2b-f25b-4953-8226-22d6fa8b36cb"
FLAVOR = {
    "vcpus": 1,
    "ram": 512,
    "disk": 1,
    "ephemeral": 0,
    "swap": 0,
    "original_name": "m1.tiny",
    "extra_specs": {"hw:cpu_policy": "shared"},
}
ADDRESSES = {
    "lab": [
        {
            "version": 4,
            "addr": "10.0.0.5",
            "OS-EXT-IPS:type": "fixed",
            "OS-EXT-IPS-MAC:mac_addr": "fa:16:3e:00:00:05",
        }
    ]
}
START = datetime.fromisoformat("2026-01-01 12:00:00")
_numbers = itertools.count(1)


def uuid_of(number):
    return str(UUID(int=0xABCDEF << 96 | number))


def a_zone(
    connection,
    zone_id=1,
    *,
    name=None,
    trust="full",
    state="live",
    lag_seconds=0.0,
    feed_from=None,
    kind="cell",
):
    """Register a zone with its partition, as its worker leaves it. lag_seconds None: never loaded."""
    as_of = None if lag_seconds is None else datetime.now(UTC) - timedelta(seconds=lag_seconds)
    name = name or f"cell{zone_id}"
    connection.execute(
        "INSERT INTO zone (id, name, region, trust, url, kind) VALUES (%s, %s, 'lab', %s, %s, %s)",
        (zone_id, name, trust, f"postgresql://u@h/{name}", kind),
    )
    connection.execute(
        "INSERT INTO zone_position (zone_id, as_of, is_loaded, feed_from, owner, lease_until)"
        " VALUES (%s, %s, %s, %s, 'a worker', 'infinity')",
        (zone_id, as_of, as_of is not None, feed_from),
    )
    connection.execute(
        "INSERT INTO zone_status (zone_id, state, reason, hint) VALUES (%s, %s, %s, %s)",
        (zone_id, state, None if state == "live" else "broken", None if state == "live" else "mend it"),
    )
    connection.execute(create_partition(ZoneId(zone_id)))


def server_columns(number, **changes):
    """The columns of an active server; later numbers are newer."""
    created = START + timedelta(minutes=number)
    columns = {
        "zone_id": 1,
        "uuid": uuid_of(number),
        "source_id": number,
        "created_at": created,
        "updated_at": created + timedelta(seconds=20),
        "launched_at": created + timedelta(seconds=10),
        "power_state": 1,
        "progress": 0,
        "launch_index": 0,
        "memory_mb": 512,
        "vcpus": 1,
        "root_gb": 1,
        "ephemeral_gb": 0,
        "deleted": False,
        "hidden": False,
        "locked": False,
        "auto_disk_config": False,
        "project_id": PROJECT,
        "user_id": USER,
        "display_name": f"vm-{number}",
        "hostname": f"vm-{number}",
        "vm_state": "active",
        "host": "compute-1",
        "node": "compute-1.example.org",
        "host_id": "545df9fce7dca970a0661541c4973f16d35eac49fafdb494c0e828a1",
        "availability_zone": "az-1",
        "image_ref": IMAGE,
        "kernel_id": "",
        "ramdisk_id": "",
        "reservation_id": f"r-{number}",
        "root_device_name": "/dev/vda",
        "config_drive": "",
        "flavor_id": "tiny",
        "flavor_name": "m1.tiny",
        "flavor": json.dumps(FLAVOR),
        "addresses": json.dumps(ADDRESSES),
        "fixed_ips": " 10.0.0.5 ",
    }
    return columns | changes


def a_server(connection, number=None, **changes):
    """Write one server; return its uuid. JSON columns may be given as Python objects."""
    columns = server_columns(next(_numbers) + 1000 if number is None else number, **changes)
    add_server(connection, columns)
    return columns["uuid"]


def a_row(connection, table, **columns):
    """Write a row of a mirrored table, named as Nova names it; zone 1 unless told otherwise."""
    columns = {"zone_id": 1} | columns
    connection.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(f"nova_{table}"),
            sql.SQL(", ").join(map(sql.Identifier, columns)),
            sql.SQL(", ").join(sql.Placeholder() * len(columns)),
        ),
        list(columns.values()),
    )


def serialized(name, data):
    """An object as Nova writes it into a column."""
    return {
        "nova_object.name": name,
        "nova_object.namespace": "nova",
        "nova_object.version": "1.0",
        "nova_object.data": data,
        "nova_object.changes": [],
    }


def a_build_request(connection, number, *, zone_id=9, created_at=None, tags=(), **changes):
    """Write the build request of a server that was just accepted; return its uuid. Later numbers are newer."""
    flavor = {"flavorid": "tiny", "name": "m1.tiny", "memory_mb": 512, "vcpus": 1, "root_gb": 1}
    flavor |= {"ephemeral_gb": 0, "swap": 0, "extra_specs": FLAVOR["extra_specs"]}
    data = {
        "uuid": uuid_of(number),
        "project_id": PROJECT,
        "user_id": USER,
        "display_name": f"new-{number}",
        "hostname": f"new-{number}",
        "vm_state": "building",
        "task_state": "scheduling",
        "power_state": 0,
        "image_ref": IMAGE,
        "availability_zone": "az-wish",
        "launch_index": 0,
        "locked": False,
        "auto_disk_config": True,
        "config_drive": "",
        "metadata": {"role": "web"},
        "system_metadata": {"image_os_distro": "debian", "boot_roles": "member"},
        "flavor": serialized("Flavor", flavor),
        "info_cache": serialized("InstanceInfoCache", {"network_info": "[]"}),
        "trusted_certs": None,
    } | changes
    listed = [serialized("Tag", {"tag": tag, "resource_id": data["uuid"]}) for tag in tags]
    a_row(
        connection,
        "build_requests",
        zone_id=zone_id,
        id=number,
        created_at=created_at or START + timedelta(minutes=number),
        project_id=data["project_id"],
        instance_uuid=data["uuid"],
        instance=json.dumps(serialized("Instance", data)),
        tags=json.dumps(serialized("TagList", {"objects": listed})),
    )
    return data["uuid"]


def add_server(connection: psycopg.Connection, columns):
    values = [json.dumps(value) if isinstance(value, dict | list) else value for value in columns.values()]
    connection.execute(
        sql.SQL("INSERT INTO server ({}) VALUES ({})").format(
            sql.SQL(", ").join(map(sql.Identifier, columns)),
            sql.SQL(", ").join(sql.Placeholder() * len(values)),
        ),
        values,
    )
