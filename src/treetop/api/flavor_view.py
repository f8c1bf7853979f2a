# SPDX-License-Identifier: Apache-2.0
"""Flavor documents: one table of fields, as for servers; the few flavors there are need no compiled renderer.
Pure.

Facts: Nova 34, api/openstack/compute/views/flavors.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import orjson

from treetop.api.links import Links
from treetop.store.flavors import Flavor

_ZERO_SWAP_SINCE: Final = 75
_EXTRA_SPECS: Final = "extra_specs"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """A key that is there from microversion `since` to `until`, both included; None: to the last."""

    key: str
    value: Callable[[Flavor, int], object]  # the flavor and the microversion's N
    since: int = 1
    until: int | None = None
    in_index: bool = False

    def is_in(self, minor: int) -> bool:
        return self.since <= minor and (self.until is None or minor <= self.until)


FIELDS: Final = (
    _Field(key="id", value=lambda flavor, _: flavor.id, in_index=True),
    _Field(key="name", value=lambda flavor, _: flavor.name, in_index=True),
    _Field(key="description", value=lambda flavor, _: flavor.description, since=55, in_index=True),
    _Field(key="ram", value=lambda flavor, _: flavor.ram),
    _Field(key="disk", value=lambda flavor, _: flavor.disk),
    _Field(key="vcpus", value=lambda flavor, _: flavor.vcpus),
    _Field(key="swap", value=lambda flavor, minor: flavor.swap or (0 if minor >= _ZERO_SWAP_SINCE else "")),
    _Field(key="OS-FLV-EXT-DATA:ephemeral", value=lambda flavor, _: flavor.ephemeral),
    _Field(key="OS-FLV-DISABLED:disabled", value=lambda flavor, _: flavor.disabled, until=101),
    _Field(key="os-flavor-access:is_public", value=lambda flavor, _: flavor.is_public),
    _Field(key="rxtx_factor", value=lambda flavor, _: flavor.rxtx_factor or "", until=101),
    _Field(key=_EXTRA_SPECS, value=lambda flavor, _: orjson.loads(flavor.extra_specs), since=61),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlavorShape:
    """Which document is asked for. is_detail: the long one; has_extra_specs: the caller may see them."""

    minor: int
    is_detail: bool
    has_extra_specs: bool
    links: Links

    def document(self, flavor: Flavor) -> dict[str, Any]:  # Any: a JSON document
        """The document of a flavor."""
        document = {field.key: field.value(flavor, self.minor) for field in FIELDS if self._has(field)}
        document["links"] = self.links.of(f"flavors/{flavor.id}")
        return document

    def _has(self, field: _Field) -> bool:
        if field.key == _EXTRA_SPECS and not self.has_extra_specs:
            return False
        return field.is_in(self.minor) and (self.is_detail or field.in_index)
