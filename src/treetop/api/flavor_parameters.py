# SPDX-License-Identifier: Apache-2.0
"""The query parameters of `GET /flavors` and `/flavors/detail`, and the choice they make among the flavors.
Pure.

Facts: Nova 34, api/openstack/compute/schemas/flavors.py and flavors.py.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from treetop.api.fault import bad_request
from treetop.api.flavor_view import FlavorFacts
from treetop.api.parameters import Kind, Parameter, Parameters

FLAVOR_PARAMETERS: Final[Mapping[str, Parameter]] = MappingProxyType(
    {
        parameter.name: parameter
        for parameter in (
            Parameter(name="limit", kind=Kind.NUMBER),
            Parameter(name="marker"),
            Parameter(name="is_public"),
            Parameter(name="minRam"),
            Parameter(name="minDisk"),
            Parameter(name="sort_key", kind=Kind.SORT_KEY),
            Parameter(name="sort_dir"),
        )
    }
)

#: Nova's sort keys; those of which servers carry nothing order by the id alone.
FLAVOR_SORT_KEYS: Final = frozenset(
    {
        *(
            "created_at",
            "description",
            "disabled",
            "ephemeral_gb",
            "flavorid",
            "id",
            "is_public",
            "memory_mb",
        ),
        *("name", "root_gb", "rxtx_factor", "swap", "updated_at", "vcpu_weight", "vcpus"),
    }
)
_ATTRIBUTES: Final = {
    "ephemeral_gb": "ephemeral",
    "memory_mb": "ram",
    "name": "name",
    "root_gb": "disk",
    "swap": "swap",
    "vcpus": "vcpus",
}


def chosen_flavors(
    flavors: Sequence[FlavorFacts], parameters: Parameters, *, limit: int
) -> Sequence[FlavorFacts]:
    """The page that is asked for, at most `limit` flavors. Raises a 400 `Fault` for what cannot be read."""
    least_ram, least_disk = _least(parameters, "minRam"), _least(parameters, "minDisk")
    found = [
        flavor
        for flavor in flavors
        if flavor.ram >= least_ram and flavor.disk >= least_disk and _is_public_asked(parameters)
    ]
    attribute = _ATTRIBUTES.get(parameters.get("sort_key", ("flavorid",))[-1])
    direction = parameters.get("sort_dir", ("asc",))[-1]
    if direction not in ("asc", "desc"):
        raise bad_request("Invalid input received: Unknown sort direction, must be 'desc' or 'asc'")
    found.sort(
        key=lambda flavor: (getattr(flavor, attribute), flavor.id) if attribute else flavor.id,
        reverse=direction == "desc",
    )
    return found[_beginning(found, parameters) :][:limit]


def _is_public_asked(parameters: Parameters) -> bool:
    """Every flavor here counts as public: only `is_public=false` leaves them out."""
    return parameters.get("is_public", ("true",))[-1].strip().lower() not in (
        "0",
        "f",
        "false",
        "n",
        "no",
        "off",
    )


def _least(parameters: Parameters, name: str) -> int:
    value = parameters.get(name, ("0",))[-1]
    try:
        return int(value)
    except ValueError:
        raise bad_request(f"Invalid {name} filter [{value}]") from None


def _beginning(found: Sequence[FlavorFacts], parameters: Parameters) -> int:
    marker = parameters.get("marker", ("",))[-1]
    if not marker:
        return 0
    for place, flavor in enumerate(found):
        if flavor.id == marker:
            return place + 1
    raise bad_request(f"marker [{marker}] not found")
