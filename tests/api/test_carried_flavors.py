# SPDX-License-Identifier: Apache-2.0
"""Flavors while no region's own database is registered: those that live servers carry, in Nova's documents."""

import json

import pytest

from tests.store.builders import FLAVOR, a_server
from tests.store.mirrored_rows import a_region

DETAIL = {
    "id",
    "name",
    "ram",
    "disk",
    "vcpus",
    "swap",
    "links",
    "OS-FLV-EXT-DATA:ephemeral",
    "OS-FLV-DISABLED:disabled",
    "os-flavor-access:is_public",
    "rxtx_factor",
}


def flavor(top, flavor_id, **changes):
    name = changes.get("original_name", f"m1.{flavor_id}")
    document = json.dumps(FLAVOR | {"original_name": name} | changes)
    a_server(top, flavor_id=flavor_id, flavor_name=name, flavor=document)


@pytest.fixture
def three(top):
    flavor(top, "2", ram=2048, disk=20, original_name="a")
    flavor(top, "1", ram=1024, disk=40, original_name="c")
    flavor(top, "3", ram=4096, disk=10, original_name="b", swap=512)
    flavor(top, "2", ram=2048, disk=20, original_name="a")


def ids(api, query="", minor=1):
    return [flavor["id"] for flavor in api.get(f"/v2.1/flavors?{query}", minor)["flavors"]]


def test_each_flavor_of_a_live_server_is_there_once(api, top, three):
    a_server(top, flavor_id="gone", deleted=True)
    a_server(top, flavor_id=None, flavor=None)

    assert ids(api) == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("minor", "keys"),
    [
        (1, DETAIL),
        (54, DETAIL),
        (55, DETAIL | {"description"}),
        (61, DETAIL | {"description", "extra_specs"}),
        (101, DETAIL | {"description", "extra_specs"}),
    ],
)
def test_documents_grow_with_the_microversion(api, three, minor, keys):
    detailed = api.get("/v2.1/flavors/detail", minor)["flavors"]
    short = api.get("/v2.1/flavors", minor)["flavors"]
    one = api.get("/v2.1/flavors/1", minor)["flavor"]

    assert all(set(document) == keys for document in (*detailed, one))
    assert {key for document in short for key in document} == {"id", "name", "links"} | (
        keys & {"description"}
    )


def test_values_are_the_servers(api, three):
    found = api.get("/v2.1/flavors/3", 61)["flavor"]

    assert (found["name"], found["ram"], found["disk"], found["vcpus"]) == ("b", 4096, 10, 1)
    assert found["extra_specs"] == FLAVOR["extra_specs"]
    assert found["links"][0]["href"] == "http://falconframework.org/v2.1/flavors/3"


def test_no_swap_is_an_empty_text_before_2_75(api, three):
    assert api.get("/v2.1/flavors/1", 74)["flavor"]["swap"] == ""
    assert api.get("/v2.1/flavors/1", 75)["flavor"]["swap"] == 0
    assert api.get("/v2.1/flavors/3", 1)["flavor"]["swap"] == 512


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("is_public=None", ["1", "2", "3"]),
        ("is_public=false", []),
        ("minRam=2048", ["2", "3"]),
        ("minDisk=20", ["1", "2"]),
        ("sort_key=name", ["2", "3", "1"]),
        ("sort_key=memory_mb&sort_dir=desc", ["3", "2", "1"]),
        ("sort_dir=desc", ["3", "2", "1"]),
        ("limit=0", []),
        ("marker=1", ["2", "3"]),
        ("limit=1&marker=2", ["3"]),
        ("unknown=1", ["1", "2", "3"]),
    ],
)
def test_flavors_are_chosen_and_sorted(api, three, query, expected):
    assert ids(api, query) == expected


def test_a_full_page_has_a_link_to_the_next(api, three):
    body = api.get("/v2.1/flavors/detail?limit=2")

    assert body["flavors_links"] == [
        {"rel": "next", "href": "http://falconframework.org/v2.1/flavors/detail?limit=2&marker=2"}
    ]
    assert "flavors_links" not in api.get("/v2.1/flavors?limit=5")


@pytest.mark.parametrize(
    ("query", "minor", "message"),
    [
        ("marker=9", 1, "marker [9] not found"),
        ("minRam=x", 1, "Invalid minRam filter [x]"),
        ("foo=1", 75, "Additional properties are not allowed ('foo' was unexpected)"),
    ],
)
def test_bad_parameters_are_refused(api, three, query, minor, message):
    assert api.refusal(f"/v2.1/flavors?{query}", minor) == (400, "badRequest", message)


def test_an_unknown_flavor_is_not_found(api, three):
    assert api.refusal("/v2.1/flavors/m1.tiny") == (
        404,
        "itemNotFound",
        "Flavor m1.tiny could not be found.",
    )


def test_a_region_whose_database_has_not_been_read_yet_changes_nothing(api, top, three):
    a_region(top, lag_seconds=None, state="loading")

    assert ids(api) == ["1", "2", "3"]


@pytest.mark.parametrize("has_other", [False, True])
def test_a_region_that_was_never_read_is_named_as_what_is_missing(api, top, has_other):
    a_region(top, lag_seconds=None, state="loading", name="unread")
    if has_other:
        a_region(top, 101, name="read")

    headers = api.ask("/v2.1/flavors").headers

    assert "unread;state=loading" in headers["Treetop-Zones-Stale"]
    assert "Treetop-As-Of" not in headers
