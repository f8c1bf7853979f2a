# SPDX-License-Identifier: Apache-2.0
"""What Nova's API and conductor write into the region's API database while a cell's servers come, change and go.

One transaction a method, but for `accept`, which needs a second one for a server in a group.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from treetop.demo.catalogue import Flavor
from treetop.demo.population import ServerPlan
from treetop.demo.region_catalogue import plan_request
from treetop.demo.request_documents import (
    empty_devices_document,
    instance_document,
    request_spec_document,
    tags_document,
    with_flavor,
)
from treetop.demo.row import Row, Value
from treetop.demo.zone_database import ZoneDatabase


@dataclass(slots=True, kw_only=True)
class Region:
    """A region as one cell's servers use it. database: of the API; None: there is none, and nothing is written.

    cell_id: of the cell in `cell_mappings`. now: naive UTC, as Nova writes.
    """

    database: ZoneDatabase | None
    cell_id: int
    now: Callable[[], datetime]

    def accept(self, plan: ServerPlan, system_metadata: dict[str, str | None]) -> None:
        """Record that a server was asked for, before any cell has it."""
        if self.database is None:
            return
        request = plan_request(plan)
        server: Row = {"created_at": self.now(), "instance_uuid": plan.uuid}
        owned = server | {"project_id": plan.project.id}
        build: Row = owned | {
            "instance": instance_document(plan, request, system_metadata),
            "block_device_mappings": empty_devices_document(),
            "tags": tags_document(plan),
        }
        mapping: Row = owned | {"cell_id": None, "user_id": plan.user[0], "queued_for_delete": False}
        with self.database.transaction():
            self.database.insert("request_specs", server | {"spec": request_spec_document(plan, request)})
            self.database.insert("build_requests", build)
            self.database.insert("instance_mappings", mapping)
        if request.group is not None:
            with self.database.transaction():
                self.database.insert("instance_group_member", server | {"group_id": request.group.id})

    def map_to_cell(self, uuid: str) -> None:
        """Say in which cell the server is, now that it is there."""
        self._change("instance_mappings", uuid, cell_id=self.cell_id)

    def forget_request(self, uuid: str) -> None:
        """Delete the build request: from now on the cell answers for the server."""
        self._delete("build_requests", [uuid])

    def queue_for_delete(self, uuid: str) -> None:
        """Say that the server is being deleted, for when its cell does not answer."""
        self._change("instance_mappings", uuid, queued_for_delete=True)

    def change_flavor(self, uuid: str, flavor: Flavor) -> None:
        """Let the scheduler look for a place of another size, for a resize."""
        if self.database is None:
            return
        for row in self.database.select("request_specs", "spec", instance_uuid=uuid):
            self._change("request_specs", uuid, spec=with_flavor(str(row["spec"]), flavor))

    def archive(self, uuids: Sequence[str]) -> None:
        """Delete what is kept of servers whose rows were moved away."""
        for table in ("instance_group_member", "instance_mappings", "request_specs"):
            self._delete(table, uuids)

    def _change(self, table: str, uuid: str, **changes: Value) -> None:
        if self.database is not None:
            with self.database.transaction():
                self.database.update(table, {"updated_at": self.now(), **changes}, instance_uuid=uuid)

    def _delete(self, table: str, uuids: Sequence[str]) -> None:
        if self.database is not None:
            with self.database.transaction():
                for uuid in uuids:
                    self.database.delete(table, instance_uuid=uuid)
