# SPDX-License-Identifier: Apache-2.0
"""Where each region's nova-api answers, as `[proxy] nova_endpoint` says it, and which one a request is for. Pure.

`RegionOne:http://nova.one:8774/v2.1, RegionTwo:https://cloud.two/compute`, or one URL without a region for
everything. A URL is what a service catalog holds, with or without `/v2.1`. Requests only ever go to one of these
addresses: nothing that a caller sends can name another.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from treetop.api.fault import Fault, bad_request
from treetop.errors import Refuse

REGION_HEADER: Final = "Treetop-Region"
_NOT_IMPLEMENTED: Final = 501
_OF_REGION: Final = re.compile(r"(?P<region>.+?):(?P<url>https?://.+)")
_HINT: Final = "write REGION:http://HOST:8774/v2.1, separated by commas, or one URL for the only region"


@dataclass(frozen=True, slots=True, kw_only=True)
class NovaEndpoint:
    """One nova-api. url: what its paths that begin with `/v2.1` are appended to. region: None: the only one."""

    url: str
    region: str | None

    @property
    def name(self) -> str:
        """What it is called in messages; its address is nothing for callers."""
        return "Nova" if self.region is None else f"the Nova of region {self.region}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NovaEndpoints:
    """Every one that is configured. anywhere: the one without a region, which is then the only one."""

    by_region: Mapping[str, NovaEndpoint]
    anywhere: NovaEndpoint | None = None

    def choose(self, *, server_region: str | None, asked_region: str | None) -> NovaEndpoint:
        """The one for a request: of the server it names, else of the region it asks for, else the only one.

        Raises a 501 `Fault` for a server's region without one, a 400 one for a name that is none or is needed.
        """
        if self.anywhere is not None:
            return self.anywhere
        if server_region is not None:
            if server_region not in self.by_region:
                raise Fault(
                    _NOT_IMPLEMENTED,
                    f"This server belongs to region {server_region}, whose Nova cannot be reached from here. "
                    "Send the request to that Nova, or have its URL added to [proxy] nova_endpoint.",
                )
            return self.by_region[server_region]
        names = ", ".join(sorted(self.by_region))
        if asked_region is not None:
            if asked_region not in self.by_region:
                raise bad_request(f"{REGION_HEADER} names no region that is known here. Known are: {names}.")
            return self.by_region[asked_region]
        if len(self.by_region) > 1:
            raise bad_request(
                f"There are several regions: name the one that this is for with the header {REGION_HEADER}. "
                f"Known are: {names}."
            )
        return next(iter(self.by_region.values()))


def parse_endpoints(items: Sequence[str]) -> NovaEndpoints | None:
    """Read the option; None: it is empty. Raises `Refuse`, without repeating what may hold a password."""
    found: dict[str, NovaEndpoint] = {}
    anywhere: NovaEndpoint | None = None
    for item in items:
        match = _OF_REGION.fullmatch(item)
        if match is None:
            anywhere = NovaEndpoint(url=_base(item), region=None)
        elif match["region"] in found:
            raise Refuse("[proxy] nova_endpoint names a region twice", hint=_HINT)
        else:
            found[match["region"]] = NovaEndpoint(url=_base(match["url"]), region=match["region"])
    if anywhere is not None and len(items) > 1:
        raise Refuse("[proxy] nova_endpoint holds a URL without a region beside others", hint=_HINT)
    return NovaEndpoints(by_region=found, anywhere=anywhere) if items else None


def _base(url: str) -> str:
    """The URL without `/v2.1` at its end."""
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable or parts.username is not None or parts.query or parts.fragment or "%" in parts.path:
        raise Refuse("[proxy] nova_endpoint holds what is not a plain http or https URL", hint=_HINT)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/').removesuffix('/v2.1').rstrip('/')}"
