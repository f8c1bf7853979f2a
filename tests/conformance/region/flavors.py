# SPDX-License-Identifier: Apache-2.0
"""The region's flavors as rows of the API database: public, private, disabled, with and without everything. Pure."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from tests.conformance.region.plan import MEMBER, NOW, OTHER
from treetop.demo.catalogue import FLAVORS
from treetop.demo.row import Row

_CREATED_AT: Final = NOW - timedelta(days=300)

#: id -> how it differs from a small public flavor; the demo's own flavors come before.
_MADE: Final[dict[int, Row]] = {
    20: {"name": "Disabled", "flavorid": "off", "disabled": True},
    21: {"name": "private.of-member", "flavorid": "p-member", "is_public": False},
    22: {"name": "private.of-other", "flavorid": "p-other", "is_public": False},
    23: {"name": "private.of-nobody", "flavorid": "p-nobody", "is_public": False},
    24: {"name": "described", "flavorid": "d", "description": "Größe 3 – 大"},
    25: {"name": "swapping", "flavorid": "s", "swap": 512, "ephemeral_gb": 20, "rxtx_factor": 2.5},
    26: {"name": "NULLs", "flavorid": "n", "updated_at": None, "description": None, "vcpu_weight": None},
    27: {"name": "same-as-small", "flavorid": "z", "memory_mb": 2048, "root_gb": 20},
    28: {"name": "UPPER", "flavorid": "Upper"},
    29: {"name": "v-größe", "flavorid": "v-ü", "memory_mb": 1},
    30: {"name": "empty description", "flavorid": "e", "description": ""},
}

_SPECS: Final[dict[int, dict[str, str | None]]] = {
    24: {"hw:cpu_policy": "shared", "trait:CUSTOM_X": "required"},
    23: {"custom:é": "ü"},  # Nova's schema of its own answers refuses this key
    25: {"quota:cpu_shares": "10"},
    21: {"aggregate_instance_extra_specs:ssd": "true"},
}

_ACCESS: Final = ((21, MEMBER.id), (21, OTHER.id), (22, OTHER.id))


def flavor_rows() -> Iterator[Row]:
    """Rows of `flavors`."""
    for flavor in FLAVORS:
        yield {
            **_plain(flavor.id),
            "name": flavor.name,
            "flavorid": flavor.flavorid,
            "vcpus": flavor.vcpus,
            "memory_mb": flavor.memory_mb,
            "root_gb": flavor.root_gb,
            "ephemeral_gb": flavor.ephemeral_gb,
            "swap": flavor.swap,
            "is_public": flavor.is_public,
        }
    for number, changes in _MADE.items():
        yield {**_plain(number), **changes}


def extra_spec_rows() -> Iterator[Row]:
    """Rows of `flavor_extra_specs`."""
    specs: dict[int, dict[str, str | None]] = {
        flavor.id: dict(flavor.extra_specs) for flavor in FLAVORS
    } | _SPECS
    pairs = [(flavor, key, value) for flavor, items in specs.items() for key, value in items.items()]
    for number, (flavor, key, value) in enumerate(pairs, 1):
        yield {"id": number, "created_at": _CREATED_AT, "flavor_id": flavor, "key": key, "value": value}


def access_rows() -> Iterator[Row]:
    """Rows of `flavor_projects`."""
    for number, (flavor, project) in enumerate(_ACCESS, 1):
        yield {"id": number, "created_at": _CREATED_AT, "flavor_id": flavor, "project_id": project}


def _plain(number: int) -> Row:
    return {
        "id": number,
        "created_at": _CREATED_AT + timedelta(hours=number // 2),
        "updated_at": _CREATED_AT + timedelta(days=1, hours=number // 3),
        "name": f"flavor {number}",
        "flavorid": str(number),
        "vcpus": 1,
        "memory_mb": 1024,
        "root_gb": 10,
        "ephemeral_gb": 0,
        "swap": 0,
        "rxtx_factor": 1.0,
        "vcpu_weight": 0,
        "disabled": False,
        "is_public": True,
        "description": None,
    }
