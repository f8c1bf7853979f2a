# SPDX-License-Identifier: Apache-2.0
"""Microversions: which one a request asks for, which ones there are, and the headers that tell the answer's.

A microversion is written 2.N and is handled as the integer N. Facts: Nova 34; the API working group's
microversion specification (`OpenStack-API-Version: compute 2.N`, several services in one header separated by
commas).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from treetop.api.fault import NOT_ACCEPTABLE, Fault, bad_request

HEADER: Final = "OpenStack-API-Version"
LEGACY_HEADER: Final = "X-OpenStack-Nova-API-Version"
SERVICE: Final = "compute"
MINIMUM: Final = 1
MAXIMUM: Final = 104

#: What changed for who reads, by N. The tables of parameters, server fields and
#: flavor fields hold the same numbers as `since`/`until`; a test compares them with this list.
STEPS: Final[Mapping[int, str]] = MappingProxyType(
    {
        1: "the first version",
        2: "key pairs have a type",
        3: "admins see hostname, kernel, launch index, ramdisk, reservation, root device, user data; "
        "attached volumes say delete_on_termination",
        5: "ip6= for everybody",
        9: "locked",
        10: "key pairs of another user",
        11: "services say forced_down",
        13: "server groups say whose they are",
        16: "host_status",
        19: "description",
        21: "what was done to a deleted server",
        23: "live migrations of a server; migrations have a type",
        26: "tags, and the four filters on them",
        28: "cpu_info of a hypervisor is an object",
        33: "pages of hypervisors",
        35: "pages of key pairs",
        36: "limits and quotas without networks",
        38: "an unknown status= is refused",
        39: "limits without maxImageMeta",
        40: "pages of usage",
        41: "aggregates have a uuid",
        47: "the flavor is embedded instead of linked",
        51: "the steps of an action for everybody",
        53: "uuids instead of numbers for services and hypervisors; hypervisors by name, with their servers",
        55: "flavors have a description",
        57: "limits and quotas without injected files",
        58: "pages of actions",
        59: "pages of migrations, and their uuids",
        61: "flavors have extra_specs",
        62: "the hosts of an action's steps",
        63: "trusted_image_certificates",
        64: "server groups have one policy and its rules",
        66: "changes-before=",
        69: "placeholders of what a zone that is down has",
        70: "tags of attached volumes",
        71: "server_groups of a single server",
        73: "locked_reason, locked=, sort_key=locked",
        75: "unknown parameters are refused by most resources; no swap is 0, hypervisors without servers say so",
        79: "attached volumes listed alone say delete_on_termination, too",
        80: "migrations say whose they are",
        83: "more filters for everybody",
        84: "the details of an action's steps",
        88: "hypervisors say their uptime instead of sizes",
        89: "the ids of attachments",
        90: "hostname for everybody, also as a filter",
        96: "pinned_availability_zone",
        98: "properties of the image",
        100: "scheduler_hints",
        102: "unknown parameters are refused by every resource; flavors by name=, without rxtx_factor and disabled",
    }
)

# Nine digits at most: a supported version has fewer, and an answer's header repeats what was asked.
_PATTERN = re.compile(r"([1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Negotiated:
    """What a request's headers say. text: to echo in the answer's; minor: None if not supported."""

    text: str
    minor: int | None


def negotiate(header: str | None, legacy_header: str | None) -> Negotiated:
    """Read the two headers (None: absent; the first one wins).

    Raises a 400 `Fault` for a text that is no version. A version out of range is returned with `minor` None,
    so that the refusal can echo it; `not_supported` makes that refusal.
    """
    asked = _service_version(header) or (legacy_header or "").strip() or f"2.{MINIMUM}"
    if asked == "latest":
        return Negotiated(text=f"2.{MAXIMUM}", minor=MAXIMUM)
    match = _PATTERN.fullmatch(asked)
    if match is None:
        raise bad_request(
            f"API Version String {asked} is of invalid format. Must be of format MajorNum.MinorNum."
        )
    major, minor = int(match[1]), int(match[2])
    is_supported = major == 2 and MINIMUM <= minor <= MAXIMUM
    return Negotiated(text=asked, minor=minor if is_supported else None)


def not_supported(text: str) -> Fault:
    """The 406 that names what is supported."""
    return Fault(
        NOT_ACCEPTABLE,
        f"Version {text} is not supported by the API. Minimum is 2.{MINIMUM} and maximum is 2.{MAXIMUM}.",
    )


def answer_headers(text: str) -> dict[str, str]:
    """The headers of every answer that a microversion had a say in."""
    return {
        HEADER: f"{SERVICE} {text}",
        LEGACY_HEADER: text,
        "Vary": f"{HEADER}, {LEGACY_HEADER}",
    }


def _service_version(header: str | None) -> str | None:
    """The version after `compute` in a header such as `identity 3, compute 2.53`; the last one wins."""
    for part in reversed((header or "").split(",")):
        words = part.split()
        if len(words) == 2 and words[0].lower() == SERVICE:
            return words[1]
    return None
