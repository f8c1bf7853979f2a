# SPDX-License-Identifier: Apache-2.0
"""What `{name}` in a path of the corpus stands for: ids of the region's rows."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tests.conformance.region.api_rows import group_uuid
from tests.conformance.region.build_requests import requested_uuid
from tests.conformance.region.history import action_request_id
from tests.conformance.region.plan import CELL0, FOURTH, MEMBER, OTHER, THIRD, population
from tests.conformance.region.special_servers import SPECIAL
from treetop.demo.catalogue import FLAVORS, IMAGES, fixed_uuid
from treetop.demo.population import host_name, node_name, server_uuid

NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        **SPECIAL,
        "unscheduled": server_uuid(population(CELL0), 2),
        "unscheduled_of_other": server_uuid(population(CELL0), 1),
        "unscheduled_gone": server_uuid(population(CELL0), 4),
        "drawn": server_uuid(population("cell3"), 8),
        "requested": requested_uuid("requested-one"),
        "requested_of_other": requested_uuid("requested-of-other"),
        "nobody": fixed_uuid("a server that never was"),
        "member_project": MEMBER.id,
        "other_project": OTHER.id,
        "third_project": THIRD.id,
        "fourth_project": FOURTH.id,
        "other_user": OTHER.users[0][0],
        "kept_volume": fixed_uuid("volume kept"),
        "second_volume": fixed_uuid("volume second"),
        "detached_volume": fixed_uuid("volume detached"),
        "member_user": MEMBER.users[0][0],
        "image": IMAGES[0].id,
        "large_flavor": FLAVORS[3].flavorid,
        "spread": group_uuid("spread"),
        "together": group_uuid("together"),
        "group_of_other": group_uuid("of other"),
        "action": action_request_id(2),
        "running_action": action_request_id(3),
        "first_action": action_request_id(0),
        "host": host_name("cell1", 0),
        "second_host": host_name("cell2", 1),
        "disabled_host": host_name("cell3", 2),
        "node": node_name("cell1", 0),
        "node_uuid": fixed_uuid("node cell1 1"),
        "node_uuid_in_third": fixed_uuid("node cell3 2"),
        "aggregate_uuid": fixed_uuid("az-north"),
    }
)
