# SPDX-License-Identifier: Apache-2.0
"""Server groups: documents at each microversion, which members are there, whose groups, pages, policy."""

import pytest

from tests.store.builders import OTHER_PROJECT, PROJECT, USER, a_server, a_zone, uuid_of
from tests.store.mirrored_rows import a_region, a_row, a_server_group

PATH = "/v2.1/os-server-groups"


@pytest.fixture
def top(top):
    a_region(top)
    return top


def names(api, query="", minor=1):
    return [group["name"] for group in api.get(f"{PATH}?{query}", minor)["server_groups"]]


@pytest.mark.parametrize(
    ("minor", "rest"),
    [
        (1, {"policies": ["anti-affinity"], "metadata": {}}),
        (12, {"policies": ["anti-affinity"], "metadata": {}}),
        (13, {"policies": ["anti-affinity"], "metadata": {}, "project_id": PROJECT, "user_id": USER}),
        (63, {"policies": ["anti-affinity"], "metadata": {}, "project_id": PROJECT, "user_id": USER}),
        (
            64,
            {
                "policy": "anti-affinity",
                "rules": {"max_server_per_host": 3},
                "project_id": PROJECT,
                "user_id": USER,
            },
        ),
    ],
)
def test_a_document_holds_the_rows(api, top, minor, rest):
    a_server_group(
        top, "spread", uuid=uuid_of(5), policy="anti-affinity", rules='{"max_server_per_host": "3"}'
    )

    document = {"id": uuid_of(5), "name": "spread", "members": []} | rest
    assert api.get(PATH, minor) == {"server_groups": [document]}
    assert api.get(f"{PATH}/{uuid_of(5)}", minor) == {"server_group": document}


@pytest.mark.parametrize("rules", [None, "", "{}", "no JSON", '{"max_server_per_host": "x"}', '{"other": 1}'])
def test_a_group_without_the_rule_has_none(api, top, rules):
    a_server_group(top, "spread", rules=rules)

    assert api.get(PATH, 64)["server_groups"][0]["rules"] == {}


def test_members_are_those_that_are_there(api, top):
    a_zone(top, 2)
    live, elsewhere = a_server(top, 1), a_server(top, 2, zone_id=2)
    gone, binned = a_server(top, 3, deleted=True), a_server(top, 4, vm_state="soft-delete")
    hidden, waiting, unknown = a_server(top, 5, hidden=True), uuid_of(6), uuid_of(7)
    a_row(top, "instance_mappings", instance_uuid=waiting, project_id=PROJECT, cell_id=None)
    a_row(top, "instance_mappings", instance_uuid=unknown, project_id=PROJECT, cell_id=7)
    group = uuid_of(50)
    a_server_group(
        top,
        "spread",
        uuid=group,
        members=[elsewhere, gone, live, binned, hidden, waiting, unknown, "no uuid", f"urn:uuid:{live}"],
    )
    a_server_group(top, "other", members=[live])

    assert [each["members"] for each in api.get(PATH)["server_groups"]] == [
        [live, elsewhere, waiting],
        [live],
    ]
    assert api.get(f"{PATH}/{group}")["server_group"]["members"] == [live, elsewhere, waiting]


def test_another_projects_member_is_shown_to_administrators_only(api, reader_api, top):
    own, others = a_server(top, 1), a_server(top, 2, project_id=OTHER_PROJECT)
    a_server_group(top, "mixed", uuid=uuid_of(5), members=(own, others))

    assert api.get(PATH)["server_groups"][0]["members"] == [own, others]
    assert reader_api.get(PATH)["server_groups"][0]["members"] == [own]
    assert reader_api.get(f"{PATH}/{uuid_of(5)}")["server_group"]["members"] == [own]


def test_a_project_sees_its_own_and_an_administrator_all_if_asked(api, reader_api, top):
    a_server_group(top, "mine")
    a_server_group(top, "theirs", uuid=uuid_of(9), project_id=OTHER_PROJECT)

    assert names(api) == ["mine"]
    assert names(api, "all_projects") == names(api, "all_projects=False") == ["mine", "theirs"]
    assert names(reader_api, "all_projects=True") == ["mine"]
    assert api.get(f"{PATH}/{uuid_of(9)}")["server_group"]["name"] == "theirs"
    assert reader_api.refusal(f"{PATH}/{uuid_of(9)}")[::2] == (
        404,
        f"Instance group {uuid_of(9)} could not be found.",
    )


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("limit=2", ["a", "b"]),
        ("limit=0", ["a", "b", "c"]),
        ("offset=1", ["b", "c"]),
        ("limit=1&offset=1", ["b"]),
        (f"offset={10**40}", []),
        ("foo=1", ["a", "b", "c"]),
    ],
)
def test_pages(api, top, query, expected):
    for name in "abc":
        a_server_group(top, name)

    assert names(api, query) == expected


@pytest.mark.parametrize(("query", "minor"), [("limit=-1", 1), ("offset=x", 1), ("foo=1", 75)])
def test_bad_parameters_are_refused(api, top, query, minor):
    assert api.refusal(f"{PATH}?{query}", minor)[0] == 400


def test_one_takes_parameters_until_2_102(api, top):
    a_server_group(top, "mine", uuid=uuid_of(9))

    assert api.get(f"{PATH}/{uuid_of(9)}?foo=1", 101)
    assert api.refusal(f"{PATH}/{uuid_of(9)}?foo=1", 102)[0] == 400
