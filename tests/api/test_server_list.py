# SPDX-License-Identifier: Apache-2.0
"""The list of servers: whose, in which states, in which order, and how it goes on."""

from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.api.conftest import Client
from tests.store.builders import OTHER_PROJECT, PROJECT, START, a_server, a_zone, uuid_of


def test_the_newest_server_comes_first(api, top):
    for number in (1, 3, 2):
        a_server(top, number)

    assert api.names() == ["vm-3", "vm-2", "vm-1"]


def test_servers_of_all_zones_are_one_list(api, top):
    a_zone(top, 2)
    for number in range(1, 7):
        a_server(top, number, zone_id=1 + number % 2)

    assert api.names() == ["vm-6", "vm-5", "vm-4", "vm-3", "vm-2", "vm-1"]


def test_a_project_sees_its_own_servers_only(api, reader_api, top):
    a_server(top, 1)
    a_server(top, 2, project_id=OTHER_PROJECT)

    assert api.names() == reader_api.names() == ["vm-1"]


@pytest.mark.parametrize("asked", ["all_tenants=1", "all_tenants=True", "all_tenants", "all_tenants=yes"])
def test_all_tenants_lists_every_project(api, top, asked):
    a_server(top, 1)
    a_server(top, 2, project_id=OTHER_PROJECT)

    assert api.names(asked) == ["vm-2", "vm-1"]


@pytest.mark.parametrize("asked", ["all_tenants=0", "all_tenants=False", "all_tenants=off"])
def test_all_tenants_can_be_turned_off(api, top, asked):
    a_server(top, 2, project_id=OTHER_PROJECT)

    assert api.names(asked) == []


@pytest.mark.parametrize("name", ["project_id", "tenant_id"])
def test_one_project_of_all_can_be_asked_for(api, top, name):
    a_server(top, 1)
    a_server(top, 2, project_id=OTHER_PROJECT)

    assert api.names(f"all_tenants=1&{name}={OTHER_PROJECT}") == ["vm-2"]
    assert api.names(f"{name}={OTHER_PROJECT}") == ["vm-1"]


def test_the_project_of_the_url_is_listed_without_a_header(api, top):
    a_server(top, 1, project_id=OTHER_PROJECT)

    answer = api.ask(f"/v2.1/{OTHER_PROJECT}/servers", headers={"X-Project-Id": OTHER_PROJECT})

    assert [server["name"] for server in answer.json["servers"]] == ["vm-1"]


def test_another_project_in_the_url_is_refused(api):
    assert api.refusal(f"/v2.1/{OTHER_PROJECT}/servers") == (
        400,
        "badRequest",
        f"Malformed request URL: URL's project_id '{OTHER_PROJECT}' "
        f"doesn't match Context's project_id '{PROJECT}'",
    )


@pytest.fixture
def lives(top):
    """One server per way of being alive or not."""
    a_server(top, 1, display_name="live")
    a_server(top, 2, display_name="soft", vm_state="soft-delete")
    a_server(top, 3, display_name="dead", vm_state="deleted", deleted=True)
    a_server(top, 4, display_name="odd", vm_state=None)
    a_server(top, 5, display_name="hidden", hidden=True)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["odd", "live"]),
        ("deleted=False", ["odd", "live"]),
        ("deleted=True", ["dead", "soft"]),
        ("deleted=nonsense", ["odd", "live"]),
        ("deleted=true&soft_deleted=false", ["dead", "soft"]),
        ("deleted=true&soft_deleted=", ["dead"]),
        ("deleted=false&soft_deleted=x", ["odd", "soft", "live"]),
        ("changes-since=2000-01-01", ["odd", "dead", "soft", "live"]),
        ("changes-since=2000-01-01&deleted=false", ["odd", "live"]),
        ("status=DELETED", ["dead"]),
        ("status=SOFT_DELETED&deleted=true", ["soft"]),
        ("changes-since=2000-01-01&status=deleted", ["dead"]),
    ],
)
def test_deleted_servers_are_listed_when_asked_for(api, lives, query, names):
    assert api.names(query) == names


