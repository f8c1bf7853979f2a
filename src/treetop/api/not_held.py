# SPDX-License-Identifier: Apache-2.0
"""What Nova answers and Treetop does not: writes, and what needs a compute host or another service. Pure.

Without `[proxy] nova_endpoint` such a request is refused in words that name the way; a path that Nova does not
have either is no part of this. Facts: Nova 34, api/openstack/compute/routes.py.
"""

import re
from typing import Final

from treetop.api.fault import Fault, forbidden

WRITING: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_NOT_IMPLEMENTED: Final = 501
_WAY: Final = (
    "Send the request to the Nova that owns the server, or have the operator of this view set "
    "[proxy] nova_endpoint, which passes it on."
)
_READ_ONLY: Final = "This is a read-only view of all zones and changes nothing."
_ELSEWHERE: Final = (
    "This view of all zones does not hold what is asked for: Nova asks a compute host or another service."
)

_OF_SERVER: Final = (
    "diagnostics topology remote-consoles os-interface os-security-groups os-server-password shares"
)
#: Most of them only of old microversions. Without `images`: a client that finds no Glance asks here, and goes on when
#: there are none.
_OF_REGION: Final = (
    "os-assisted-volume-snapshots os-console-auth-tokens os-instance_usage_audit_log os-quota-class-sets "
    "os-baremetal-nodes os-floating-ip-pools os-floating-ips os-hosts os-networks os-security-groups os-snapshots "
    "os-tenant-networks os-volumes os-volumes_boot"
)
_KNOWN_TO_NOVA: Final = re.compile(
    rf"/v2\.1(/[0-9a-f-]+)?/(servers/[^/]+/({'|'.join(_OF_SERVER.split())})|{'|'.join(_OF_REGION.split())})(/.*)?"
)


def not_held(method: str, path: str) -> Fault | None:
    """The 403 or 501 `Fault` for a request that only Nova can answer; None: nobody can."""
    if method in WRITING and path.startswith("/v2"):
        return forbidden(f"{_READ_ONLY} {_WAY}")
    if method == "GET" and _KNOWN_TO_NOVA.fullmatch(path):
        return Fault(_NOT_IMPLEMENTED, f"{_ELSEWHERE} {_WAY}")
    return None
