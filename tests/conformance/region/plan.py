# SPDX-License-Identifier: Apache-2.0
"""Who is in the test region: its cells, projects, callers and the instant it stands still at. Constants.

Heartbeats are as old as the region: Nova is told to wait ten years for one (`service_down_time`), and a host
that is down was last seen before that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from treetop.demo.catalogue import PROJECTS, Project, fixed_uuid
from treetop.demo.population import Population

SEED: Final = 11
NOW: Final = datetime(2026, 3, 1)  # noqa: DTZ001 - Nova writes naive UTC
LONG_AGO: Final = datetime(2001, 1, 1)  # noqa: DTZ001
SERVICE_DOWN_SECONDS: Final = 315_360_000

CELL0: Final = "cell0"
CELLS: Final = ("cell1", "cell2", "cell3", "cell4")
HOSTS_PER_CELL: Final = 5
DRAWN_SERVERS: Final = 70  # per cell, as `treetop.demo` draws them; the rest is made on purpose

#: The four projects of the region; MEMBER's and OTHER's users ask.
MEMBER, OTHER, THIRD, FOURTH = PROJECTS[1:5]

#: Drawn servers are the projects' in these parts.
SHARES: Final = (MEMBER, MEMBER, OTHER, MEMBER, THIRD, OTHER, MEMBER, FOURTH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks both sides. role: what Keystone says; admin includes the others, member includes reader."""

    name: str
    role: str
    project: Project

    @property
    def user_id(self) -> str:
        return self.project.users[0][0]

    @property
    def token(self) -> str:
        """What the tests' auth filters read: role, project and user in clear."""
        return f"{self.role}:{self.project.id}:{self.user_id}"


ADMIN: Final = Asker(name="admin", role="admin", project=MEMBER)
PLAIN_MEMBER: Final = Asker(name="member", role="member", project=MEMBER)
READER: Final = Asker(name="reader", role="reader", project=MEMBER)
OTHER_MEMBER: Final = Asker(name="other member", role="member", project=OTHER)
ASKERS: Final[Mapping[str, Asker]] = {
    asker.name: asker for asker in (ADMIN, PLAIN_MEMBER, READER, OTHER_MEMBER)
}


def population(cell: str) -> Population:
    """The drawn part of a cell."""
    return Population(zone=cell, seed=SEED, servers=DRAWN_SERVERS, hosts=HOSTS_PER_CELL, loaded_at=NOW)


def cell_uuid(cell: str) -> str:
    """The uuid of a cell's mapping; cell0's is the one that Nova gives it."""
    return "00000000-0000-0000-0000-000000000000" if cell == CELL0 else fixed_uuid(f"cell {cell}")
