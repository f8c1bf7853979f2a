# SPDX-License-Identifier: Apache-2.0
"""What every operation works with: the zone's database, the dice, the clock, and Nova's records of actions.

An operation opens its transactions itself; `save_server` and the action methods are one transaction each.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random

from treetop.demo.documents import host_stats
from treetop.demo.operations.region import Region
from treetop.demo.population import Population, host_name, random_uuid
from treetop.demo.row import Row, Value
from treetop.demo.zone_database import ZoneDatabase


@dataclass(slots=True, kw_only=True)
class Session:
    """One actor on one zone. region: where Nova's API keeps what it knows of the zone's servers.

    now: naive UTC, as Nova writes. next_number: of the next server of `population` to create.
    """

    database: ZoneDatabase
    region: Region
    population: Population
    random: Random
    now: Callable[[], datetime]
    next_number: int

    def server(self, uuid: str) -> Row:
        """Read the `instances` row of a server that exists."""
        return self.database.select("instances", "*", uuid=uuid)[0]

    def stamped(self, row: Row) -> Row:
        """Add to a new row what Nova gives every row."""
        return {"created_at": self.now(), "deleted": 0, **row}

    def change_server(self, uuid: str, **changes: Value) -> None:
        """Update the `instances` row inside the open transaction."""
        self.database.update("instances", {"updated_at": self.now(), **changes}, uuid=uuid)

    def save_server(self, uuid: str, **changes: Value) -> None:
        """Update the `instances` row, as Nova's `Instance.save` does: one transaction."""
        with self.database.transaction():
            self.change_server(uuid, **changes)

    def save_extra(self, uuid: str, **changes: Value) -> None:
        """Update `instance_extra`; without changes only its time moves, which Nova does all the time."""
        with self.database.transaction():
            self.database.update("instance_extra", {"updated_at": self.now(), **changes}, instance_uuid=uuid)

    def start_action(self, server: Row, action: str) -> int:
        """Record that a user asked for something; return the action's id."""
        with self.database.transaction():
            return self.database.insert(
                "instance_actions",
                self.stamped(
                    {
                        "action": action,
                        "instance_uuid": server["uuid"],
                        "request_id": f"req-{random_uuid(self.random)}",
                        "user_id": server["user_id"],
                        "project_id": server["project_id"],
                        "start_time": self.now(),
                    }
                ),
            )

    def start_event(self, action: int, event: str, host: Value) -> int:
        """Record that a service began its part of an action; return the event's id."""
        with self.database.transaction():
            self._touch_action(action)
            return self.database.insert(
                "instance_actions_events",
                self.stamped({"event": event, "action_id": action, "start_time": self.now(), "host": host}),
            )

    def finish_event(self, action: int, event: int, result: str = "Success") -> None:
        """Record how a service's part of an action ended."""
        with self.database.transaction():
            self._touch_action(action)
            now = self.now()
            self.database.update(
                "instance_actions_events", {"updated_at": now, "finish_time": now, "result": result}, id=event
            )

    def claim(self, host: Value, *, sign: int, servers: int, flavor: Row) -> None:
        """Add (sign 1) or take away (-1) what a server uses from its host's `compute_nodes` row.

        flavor: anything with vcpus, memory_mb, root_gb and ephemeral_gb. servers: by how many the number of
        servers changes, 0 when only sizes do. A host that this zone does not have: nothing to count.
        """
        found = self.database.select("compute_nodes", "*", host=host)
        with self.database.transaction():
            for node in found:
                self.database.update("compute_nodes", self._usage(node, sign, servers, flavor), id=node["id"])

    def any_host(self, other_than: Value = None) -> int:
        """Draw a host number of the zone; `other_than` is left out unless it is the only one."""
        numbers = [
            number
            for number in range(self.population.hosts)
            if host_name(self.population.zone, number) != other_than
        ]
        return self.random.choice(numbers or [0])

    def _touch_action(self, action: int) -> None:
        self.database.update("instance_actions", {"updated_at": self.now()}, id=action)

    def _usage(self, node: Row, sign: int, servers: int, flavor: Row) -> dict[str, Value]:
        def count(column: str, by: Value) -> int:
            return int(str(node[column])) + sign * int(str(by))

        disk = int(str(flavor["root_gb"])) + int(str(flavor["ephemeral_gb"]))
        running = count("running_vms", servers)
        return {
            "updated_at": self.now(),
            "vcpus_used": count("vcpus_used", flavor["vcpus"]),
            "memory_mb_used": count("memory_mb_used", flavor["memory_mb"]),
            "local_gb_used": count("local_gb_used", disk),
            "free_ram_mb": count("free_ram_mb", -int(str(flavor["memory_mb"]))),
            "free_disk_gb": count("free_disk_gb", -disk),
            "running_vms": running,
            "stats": host_stats(running, running),
        }
