# SPDX-License-Identifier: Apache-2.0
"""Endless realistic work on one zone: a seeded mix of the operations of a busy Nova, at a wanted rate.

`Workload.step` is one operation, several committed transactions; `run` makes steps until told to stop. Two
workloads with the same seed on equally loaded zones do the same steps: what differs are times, and ids where
the zones' counters differ. One workload per zone: it remembers which servers there are.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Final

from treetop.demo.operations.bury import bury_server
from treetop.demo.operations.create import create_server
from treetop.demo.operations.delete import archive_servers, delete_server
from treetop.demo.operations.hosts import beat_heart, update_resources
from treetop.demo.operations.labels import (
    add_tag,
    change_half,
    change_nothing,
    delete_metadata,
    delete_tag,
    describe,
    rename,
    replace_metadata,
    replace_tags,
    set_metadata,
)
from treetop.demo.operations.power import (
    fail_server,
    lock_server,
    pause_server,
    reboot_server,
    reset_state,
    start_server,
    stop_server,
    unlock_server,
    unpause_server,
)
from treetop.demo.operations.region import Region
from treetop.demo.operations.resize import confirm_resize, resize_server
from treetop.demo.operations.session import Session
from treetop.demo.operations.volumes import attach_volume, detach_volume
from treetop.demo.population import Population, server_uuid
from treetop.demo.zone_database import ZoneDatabase

_TRIES: Final = 8  # how many servers to look at for one in a fitting state
_BURST_SECONDS: Final = 1.0  # after a pause (a stopped machine) this much is made up for, not more
_ARCHIVE_AT_ONCE: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Operation:
    """Something done to one server. states: the vm_states it can be done in, empty for all."""

    name: str
    weight: int
    perform: Callable[[Session, str], None]
    states: frozenset[str] = frozenset()


def _operation(
    name: str, weight: int, perform: Callable[[Session, str], None], states: str = ""
) -> _Operation:
    return _Operation(name=name, weight=weight, perform=perform, states=frozenset(states.split()))


_ON_SERVERS: Final = (
    _operation("rename", 80, rename),
    _operation("describe", 20, describe),
    _operation("set metadata", 60, set_metadata),
    _operation("replace metadata", 15, replace_metadata),
    _operation("delete metadata", 25, delete_metadata),
    _operation("replace tags", 15, replace_tags),
    _operation("add tag", 30, add_tag),
    _operation("delete tag", 25, delete_tag),
    _operation("roll back", 8, change_nothing),
    _operation("savepoint", 8, change_half),
    _operation("lock", 12, lock_server),
    _operation("unlock", 12, unlock_server),
    _operation("stop", 30, stop_server, "active"),
    _operation("start", 35, start_server, "stopped"),
    _operation("reboot", 30, reboot_server, "active"),
    _operation("pause", 6, pause_server, "active"),
    _operation("unpause", 8, unpause_server, "paused"),
    _operation("fail", 4, fail_server, "active"),
    _operation("reset state", 6, reset_state, "error"),
    _operation("resize", 8, resize_server, "active"),
    _operation("confirm resize", 12, confirm_resize, "resized"),
    _operation("attach volume", 15, attach_volume, "active stopped paused"),
    _operation("detach volume", 15, detach_volume, "active stopped paused"),
    _operation("delete", 20, delete_server),
)
_ON_ZONE: Final = {"create": 20, "archive": 6, "heartbeat": 200, "update resources": 20}
#: In cell0 nothing ever ran: what can be done to its servers needs no host and no state.
_ON_CELL0_SERVERS: Final = tuple(operation for operation in _ON_SERVERS if not operation.states)
_ON_CELL0: Final = {"fail to schedule": 30, "archive": 6, "heartbeat": 100}


class Workload:
    """Changes a zone that `load_zone` filled from `population`, for ever.

    region: the API database that `load_region` filled; None: what Nova's API keeps is not written.
    now: naive UTC, to be replaced by tests. operations: how often each was done, by name.
    The database connection is the caller's to close, and must not be used by others meanwhile.
    """

    def __init__(
        self,
        database: ZoneDatabase,
        population: Population,
        *,
        seed: int,
        region: ZoneDatabase | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC).replace(tzinfo=None),
    ) -> None:
        self.operations: Counter[str] = Counter()
        self._database = database
        # a second run on the same zone must not throw the same dice: it would draw uuids that are taken
        written = database.largest_id("instance_actions"), database.largest_id("block_device_mapping")
        self._random = Random(f"{seed}/{written}")  # noqa: S311 - made-up data
        rows = database.select("instances", "uuid deleted")
        self._live = [str(row["uuid"]) for row in rows if row["deleted"] == 0]
        self._deleted = deque(str(row["uuid"]) for row in rows if row["deleted"] != 0)
        self._services = deque(int(str(row["id"])) for row in database.select("services", "id"))
        self._session = Session(
            database=database,
            region=_region(region, population, now),
            population=population,
            random=self._random,
            now=now,
            next_number=_first_free(database, population),
        )
        on_servers, on_zone = (
            (_ON_CELL0_SERVERS, _ON_CELL0) if population.is_cell0 else (_ON_SERVERS, _ON_ZONE)
        )
        self._choices: tuple[str | _Operation, ...] = (*on_servers, *on_zone)
        self._weights = [operation.weight for operation in on_servers] + list(on_zone.values())

    @property
    def transactions(self) -> int:
        """How many transactions were committed."""
        return self._database.transactions

    def step(self) -> str:
        """Do one operation and return its name; raises the driver's error when the zone is gone."""
        choice = self._random.choices(self._choices, self._weights)[0]
        name = self._on_zone(choice) if isinstance(choice, str) else self._on_server(choice)
        self.operations[name] += 1
        return name

    def run(self, stop: threading.Event, transactions_per_second: float) -> None:
        """Make steps at this rate until `stop` is set; between steps, never inside one."""
        began, before = time.monotonic(), self.transactions
        while not stop.is_set():
            self.step()
            due = began + (self.transactions - before) / transactions_per_second
            wait = due - time.monotonic()
            if wait > 0:
                stop.wait(wait)
            else:
                began += max(0.0, -wait - _BURST_SECONDS)

    def _on_zone(self, name: str) -> str:
        match name:
            case "create":
                self._live.append(create_server(self._session))
            case "fail to schedule":
                self._live.append(bury_server(self._session))
            case "archive" if self._deleted:
                count = min(_ARCHIVE_AT_ONCE, len(self._deleted))
                archive_servers(self._session, [self._deleted.popleft() for _ in range(count)])
            case "update resources":
                update_resources(self._session)
            case _:
                beat_heart(self._session, self._services[0])
                self._services.rotate(-1)
                return "heartbeat"
        return name

    def _on_server(self, operation: _Operation) -> str:
        for _ in range(_TRIES if self._live else 0):
            place = self._random.randrange(len(self._live))
            uuid = self._live[place]
            if not operation.states or self._session.server(uuid)["vm_state"] in operation.states:
                operation.perform(self._session, uuid)
                if operation.perform is delete_server:
                    self._live[place] = self._live[-1]
                    self._live.pop()
                    self._deleted.append(uuid)
                return operation.name
        return self._on_zone("heartbeat")


def _first_free(database: ZoneDatabase, population: Population) -> int:
    """The number of the first server that no earlier run made, not even one archived since."""
    number = population.servers + 1
    while any(
        database.count(table, uuid=server_uuid(population, number))
        for table in ("instances", "shadow_instances")
    ):
        number += 1
    return number


def _region(database: ZoneDatabase | None, population: Population, now: Callable[[], datetime]) -> Region:
    """The region as this zone's servers use it. Raises IndexError when it does not know the zone."""
    if database is None:
        return Region(database=None, cell_id=0, now=now)
    cell = database.select("cell_mappings", "id", name=population.zone)[0]
    return Region(database=database, cell_id=int(str(cell["id"])), now=now)
