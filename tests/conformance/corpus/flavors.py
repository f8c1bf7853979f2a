# SPDX-License-Identifier: Apache-2.0
"""Flavors: lists, order, paging, one of them, extra specs and access."""

from typing import Final

from tests.conformance.corpus.request import once, walks, words

_SORTED: Final = words(
    "created_at description disabled ephemeral_gb flavorid id is_public memory_mb name root_gb rxtx_factor swap "
    "updated_at vcpu_weight vcpus"
)

_LISTS: Final = (
    *once("/flavors", "/flavors/detail", also=("reader", "other member")),
    *once(
        "/flavors?is_public=None",
        "/flavors/detail?is_public=None",
        "/flavors?is_public=False",
        "/flavors?is_public=true",
        "/flavors?is_public=junk",
        "/flavors?minRam=4096",
        "/flavors/detail?minDisk=50&minRam=1",
        "/flavors?minRam=x",
        "/flavors?minDisk=-1",
        "/flavors?minRam=",
        "/flavors?limit=3",
        "/flavors?limit=0",
        "/flavors?limit=x",
        "/flavors?limit=-1",
        "/flavors?marker=2&limit=3",
        "/flavors?marker=none",
        "/flavors?marker=p-other",
        "/flavors?name=small",
        "/flavors?sort_key=none",
        "/flavors?sort_dir=up",
        "/flavors?sort_key=memory_mb&sort_dir=desc&limit=4",
        "/flavors?unknown=1",
        "/flavors?_unknown=1",
        "/{member_project}/flavors?limit=2",
        "/{other_project}/flavors",
    ),
    *once(*(f"/flavors?sort_key={key}" for key in _SORTED)),
    *once(*(f"/flavors/detail?sort_key={key}&sort_dir=desc&is_public=None" for key in _SORTED)),
    *walks(8, "/flavors?limit=3", "/flavors/detail?limit=4&is_public=None&sort_key=name&sort_dir=asc"),
)

_ONE: Final = once(
    *(
        f"/flavors/{flavor}"
        for flavor in words("1 off p-member p-other p-nobody d s n e none Upper upper v-%C3%BC")
    ),
    *(f"/flavors/{flavor}/os-extra_specs" for flavor in words("d 1 p-other off none")),
    "/flavors/d/os-extra_specs/hw:cpu_policy",
    "/flavors/d/os-extra_specs/none",
    "/flavors/p-nobody/os-extra_specs/custom:%C3%A9",
    *(f"/flavors/{flavor}/os-flavor-access" for flavor in words("p-member p-other p-nobody 1 none")),
    "/{member_project}/flavors/1",
    "/flavors/d?unknown=1",
)

REQUESTS: Final = (*_LISTS, *_ONE)
