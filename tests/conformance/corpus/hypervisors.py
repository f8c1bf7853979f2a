# SPDX-License-Identifier: Apache-2.0
"""Hypervisors: lists, one, statistics, by pattern, with servers, paging."""

from typing import Final

from tests.conformance.corpus.request import once, walks

REQUESTS: Final = (
    *once("/os-hypervisors", "/os-hypervisors/detail", also=("reader",)),
    *once(
        "/os-hypervisors?with_servers=true",
        "/os-hypervisors/detail?with_servers=1",
        "/os-hypervisors?with_servers=junk",
        "/os-hypervisors?hypervisor_hostname_pattern=cell2",
        "/os-hypervisors/detail?hypervisor_hostname_pattern=CELL2-cmp&with_servers=True",
        "/os-hypervisors?hypervisor_hostname_pattern=zz",
        "/os-hypervisors?hypervisor_hostname_pattern=cell2&limit=1",
        "/os-hypervisors?limit=3",
        "/os-hypervisors?limit=0",
        "/os-hypervisors?limit=x",
        "/os-hypervisors?marker=none",
        "/os-hypervisors?marker=2&limit=2",
        "/os-hypervisors?marker={node_uuid_in_third}&limit=2",
        "/os-hypervisors?unknown=1",
        "/os-hypervisors/1",
        "/os-hypervisors/3",
        "/os-hypervisors/999",
        "/os-hypervisors/{node_uuid}",
        "/os-hypervisors/{node_uuid_in_third}?with_servers=true",
        "/os-hypervisors/{nobody}",
        "/os-hypervisors/x",
        "/os-hypervisors/statistics",
        "/os-hypervisors/statistics?unknown=1",
        "/os-hypervisors/cell2/search",
        "/os-hypervisors/zz/search",
        "/os-hypervisors/{node}/servers",
        "/os-hypervisors/zz/servers",
    ),
    *walks(9, "/os-hypervisors?limit=4", "/os-hypervisors/detail?limit=11"),
)
