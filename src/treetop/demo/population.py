# SPDX-License-Identifier: Apache-2.0
"""Who lives in a demo zone: server number i of a zone is always the same server, for the same seed. Pure.

`Population` (zone, seed, sizes, an instant) -> `ServerPlan` per number; `server_rows` makes table rows of it.
No number depends on another, so a zone can be made in any order, in parts, or be continued by the workload.
"""

from bisect import bisect
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Final
from uuid import UUID

from treetop.demo.catalogue import (
    DELETED,
    ERROR,
    FLAVORS,
    IMAGES,
    METADATA,
    NETWORKS,
    NO_VALID_HOST,
    PROJECTS,
    RESIZED,
    ROLES,
    STATES,
    TAGS,
    UNICODE_ROLES,
    Flavor,
    Image,
    Network,
    Project,
    State,
    fixed_uuid,
)
from treetop.demo.documents import Port

PORTS_PER_SERVER: Final = 4  # room for MAC addresses: ports of one server are numbered within it
_HISTORY: Final = timedelta(days=400)
_NO_HOST: Final = "No valid host was found. There are not enough hosts available."
_STATE_BOUNDS: Final = tuple(accumulate(state.weight for state in STATES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """One zone's inhabitants.

    servers: how many are loaded; hosts: compute nodes they are spread over (at least 2, for resizes; 0: this is
    cell0, whose servers found none).
    loaded_at: naive UTC, as Nova writes; every instant of a loaded server is before it.
    """

    zone: str
    seed: int
    servers: int
    hosts: int
    loaded_at: datetime

    @property
    def is_cell0(self) -> bool:
        """Say whether no server here ever was on a host."""
        return self.hosts == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A Cinder volume of a server. is_root: the server boots from it."""

    id: str
    attachment_id: str
    device_name: str
    size_gb: int
    is_root: bool
    delete_on_termination: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerPlan:
    """Everything about one server that its rows say.

    is_scheduled: False in cell0. host_number: None while on no host. deleted_at: None while it exists.
    old_flavor: set during a resize. locked_by: 'owner', 'admin' or None; locked_reason needs it.
    """

    number: int
    uuid: str
    name: str
    hostname: str
    description: str | None
    project: Project
    user: tuple[str, str]
    flavor: Flavor
    old_flavor: Flavor | None
    image: Image
    state: State
    zone: str
    is_scheduled: bool
    host_number: int | None
    created_at: datetime
    launched_at: datetime | None
    updated_at: datetime | None
    deleted_at: datetime | None
    ports: tuple[Port, ...]
    volumes: tuple[Volume, ...]
    metadata: tuple[tuple[str, str], ...]
    tags: tuple[str, ...]
    key_name: str | None
    user_data: str | None
    access_v4: str | None
    access_v6: str | None
    config_drive: bool
    locked_by: str | None
    locked_reason: str | None
    fault: str | None

    @property
    def availability_zone(self) -> str:
        """The availability zone of the server's host, or of the zone as a whole."""
        return availability_zone(self.zone, self.host_number or 0)


def host_name(zone: str, host_number: int) -> str:
    """Name host 0, 1, 2… of a zone."""
    return f"{zone}-cmp{host_number + 1:04d}"


def node_name(zone: str, host_number: int) -> str:
    """Name the hypervisor of a host."""
    return f"{host_name(zone, host_number)}.example.org"


def availability_zone(zone: str, host_number: int) -> str:
    """Name the availability zone of a host: two in each zone."""
    return f"{zone}-az{1 + host_number % 2}"


def random_uuid(random: Random) -> str:
    """Draw a version 4 UUID."""
    return str(UUID(int=random.getrandbits(128), version=4))


def server_uuid(population: Population, number: int) -> str:
    """The uuid of server `number`, known without planning it."""
    return fixed_uuid(f"{population.seed}/{population.zone}/server/{number}")


def plan_server(
    population: Population, number: int, *, state: State | None = None, created_at: datetime | None = None
) -> ServerPlan:
    """Plan server `number` (from 1).

    state, created_at: None means as the seed says, for a server that was there before the demo began.
    """
    random = Random(f"{population.seed}/{population.zone}/{number}")  # noqa: S311 - made-up data
    drawn = STATES[bisect(_STATE_BOUNDS, random.randrange(_STATE_BOUNDS[-1]))]
    if population.is_cell0 and drawn is not DELETED:
        drawn = NO_VALID_HOST
    state = state or drawn
    has_host = state.on_host and not population.is_cell0
    created, updated, deleted = _times(population, number, random, state, created_at)
    project = random.choice(PROJECTS)
    name = _name(number, random)
    uuid = server_uuid(population, number)
    flavor = random.choices(FLAVORS, (20, 40, 20, 12, 5, 3))[0]
    locked_by = random.choice(("owner", "admin")) if random.random() < 0.03 else None
    ports = () if population.is_cell0 else _ports(number, random, project)
    return ServerPlan(
        number=number,
        uuid=uuid,
        name=name,
        hostname=name if name.isascii() and name.isprintable() else f"server-{uuid}",
        description=None if random.random() < 0.7 else f"{name} of {project.name}",
        project=project,
        user=random.choice(project.users),
        flavor=flavor,
        old_flavor=FLAVORS[flavor.id % len(FLAVORS)] if state is RESIZED else None,
        image=random.choices(IMAGES, (40, 40, 12, 8))[0],
        state=state,
        zone=population.zone,
        is_scheduled=not population.is_cell0,
        host_number=random.randrange(population.hosts) if has_host else None,
        created_at=created,
        launched_at=created + timedelta(seconds=random.randint(4, 40))
        if state.vm_state != "building" and not population.is_cell0
        else None,
        updated_at=updated,
        deleted_at=deleted,
        ports=ports,
        volumes=() if population.is_cell0 else _volumes(random),
        metadata=tuple((key, random.choice(METADATA[key])) for key in _some(random, tuple(METADATA), 0.25)),
        tags=tuple(_some(random, TAGS, 0.14)),
        key_name=f"key-{random.randrange(5)}" if random.random() < 0.6 else None,
        user_data="I2Nsb3VkLWNvbmZpZwo=" if random.random() < 0.2 else None,
        access_v4=ports[0].v4 if ports and random.random() < 0.05 else None,
        access_v6=ports[0].v6 if ports and random.random() < 0.05 else None,
        config_drive=random.random() < 0.15,
        locked_by=locked_by,
        locked_reason=random.choice((None, "maintenance", "do not touch — audit")) if locked_by else None,
        fault=_NO_HOST if population.is_cell0 else _fault(random, state),
    )


def _times(
    population: Population, number: int, random: Random, state: State, created_at: datetime | None
) -> tuple[datetime, datetime | None, datetime | None]:
    jitter = timedelta(seconds=random.randrange(3600), microseconds=random.randrange(1_000_000))
    age = _HISTORY * (1 - min(number, population.servers) / (population.servers + 1)) + timedelta(hours=2)
    if created_at is not None:  # made now by the workload, which writes the later instants itself
        return created_at, None, None
    created = population.loaded_at - age + jitter
    later = created + (population.loaded_at - created) * random.random()
    return created, later, later if state is DELETED else None


def _name(number: int, random: Random) -> str:
    role = random.choice(UNICODE_ROLES if random.random() < 0.03 else ROLES)
    return f"{role}-{number:05d}"


def _ports(number: int, random: Random, project: Project) -> tuple[Port, ...]:
    networks = random.choices((NETWORKS[:1], NETWORKS[1:2], NETWORKS[:2], NETWORKS, ()), (45, 35, 12, 5, 3))[
        0
    ]
    has_floating = random.random() < 0.15
    return tuple(
        plan_port(number, index, network, random, project, has_floating=has_floating and index == 0)
        for index, network in enumerate(networks)
    )


def plan_port(
    number: int, index: int, network: Network, random: Random, project: Project, *, has_floating: bool
) -> Port:
    """Plan port `index` of server `number`: addresses follow from the numbers, only its id is drawn."""
    mac = number * PORTS_PER_SERVER + index
    host = number % 0xFFFFD + 2  # .0.0 is the network, .0.1 the gateway
    octets = (host >> 16) + network.v4_second_octet, host >> 8 & 255, host & 255
    return Port(
        id=random_uuid(random),
        mac="fa:16:3e:{:02x}:{:02x}:{:02x}".format(*(mac & 0xFFFFFF).to_bytes(3, "big")),
        network=network,
        tenant_id=project.id,
        v4="10.{}.{}.{}".format(*octets),
        v6=_v6_address(network, host),
        floating=f"203.0.113.{number % 254 + 1}" if has_floating else None,
    )


def _v6_address(network: Network, host: int) -> str | None:
    if network.v6_prefix is None:
        return None
    high = f"{host >> 16:x}:" if host >> 16 else ""  # the shortest form, as PostgreSQL's inet gives it back
    return f"{network.v6_prefix}::{high}{host & 0xFFFF:x}"


def _volumes(random: Random) -> tuple[Volume, ...]:
    boots_from_volume = random.random() < 0.15
    count = random.choices((0, 1, 2, 3), (80, 12, 5, 3))[0]
    devices = ["vda"] * boots_from_volume + ["vdb", "vdc", "vdd"][:count]
    return tuple(plan_volume(random, device) for device in devices)


def plan_volume(random: Random, device: str) -> Volume:
    """Plan a volume to be seen by its server as this device (`vda`: the root disk)."""
    return Volume(
        id=random_uuid(random),
        attachment_id=random_uuid(random),
        device_name=f"/dev/{device}",
        size_gb=random.choice((1, 10, 100, 500)),
        is_root=device == "vda",
        delete_on_termination=random.random() < 0.4,
    )


def _some(random: Random, things: tuple[str, ...], chance: float) -> list[str]:
    return [thing for thing in things if random.random() < chance]


def _fault(random: Random, state: State) -> str | None:
    if state is ERROR or random.random() < 0.01:  # a server that recovered keeps its old faults
        return random.choice(
            (
                _NO_HOST,
                "Build of instance aborted: volume is not available",
                "Unexpected vif_type=binding_failed",
            )
        )
    return None
