# SPDX-License-Identifier: Apache-2.0
"""The JSON documents that Nova keeps in text columns, made from plain values. Pure.

Shapes are those that Nova 34's versioned objects write (`instance_extra.flavor`, `.keypairs` and
`.migration_context`, `instance_info_caches.network_info`, `block_device_mapping.connection_info`,
`compute_nodes.*`): the same keys in the same order with the same spacing, because readers of the log see the
text, not the object.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from treetop.demo.catalogue import FLAVORS, Flavor, Network, fixed_uuid

FLAVORS_CREATED_AT = "2026-01-05T08:00:00Z"
Document = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """One network interface of a server. v6, floating: None where it has none."""

    id: str
    mac: str
    network: Network
    tenant_id: str
    v4: str
    v6: str | None
    floating: str | None


def flavor_document(flavor_id: int, *, old_id: int | None = None, new_id: int | None = None) -> str:
    """`instance_extra.flavor`: the server's flavor and, during a resize, the one before or after it."""
    return _flavors(flavor_id, old_id, new_id)


def network_document(ports: Sequence[Port]) -> str:
    """`instance_info_caches.network_info` of a server with these ports."""
    return json.dumps([_interface(port) for port in ports])


def keypairs_document(names: Sequence[str], user_id: str) -> str:
    """`instance_extra.keypairs`: what the server was booted with."""
    keypairs: list[object] = [
        versioned_object(
            "KeyPair",
            "1.4",
            {
                "name": name,
                "user_id": user_id,
                "fingerprint": "aa:bb:cc",
                "public_key": public_key(name),
                "type": "ssh",
            },
            changes=("name", "user_id", "fingerprint", "public_key", "type"),
        )
        for name in names
    ]
    return json.dumps(
        versioned_object("KeyPairList", "1.3", {"objects": keypairs}, changes=("objects",) if names else ())
    )


def public_key(name: str) -> str:
    """A public key text for a key pair of this name."""
    return f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{fixed_uuid(name).replace('-', '')} {name}"


def migration_context_document(server_uuid: str, migration_id: int) -> str:
    """`instance_extra.migration_context` while a resize waits for its confirmation, without NUMA or PCI."""
    data: Document = {"instance_uuid": server_uuid, "migration_id": migration_id}
    for what in ("numa_topology", "pci_devices", "pci_requests", "resources"):
        data[f"new_{what}"] = data[f"old_{what}"] = None
    return json.dumps(
        versioned_object("MigrationContext", "1.2", data, changes=("instance_uuid", "migration_id"))
    )


def connection_document(volume_id: str, server_uuid: str) -> str:
    """`block_device_mapping.connection_info` of a volume on Ceph."""
    data = {
        "name": f"volumes/volume-{volume_id}",
        "hosts": ["192.0.2.1", "192.0.2.2", "192.0.2.3"],
        "ports": ["6789", "6789", "6789"],
        "cluster_name": "ceph",
        "auth_enabled": True,
        "auth_username": "cinder",
        "secret_type": "ceph",
        "secret_uuid": fixed_uuid("ceph secret"),
        "volume_id": volume_id,
        "discard": True,
        "qos_specs": None,
        "access_mode": "rw",
        "encrypted": False,
        "cacheable": False,
    }
    return json.dumps(
        {
            "driver_volume_type": "rbd",
            "data": data,
            "status": "attached",
            "instance": server_uuid,
            "attached_at": "",
            "serial": volume_id,
        }
    )


def host_documents() -> dict[str, str]:
    """The JSON columns of a `compute_nodes` row that never change while a host runs."""
    cpu = {
        "arch": "x86_64",
        "model": "Cascadelake-Server",
        "vendor": "Intel",
        "features": ["aes", "avx2", "vmx"],
    }
    topology = {"topology": {"cells": 2, "sockets": 1, "cores": 32, "threads": 2}}
    pools = versioned_object("PciDevicePoolList", "1.1", {"objects": []}, changes=("objects",))
    return {
        "cpu_info": json.dumps(cpu | topology),
        "supported_instances": json.dumps([["x86_64", "kvm", "hvm"], ["i686", "kvm", "hvm"]]),
        "pci_stats": json.dumps(pools),
        "metrics": "[]",
    }


