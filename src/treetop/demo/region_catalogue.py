# SPDX-License-Identifier: Apache-2.0
"""What a demo region's API database offers beside flavors: server groups, and what each server asked for. Pure.

`plan_request(plan)` -> the availability zone and group that the server's user named; the same for every caller, so
that whoever loads the region and whoever creates servers later agree.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Final

from treetop.demo.catalogue import PROJECTS, Project, fixed_uuid
from treetop.demo.population import ServerPlan

_POLICIES: Final[tuple[tuple[str, Mapping[str, int]], ...]] = (
    ("anti-affinity", {"max_server_per_host": 3}),
    ("affinity", {}),
    ("soft-anti-affinity", {}),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerGroup:
    """A server group. id: its number in `instance_groups`."""

    id: int
    uuid: str
    name: str
    policy: str
    project: Project
    user_id: str
    rules: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerRequest:
    """What a user named when the server was asked for. availability_zone: None means any."""

    availability_zone: str | None
    group: ServerGroup | None

    @property
    def hints(self) -> dict[str, list[str]]:
        """The scheduler hints as a request spec keeps them: a list for each."""
        return {} if self.group is None else {"group": [self.group.uuid]}


def _group(number: int) -> ServerGroup:
    project = PROJECTS[number // len(_POLICIES)]
    policy, rules = _POLICIES[number % len(_POLICIES)]
    name = f"{project.name}-{policy}"
    return ServerGroup(
        id=number + 1,
        uuid=fixed_uuid(f"group {name}"),
        name=name,
        policy=policy,
        project=project,
        user_id=project.users[0][0],
        rules=rules,
    )


GROUPS: Final = tuple(_group(number) for number in range(len(PROJECTS) * len(_POLICIES)))


def plan_request(plan: ServerPlan) -> ServerRequest:
    """What was asked for: a third names its availability zone, one in twelve a group of its project."""
    random = Random(f"request {plan.uuid}")  # noqa: S311 - made-up data
    names_zone = random.random() < 0.33
    groups = [group for group in GROUPS if group.project is plan.project]
    return ServerRequest(
        availability_zone=plan.availability_zone if names_zone and plan.is_scheduled else None,
        group=random.choice(groups) if random.random() < 0.08 else None,
    )
