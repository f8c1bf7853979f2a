# SPDX-License-Identifier: Apache-2.0
"""Flavors of a region's own tables: documents, who sees which, filters, order, pages, extra specs, access."""

import pytest

from tests.store.builders import OTHER_PROJECT, PROJECT
from tests.store.mirrored_rows import REGION, a_flavor, a_region, a_row

BASE = {"id", "name", "ram", "disk", "vcpus", "swap", "links", "OS-FLV-EXT-DATA:ephemeral"}
OLD = BASE | {"os-flavor-access:is_public", "OS-FLV-DISABLED:disabled", "rxtx_factor"}


@pytest.fixture
def top(top):
    a_region(top)
    return top


@pytest.fixture
def five(top):
    """One that everybody may use, one for each project, one for nobody, one that is disabled."""
    a_flavor(top, "all", memory_mb=2048, root_gb=20, extra_specs={"hw:mem": "large"}, description="for all")
    a_flavor(top, "ours", memory_mb=1024, root_gb=40, is_public=False, projects=[PROJECT])
    a_flavor(top, "theirs", is_public=False, projects=[OTHER_PROJECT])
    a_flavor(top, "nobody's", is_public=False)
    a_flavor(top, "off", disabled=True)


def ids(api, query="", minor=1):
    return [flavor["id"] for flavor in api.get(f"/v2.1/flavors?{query}", minor)["flavors"]]


@pytest.mark.parametrize(
    ("minor", "keys"),
    [
        (1, OLD),
        (54, OLD),
        (55, OLD | {"description"}),
        (61, OLD | {"description", "extra_specs"}),
        (101, OLD | {"description", "extra_specs"}),
        (102, BASE | {"os-flavor-access:is_public", "description", "extra_specs"}),
    ],
)
def test_documents_have_the_keys_of_their_microversion(api, five, minor, keys):
    one = api.get("/v2.1/flavors/all", minor)["flavor"]
    listed = api.get("/v2.1/flavors/detail", minor)["flavors"]

    assert set(one) == keys
    assert all(set(flavor) == keys for flavor in listed)
    assert one in listed


def test_a_document_holds_the_row(api, top):
    a_flavor(top, "x", vcpus=4, ephemeral_gb=3, swap=7, rxtx_factor=1.5, extra_specs={"a": "1"})

    assert api.get("/v2.1/flavors/x", 61)["flavor"] == {
        "id": "x",
        "name": "m1.x",
        "description": None,
        "ram": 512,
        "disk": 1,
        "vcpus": 4,
        "swap": 7,
        "OS-FLV-EXT-DATA:ephemeral": 3,
        "OS-FLV-DISABLED:disabled": False,
        "os-flavor-access:is_public": True,
        "rxtx_factor": 1.5,
        "extra_specs": {"a": "1"},
        "links": [
            {"rel": "self", "href": "http://falconframework.org/v2.1/flavors/x"},
            {"rel": "bookmark", "href": "http://falconframework.org/flavors/x"},
        ],
    }


@pytest.mark.parametrize(
    ("query", "seen"),
    [
        ("", ["all", "off", "ours"]),
        ("is_public=True", ["all", "off", "ours"]),
        ("is_public=None", ["all", "nobody's", "off", "ours", "theirs"]),
        ("is_public=no", ["nobody's", "ours", "theirs"]),
    ],
)
def test_an_administrator_chooses_by_publicity(api, five, query, seen):
    assert ids(api, query) == seen


def test_others_see_enabled_flavors_that_are_public_or_theirs(reader_api, five):
    for query in ("", "is_public=None", "is_public=false", "is_public=nonsense"):
        assert ids(reader_api, query) == ["all", "ours"]


def test_others_find_what_they_may_use_disabled_or_not(reader_api, five):
    for flavor_id in ("all", "ours", "off"):
        assert reader_api.get(f"/v2.1/flavors/{flavor_id}")["flavor"]["id"] == flavor_id
    assert reader_api.refusal("/v2.1/flavors/theirs")[::2] == (404, "Flavor theirs could not be found.")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("minRam=1024", ["all", "ours"]),
        ("minDisk=21", ["ours"]),
        ("sort_key=memory_mb&sort_dir=desc", ["all", "ours", "off"]),
        ("sort_key=description", ["ours", "off", "all"]),
        ("sort_key=description&sort_dir=desc&marker=all", ["off", "ours"]),
        ("sort_key=root_gb&marker=all", ["ours"]),
        ("marker=nobody's", ["off", "ours"]),
        ("limit=1&limit=2", ["all", "off"]),
        ("name=M1.a", ["all", "off", "ours"]),
    ],
)
def test_flavors_are_chosen_and_sorted(api, five, query, expected):
    assert ids(api, query) == expected