def host_stats(servers: int, active: int) -> str:
    """`compute_nodes.stats`; Nova also counts by project and task, which nothing here reads."""
    counts = {"failed_builds": 0, "num_instances": servers, "num_vm_active": active, "io_workload": 0}
    return json.dumps({name: str(count) for name, count in counts.items()})


def versioned_object(name: str, version: str, data: object, changes: Sequence[str] = ()) -> Document:
    """An object as Nova's serializer writes it. changes: the fields that it says were set, none: it says nothing."""
    document: Document = {
        "nova_object.name": name,
        "nova_object.namespace": "nova",
        "nova_object.version": version,
        "nova_object.data": data,
    }
    if changes:
        document["nova_object.changes"] = list(changes)
    return document


@cache
def _flavors(current: int, old: int | None, new: int | None) -> str:
    by_id = {flavor.id: flavor_object(flavor) for flavor in FLAVORS}
    return json.dumps(
        {
            "cur": by_id[current],
            "old": None if old is None else by_id[old],
            "new": None if new is None else by_id[new],
        }
    )


def flavor_object(flavor: Flavor) -> Document:
    """A flavor inside another object."""
    data = {
        "id": flavor.id,
        "name": flavor.name,
        "memory_mb": flavor.memory_mb,
        "vcpus": flavor.vcpus,
        "root_gb": flavor.root_gb,
        "ephemeral_gb": flavor.ephemeral_gb,
        "flavorid": flavor.flavorid,
        "swap": flavor.swap,
        "rxtx_factor": 1.0,
        "vcpu_weight": 0,
        "disabled": False,
        "is_public": flavor.is_public,
        "extra_specs": dict(flavor.extra_specs),
        "description": None,
        "created_at": FLAVORS_CREATED_AT,
        "updated_at": None,
        "deleted_at": None,
        "deleted": False,
    }
    return versioned_object("Flavor", "1.2", data)


def _interface(port: Port) -> Document:
    network = port.network
    subnets = [_subnet(port.v4, 4, f"10.{network.v4_second_octet}.0.0/12", port.floating)]
    if port.v6 is not None:
        subnets.append(_subnet(port.v6, 6, f"{network.v6_prefix}::/64", None))
    return {
        "id": port.id,
        "address": port.mac,
        "network": {
            "id": network.id,
            "bridge": "br-int",
            "label": network.label,
            "subnets": subnets,
            "meta": {
                "injected": False,
                "tenant_id": port.tenant_id,
                "mtu": network.mtu,
                "physical_network": None if network.is_tunneled else "physnet1",
                "tunneled": network.is_tunneled,
            },
        },
        "type": "ovs",
        "details": {"port_filter": True, "connectivity": "l2", "bound_drivers": {"0": "openvswitch"}},
        "devname": f"tap{port.id[:11]}",
        "ovs_interfaceid": port.id,
        "qbh_params": None,
        "qbg_params": None,
        "active": True,
        "vnic_type": "normal",
        "profile": {},
        "preserve_on_delete": False,
        "delegate_create": True,
        "meta": {},
    }


def _subnet(address: str, version: int, cidr: str, floating: str | None) -> Document:
    gateway = cidr.partition("/")[0].removesuffix("0") + "1"
    floating_ips = [] if floating is None else [_address(floating, "floating", 4)]
    return {
        "cidr": cidr,
        "dns": [],
        "gateway": _address(gateway, "gateway", version),
        "ips": [_address(address, "fixed", version) | {"floating_ips": floating_ips}],
        "routes": [],
        "version": version,
        "meta": {"enable_dhcp": True},
    }


def _address(address: str, kind: str, version: int) -> Document:
    return {"address": address, "type": kind, "version": version, "meta": {}}
