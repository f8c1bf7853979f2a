# SPDX-License-Identifier: Apache-2.0
"""What a demo region offers to its servers: flavors, images, projects, networks, words for names.

Constants only; the same in every zone, as one Keystone, Glance and Neutron serve all cells of a region.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import md5
from typing import Final
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Flavor:
    """A flavor as `instance_extra.flavor` embeds it. root_gb: 0 means the image's own size."""

    id: int
    name: str
    flavorid: str
    vcpus: int
    memory_mb: int
    root_gb: int
    ephemeral_gb: int = 0
    swap: int = 0
    is_public: bool = True
    extra_specs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A Glance image. properties: become `image_*` rows of a server's system metadata."""

    id: str
    min_disk: int
    disk_format: str
    properties: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A Keystone project and who works in it: (user id, user name)."""

    id: str
    name: str
    users: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A Neutron network: an IPv4 subnet of 2**20 addresses and, where `v6_prefix` is set, an IPv6 one."""

    id: str
    label: str
    v4_second_octet: int
    v6_prefix: str | None
    mtu: int
    is_tunneled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What the three state columns of a server say. weight: how often among loaded servers."""

    name: str
    vm_state: str
    power_state: int
    weight: int
    task_state: str | None = None
    on_host: bool = True


def fixed_hex(name: str) -> str:
    """32 hex digits that are always the same for a name, as Keystone's ids look."""
    return md5(name.encode(), usedforsecurity=False).hexdigest()


def fixed_uuid(name: str) -> str:
    """A version 4 UUID that is always the same for a name."""
    return str(UUID(hex=fixed_hex(name), version=4))


FLAVORS: Final = (
    Flavor(id=1, name="m1.tiny", flavorid="1", vcpus=1, memory_mb=512, root_gb=1),
    Flavor(id=2, name="m1.small", flavorid="2", vcpus=1, memory_mb=2048, root_gb=20),
    Flavor(
        id=3, name="m1.medium", flavorid=fixed_uuid("flavor m1.medium"), vcpus=2, memory_mb=4096, root_gb=40
    ),
    Flavor(
        id=4,
        name="m1.large",
        flavorid=fixed_uuid("flavor m1.large"),
        vcpus=4,
        memory_mb=8192,
        root_gb=80,
        extra_specs={"hw:cpu_policy": "shared", "hw_rng:allowed": "True"},
    ),
    Flavor(
        id=5,
        name="db.xlarge",
        flavorid="db.xlarge",
        vcpus=16,
        memory_mb=65536,
        root_gb=40,
        ephemeral_gb=400,
        swap=2048,
        extra_specs={
            "hw:cpu_policy": "dedicated",
            "hw:mem_page_size": "large",
            "quota:disk_total_iops_sec": "5000",
        },
    ),
    Flavor(
        id=6,
        name="gpu.größe-l",  # names are free text: Nova allows any printable character
        flavorid=fixed_uuid("flavor gpu"),
        vcpus=8,
        memory_mb=32768,
        root_gb=100,
        is_public=False,
        extra_specs={"pci_passthrough:alias": "a100:1", "trait:CUSTOM_GPU": "required"},
    ),
)

IMAGES: Final = (
    Image(
        id=fixed_uuid("image debian"),
        min_disk=1,
        disk_format="qcow2",
        properties={
            "os_distro": "debian",
            "os_version": "12",
            "hw_qemu_guest_agent": "yes",
            "hw_disk_bus": "virtio",
        },
    ),
    Image(
        id=fixed_uuid("image ubuntu"),
        min_disk=4,
        disk_format="qcow2",
        properties={
            "os_distro": "ubuntu",
            "os_version": "24.04",
            "hw_machine_type": "q35",
            "hw_vif_model": "virtio",
        },
    ),
    Image(
        id=fixed_uuid("image windows"),
        min_disk=40,
        disk_format="raw",
        properties={
            "os_type": "windows",
            "os_distro": "windows",
            "hw_disk_bus": "scsi",
            "hw_firmware_type": "uefi",
        },
    ),
    Image(id=fixed_uuid("image cirros"), min_disk=0, disk_format="qcow2", properties={}),
)


def _project(name: str) -> Project:
    users = tuple(
        (fixed_hex(f"user {name} {person}"), f"{person}@{name}") for person in ("alex", "kim", "noor")
    )
    return Project(id=fixed_hex(f"project {name}"), name=name, users=users)


PROJECTS: Final = tuple(
    _project(name)
    for name in (  # noqa: SIM905
        "admin archive billing build catalog chemistry climate finance genome images "
        "kubernetes library mail maps physics search shop staging telemetry web"
    ).split()
)

NETWORKS: Final = (
    Network(
        id=fixed_uuid("network lab"),
        label="lab",
        v4_second_octet=0,
        v6_prefix=None,
        mtu=1450,
        is_tunneled=True,
    ),
    Network(
        id=fixed_uuid("network campus"),
        label="campus",
        v4_second_octet=16,
        v6_prefix="2001:db8:16",
        mtu=1500,
        is_tunneled=False,
    ),
    Network(
        id=fixed_uuid("network storage"),
        label="storage",
        v4_second_octet=32,
        v6_prefix="fd00:32:1",
        mtu=9000,
        is_tunneled=True,
    ),
)

ACTIVE: Final = State(name="ACTIVE", vm_state="active", power_state=1, weight=780)
ERROR: Final = State(name="ERROR", vm_state="error", power_state=0, weight=20)
RESIZED: Final = State(name="VERIFY_RESIZE", vm_state="resized", power_state=1, weight=10)
NO_VALID_HOST: Final = State(name="ERROR", vm_state="error", power_state=0, weight=0, on_host=False)
DELETED: Final = State(name="DELETED", vm_state="deleted", power_state=0, weight=30)

STATES: Final = (
    ACTIVE,
    State(name="SHUTOFF", vm_state="stopped", power_state=4, weight=90),
    ERROR,
    State(name="PAUSED", vm_state="paused", power_state=3, weight=10),
    State(name="SUSPENDED", vm_state="suspended", power_state=4, weight=8),
    State(name="SHELVED_OFFLOADED", vm_state="shelved_offloaded", power_state=4, weight=20, on_host=False),
    RESIZED,
    State(name="RESCUE", vm_state="rescued", power_state=1, weight=4),
    State(name="REBOOT", vm_state="active", power_state=1, weight=4, task_state="rebooting"),
    State(name="BUILD", vm_state="building", power_state=0, weight=4, task_state="spawning"),
    State(name="SOFT_DELETED", vm_state="soft-delete", power_state=4, weight=2),
    DELETED,
)

ROLES: Final = ("web", "db", "cache", "worker", "build", "queue", "login", "gw", "mon", "k8s-node")

#: Names that are more than ASCII, within the three bytes a character that Nova's MariaDB tables can hold.
UNICODE_ROLES: Final = (
    "büro",
    "données",
    "сервер",
    "データベース",
    "测试",
    "שרת",
    "Ångström №5",
    "tab\there",
)

TAGS: Final = (
    "prod",
    "staging",
    "backup",
    "gold",
    "pci-dss",
    "größe",
    "monitored",
    "team:blue",
    "team:green",
)

METADATA: Final[Mapping[str, tuple[str, ...]]] = {
    "role": ("web", "db", "cache", "batch"),
    "owner": ("alex", "kim", "noor", "Łukasz", "O'Brien"),
    "cost centre": ("4711", "0815", ""),
    "note": ('say "hi"', "back\\slash", "two\nlines", "100 %", "naïve café"),
    "ansible_group": ("linux", "windows", "appliance"),
}