def test_names_are_patterns_from_2_102_on(api, five):
    assert ids(api, "name=M1.o", 102) == ["off", "ours"]
    assert ids(api, "name=^m1.all$", 102) == ["all"]
    assert ids(api, "name=all%7Cours", 102) == []
    assert api.refusal("/v2.1/flavors?name=a", 101)[0] == 400


@pytest.mark.parametrize(
    ("query", "minor", "message"),
    [
        ("marker=", 1, "marker [] not found"),
        ("marker=9", 1, "marker [9] not found"),
        ("minRam=x", 1, "Invalid minRam filter [x]"),
        ("is_public=maybe", 1, "Invalid is_public filter [maybe]"),
        ("limit=", 1, "Invalid input for query parameters limit. Value: . '' should be non-empty"),
        (
            "sort_dir=up",
            1,
            "Invalid input for query parameters sort_dir. Value: up. 'up' is not one of ['asc', 'desc']",
        ),
        ("foo=1&limit=x", 75, "Additional properties are not allowed ('foo' was unexpected)"),
    ],
)
def test_bad_parameters_are_refused(api, five, query, minor, message):
    assert api.refusal(f"/v2.1/flavors?{query}", minor) == (400, "badRequest", message)


def test_a_pattern_that_cannot_be_read_is_refused(api, five):
    assert api.refusal("/v2.1/flavors?name=(", 102)[0] == 400


def test_the_factor_is_no_sort_key_from_2_102_on(api, five):
    assert ids(api, "sort_key=rxtx_factor", 101)
    assert api.refusal("/v2.1/flavors?sort_key=rxtx_factor", 102)[0] == 400


def test_a_single_flavor_takes_parameters_until_2_102(api, five):
    assert api.get("/v2.1/flavors/all?foo=1", 101)
    assert api.refusal("/v2.1/flavors/all?foo=1", 102)[0] == 400


def test_pages_are_linked(api, five):
    first = api.get(f"/v2.1/{PROJECT}/flavors/detail?is_public=None&limit=3&foo=1")
    (link,) = first["flavors_links"]

    assert link == {
        "rel": "next",
        "href": f"http://falconframework.org/v2.1/{PROJECT}/flavors/detail?is_public=None&limit=3&marker=off",
    }
    rest = api.get(link["href"].removeprefix("http://falconframework.org"))
    assert [flavor["id"] for flavor in rest["flavors"]] == ["ours", "theirs"]
    assert "flavors_links" not in rest


def test_the_first_region_by_name_has_a_flavor_that_two_have(api, top):
    a_region(top, 101, name="a-region")
    a_flavor(top, "1", name="later")
    a_flavor(top, "1", name="first", zone_id=101)
    a_flavor(top, "2", zone_id=101)

    assert ids(api) == ["1", "2"]
    assert api.get("/v2.1/flavors/1")["flavor"]["name"] == "first"


def test_the_answer_is_as_old_as_the_region(api, top):
    top.execute("UPDATE zone_position SET as_of = now() - interval '1 hour' WHERE zone_id = 1")
    top.execute("UPDATE zone_position SET as_of = now() - interval '60 s' WHERE zone_id = %s", (REGION,))

    for path in ("/v2.1/flavors", "/v2.1/flavors/detail"):
        assert 59 < float(api.ask(path).headers["Treetop-Max-Lag"]) < 120


def test_extra_specs_are_listed_and_shown(api, reader_api, five):
    assert reader_api.get("/v2.1/flavors/all/os-extra_specs") == {"extra_specs": {"hw:mem": "large"}}
    assert reader_api.get("/v2.1/flavors/all/os-extra_specs/hw:mem") == {"hw:mem": "large"}
    assert api.get("/v2.1/flavors/ours/os-extra_specs") == {"extra_specs": {}}
    assert api.refusal("/v2.1/flavors/all/os-extra_specs/x")[::2] == (
        404,
        "Flavor all has no extra specs with key x.",
    )
    assert reader_api.refusal("/v2.1/flavors/theirs/os-extra_specs")[0] == 404


def test_access_is_listed_for_administrators(api, reader_api, top, five):
    row_id = a_flavor(top, "two", is_public=False, projects=[PROJECT])
    a_row(top, "flavor_projects", flavor_id=row_id, project_id=OTHER_PROJECT)

    assert api.get("/v2.1/flavors/two/os-flavor-access") == {
        "flavor_access": [
            {"flavor_id": "two", "tenant_id": PROJECT},
            {"flavor_id": "two", "tenant_id": OTHER_PROJECT},
        ]
    }
    assert api.refusal("/v2.1/flavors/all/os-flavor-access")[::2] == (
        404,
        "Access list not available for public flavors.",
    )
    assert reader_api.refusal("/v2.1/flavors/two/os-flavor-access")[::2] == (
        403,
        "Policy doesn't allow os_compute_api:os-flavor-access to be performed.",
    )
