# SPDX-License-Identifier: Apache-2.0
"""Lists and documents of servers: both views, paging, one server by its id."""

from typing import Final

from tests.conformance.corpus.request import Request, once, walks, words

LISTS: Final = (
    *once(
        "/servers",
        "/servers/detail",
        "/servers/detail?all_tenants=1&limit=1000",
        also=("reader", "other member"),
    ),
    *once(
        "/servers?all_tenants=1",
        "/servers/detail?limit=0",
        "/servers?limit=1",
        "/servers?limit=3&limit=2",
        "/servers/detail?limit=5000",
        "/servers?deleted=False",
        "/servers/detail?deleted=False&limit=20",
        "/servers?marker=",
        "/servers?marker={drawn}&limit=5",
        "/servers/detail?marker={tagged}&limit=3",
        "/servers?marker={gone}&limit=5",
        "/servers?marker={of_other}&limit=5",
        "/servers?marker={unscheduled}&limit=5&all_tenants=1",
        "/servers?marker={requested}&limit=4",
        "/{member_project}/servers?limit=4",
        "/{member_project}/servers/detail?limit=4",
        "/servers?limit=4&name=a&name=state",
        "/servers/detail?name=unscheduled&all_tenants=1",
        "/servers/detail?name=requested&all_tenants=1",
    ),
)

WALKS: Final = (
    *walks(6, "/servers?limit=40", "/servers?limit=73&all_tenants=1"),
    *walks(
        4, "/servers/detail?limit=60&name=state", "/servers/detail?limit=9&name=unscheduled&all_tenants=True"
    ),
    *walks(3, "/servers?limit=3&name=state-active", "/{member_project}/servers?limit=7&status=ERROR"),
    *walks(3, "/servers?all_tenants=1&changes-since=2001-01-01T00%3A00%3A00Z&limit=150"),
    *walks(
        4,
        "/servers?limit=21&sort_key=created_at&sort_key=uuid&sort_dir=desc&sort_dir=desc&name=state",
        "/servers?limit=11&sort_key=vm_state&sort_dir=asc&name=state-s&all_tenants=1",
    ),
)

_DOCUMENTS: Final = words(
    "drawn many_ports building_with_ports no_cache certified fault_500 fault_404 fault_bare fault_null fault_newest "
    "fault_none fault_recovered metadata image_properties tagged locked_by_owner locked_by_admin from_volume volumes "
    "accessible described named_unicode in_group pinned hinted without_spec null_hints user_data old_flavor "
    "null_user null_hostname null_image null_power null_vm null_small null_host null_node homeless on_disabled "
    "on_forced_down on_stale soft hidden hidden_null unscheduled requested"
)

SHOWN: Final = (
    *once(*(f"/servers/{{{name}}}" for name in _DOCUMENTS)),
    *once("/servers/{of_other}", "/servers/{requested_of_other}", also=("reader", "other member")),
    *once(
        "/servers/{never_updated}",
        "/servers/{gone}",
        "/servers/{unscheduled_gone}",
        "/servers/{unscheduled_of_other}",
        "/servers/{nobody}",
        "/servers/tagged",
        "/servers/no%20such%20name",
        "/servers/detail.json",
        "/{member_project}/servers/{tagged}",
        "/servers/{tagged}?unknown=1",
        "/servers/{tagged}/",
        "/servers/",
    ),
)

OTHERWISE: Final = (
    Request(path="/servers", method="HEAD"),
    Request(path="/servers", method="PATCH"),
)

REQUESTS: Final = (*LISTS, *WALKS, *SHOWN, *OTHERWISE)
