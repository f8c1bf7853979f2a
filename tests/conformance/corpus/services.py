# SPDX-License-Identifier: Apache-2.0
"""Compute services of all cells."""

from typing import Final

from tests.conformance.corpus.request import once

REQUESTS: Final = (
    *once("/os-services", also=("reader",)),
    *once(
        "/os-services?host={host}",
        "/os-services?binary=nova-compute",
        "/os-services?binary=nova-conductor&host=cell1-conductor",
        "/os-services?host=none",
        "/os-services?host=",
        "/os-services?binary=NOVA-COMPUTE",
        "/os-services?unknown=1",
        "/os-services?host=a&host={host}",
        "/{member_project}/os-services",
    ),
)
