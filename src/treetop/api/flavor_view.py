# SPDX-License-Identifier: Apache-2.0
"""Flavor documents: one table of fields, as for servers; the few flavors there are need no compiled renderer.
Pure.

Facts: Nova 34, api/openstack/compute/views/flavors.py. What servers do not carry is answered with Nova's
defaults: public, not disabled, factor 1, no description.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from treetop.store.flavors import EmbeddedFlavor

_ZERO_SWAP_SINCE: Final = 75


@dataclass(frozen=True, slots=True, kw_only=True)
class FlavorFacts:
    """What is known of a flavor; sizes in Nova's units (ram MB, disk and ephemeral GB, swap MB)."""

    id: str
    name: str
    ram: int
    disk: int
    vcpus: int
    swap: int
    ephemeral: int
    extra_specs: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    key: str
    value: Callable[[FlavorFacts, int], object]  # the facts and the microversion's N
    since: int = 1
    in_index: bool = False


_FIELDS: Final = (
    _Field(key="id", value=lambda flavor, _: flavor.id, in_index=True),
    _Field(key="name", value=lambda flavor, _: flavor.name, in_index=True),
    _Field(key="description", value=lambda _flavor, _: None, since=55, in_index=True),
    _Field(key="ram", value=lambda flavor, _: flavor.ram),
    _Field(key="disk", value=lambda flavor, _: flavor.disk),
    _Field(key="vcpus", value=lambda flavor, _: flavor.vcpus),
    _Field(key="swap", value=lambda flavor, minor: flavor.swap or (0 if minor >= _ZERO_SWAP_SINCE else "")),
    _Field(key="OS-FLV-EXT-DATA:ephemeral", value=lambda flavor, _: flavor.ephemeral),
    _Field(key="OS-FLV-DISABLED:disabled", value=lambda _flavor, _: False),
    _Field(key="os-flavor-access:is_public", value=lambda _flavor, _: True),
    _Field(key="rxtx_factor", value=lambda _flavor, _: 1.0),
    _Field(key="extra_specs", value=lambda flavor, _: dict(flavor.extra_specs), since=61),
)


def flavor_facts(flavor: EmbeddedFlavor) -> FlavorFacts:
    """Read what a server carries of its flavor; what is missing is 0."""
    document = orjson.loads(flavor.document)
    sizes = {key: document.get(key) or 0 for key in ("ram", "disk", "vcpus", "swap", "ephemeral")}
    return FlavorFacts(
        id=flavor.id,
        name=document.get("original_name") or flavor.id,
        extra_specs=document.get("extra_specs") or {},
        **sizes,
    )


def flavor_document(
    flavor: FlavorFacts, *, minor: int, is_detail: bool, self_url: str, bookmark_url: str
) -> dict[str, Any]:  # Any: a JSON document
    """The document; the two URLs end before the flavor's id."""
    document: dict[str, Any] = {
        field.key: field.value(flavor, minor)
        for field in _FIELDS
        if field.since <= minor and (is_detail or field.in_index)
    }
    document["links"] = [
        {"rel": "self", "href": self_url + flavor.id},
        {"rel": "bookmark", "href": bookmark_url + flavor.id},
    ]
    return document