def test_a_reader_cannot_ask_for_deleted_servers_but_sees_them_change(reader_api, lives):
    assert reader_api.names("deleted=true") == ["odd", "live"]
    assert "dead" in reader_api.names("changes-since=2000-01-01")


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("changes-since=2026-01-01T12:02:20Z", [3, 2]),
        ("changes-since=2026-01-01T12:02:21Z", [3]),
        ("changes-since=2026-01-01T14:02:20%2B02:00", [3, 2]),
        ("changes-since=2026-01-01T12:02:20", [3, 2]),
        ("changes-before=2026-01-01T12:02:20Z", [2, 1]),
        ("changes-since=2026-01-01T12:02:20Z&changes-before=2026-01-01T12:02:20Z", [2]),
        ("changes-since=2026-01-01T13:00:00Z", []),
    ],
)
@pytest.mark.parametrize("through_feed", [True, False])
def test_changes_are_listed_to_the_second(api, top, query, numbers, through_feed):
    for number in (1, 2, 3):
        a_server(top, number)
    a_server(top, 4, updated_at=None)
    if through_feed:
        top.execute("UPDATE zone_position SET feed_from = '2026-01-01 12:00'")
        top.execute(
            "INSERT INTO server_feed "
            "SELECT zone_id, uuid, updated_at FROM server WHERE updated_at IS NOT NULL"
        )

    assert api.names(query, 66) == [f"vm-{number}" for number in numbers]


def test_a_feed_that_begins_too_late_is_not_trusted(api, top):
    a_server(top, 1)
    top.execute("UPDATE zone_position SET feed_from = %s", (START + timedelta(hours=1),))

    assert api.names("changes-since=2026-01-01T12:00:00Z") == ["vm-1"]


def pages(api, query, minor=1):
    """The names page by page, following the links as clients do."""
    path, found = f"/v2.1/servers/detail?{query}", []
    while path:
        body = api.get(path, minor)
        found.append([server["name"] for server in body["servers"]])
        links = body.get("servers_links", [])
        path = links[0]["href"].removeprefix("http://falconframework.org") if links else None
    return found


def test_links_lead_through_all_pages(api, top):
    for number in range(1, 6):
        a_server(top, number)

    assert pages(api, "limit=2") == [["vm-5", "vm-4"], ["vm-3", "vm-2"], ["vm-1"]]


def test_a_full_last_page_leads_to_an_empty_one(api, top):
    for number in range(1, 5):
        a_server(top, number)

    assert pages(api, "limit=2") == [["vm-4", "vm-3"], ["vm-2", "vm-1"], []]


def test_links_keep_every_repetition_of_a_parameter(api, top):
    for number in range(1, 4):
        a_server(top, number, display_name="same")

    body = api.get(
        "/v2.1/servers/detail?sort_key=display_name&sort_key=host&sort_dir=asc&sort_dir=desc&limit=1"
        "&marker=&status=ACTIVE&status=ERROR"
    )

    (link,) = body["servers_links"]
    assert link["rel"] == "next"
    parts = urlsplit(link["href"])
    assert (parts.scheme, parts.netloc, parts.path) == ("http", "falconframework.org", "/v2.1/servers/detail")
    assert parse_qsl(parts.query) == [
        ("limit", "1"),
        ("marker", uuid_of(1)),
        ("sort_dir", "asc"),
        ("sort_dir", "desc"),
        ("sort_key", "display_name"),
        ("sort_key", "host"),
        ("status", "ACTIVE"),
        ("status", "ERROR"),
    ]


def test_links_have_the_project_of_the_url(api, top):
    a_server(top, 1)

    body = api.get(f"/v2.1/{PROJECT}/servers?limit=1")

    assert body["servers_links"][0]["href"].startswith(
        f"http://falconframework.org/v2.1/{PROJECT}/servers?limit=1&marker="
    )


def test_limit_zero_is_an_empty_list_without_a_link(api, top):
    a_server(top, 1)

    assert api.get("/v2.1/servers?limit=0") == {"servers": []}


@pytest.mark.parametrize("limit", ["3", "03", "9" * 5000])
def test_no_page_is_longer_than_the_operator_allows(pool, top, limit):
    api = Client(pool, page_rows_max=2)
    for number in range(1, 4):
        a_server(top, number)

    assert api.names(f"limit={limit}") == ["vm-3", "vm-2"]
    assert "servers_links" in api.get("/v2.1/servers")


def test_the_last_of_repeated_limits_counts(api, top):
    for number in range(1, 4):
        a_server(top, number)

    assert len(api.names("limit=1&limit=2")) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"deleted": True, "vm_state": "deleted"},
        {"project_id": OTHER_PROJECT},
        {"display_name": "does not match"},
    ],
)
def test_a_marker_need_not_be_in_the_list(api, top, changes):
    for number in (1, 2, 4, 5):
        a_server(top, number)
    marker = a_server(top, 3, **changes)

    assert api.names(f"name=vm&marker={marker}") == ["vm-2", "vm-1"]


@pytest.mark.parametrize("marker", ["no-such-marker", "00000000-0000-0000-0000-000000000000", "x'--"])
def test_an_unknown_marker_is_refused(api, marker):
    assert api.refusal(f"/v2.1/servers?marker={marker}", 96) == (
        400,
        "badRequest",
        f"marker [{marker}] not found",
    )


def test_a_server_in_two_zones_is_listed_once(api, top):
    a_zone(top, 2)
    for zone in (1, 2):
        for number in range(1, 6):
            a_server(top, number, zone_id=zone, source_id=number)

    assert [name for page in pages(api, "limit=2") for name in page] == [
        "vm-5",
        "vm-4",
        "vm-3",
        "vm-2",
        "vm-1",
    ]


SORTED = [
    ("sort_key=display_name&sort_dir=asc", ["a", "B", "c"]),
    ("sort_key=display_name", ["c", "B", "a"]),
    ("sort_key=task_state&sort_dir=asc", ["c", "a", "B"]),
    ("sort_key=task_state&sort_dir=desc", ["B", "a", "c"]),
    ("sort_key=power_state&sort_key=display_name&sort_dir=asc&sort_dir=desc", ["B", "c", "a"]),
    ("sort_key=power_state&sort_key=display_name&sort_dir=asc", ["B", "a", "c"]),
    ("sort_key=uuid&sort_dir=desc", ["c", "B", "a"]),
    ("sort_key=uuid&sort_key=task_state&sort_dir=asc", ["a", "B", "c"]),
    ("sort_dir=asc", ["a", "B", "c"]),
    ("sort_key=host", ["c", "B", "a"]),
]


@pytest.mark.parametrize(("query", "names"), SORTED)
@pytest.mark.parametrize("minor", [1, 96])
def test_servers_are_sorted_without_regard_to_case_and_with_nulls_first(api, top, query, names, minor):
    a_server(top, 1, display_name="a", task_state="rebooting", power_state=4, host="h1")
    a_server(top, 2, display_name="B", task_state="spawning", power_state=1, host="h2")
    a_server(top, 3, display_name="c", task_state=None, power_state=4, host="h3")

    assert api.names(query, minor) == names


def test_an_ignored_sort_key_takes_its_direction_along(api, top):
    a_server(top, 1, display_name="b")
    a_server(top, 2, display_name="a")

    query = "sort_key=memory_mb&sort_key=display_name&sort_dir=desc&sort_dir=asc"
    assert api.names(query, 74) == ["a", "b"]
    assert api.names("sort_key=id&sort_dir=desc", 74) == ["a", "b"]


def test_locked_sorts_from_2_73_on(api, top):
    a_server(top, 1, locked=True)
    a_server(top, 2, locked=False)

    assert api.names("sort_key=locked&sort_dir=desc", 73) == ["vm-1", "vm-2"]
    assert api.names("sort_key=locked&sort_dir=desc", 72) == ["vm-2", "vm-1"]
