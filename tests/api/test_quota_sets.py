# SPDX-License-Identifier: Apache-2.0
"""Quota sets: a project's, a user's in it, the defaults, with what is used, at each microversion, policy."""

import pytest

from tests.store.builders import OTHER_PROJECT, PROJECT, USER, a_server
from tests.store.mirrored_rows import a_region, a_row, a_server_group

PATH = f"/v2.1/os-quota-sets/{PROJECT}"
LATEST = {
    "id": PROJECT,
    "cores": 20,
    "instances": 10,
    "key_pairs": 100,
    "metadata_items": 128,
    "ram": 51200,
    "server_group_members": 10,
    "server_groups": 10,
}
FILES = {"injected_files": 5, "injected_file_content_bytes": 10240, "injected_file_path_bytes": 255}
NETWORK = dict.fromkeys(("fixed_ips", "floating_ips", "security_groups", "security_group_rules"), -1)


@pytest.fixture
def top(top):
    a_region(top)
    return top


@pytest.mark.parametrize(
    ("minor", "expected"), [(1, LATEST | FILES | NETWORK), (36, LATEST | FILES), (57, LATEST)]
)
def test_the_resources_of_a_microversion(api, top, minor, expected):
    for path in ("", "/defaults"):
        assert api.get(PATH + path, minor) == {"quota_set": expected}
    assert set(api.get(f"{PATH}/detail", minor)["quota_set"]) == set(expected)


def test_a_users_quota_counts_before_the_projects_and_that_before_the_defaults(api, top):
    a_row(top, "quota_classes", class_name="default", resource="cores", hard_limit=1)
    a_row(top, "quotas", project_id=PROJECT, resource="cores", hard_limit=2)
    a_row(top, "quotas", project_id=PROJECT, resource="ram", hard_limit=3)
    a_row(top, "project_user_quotas", project_id=PROJECT, user_id=USER, resource="cores", hard_limit=4)

    def limits(path):
        found = api.get(PATH + path, 57)["quota_set"]
        return found["cores"], found["ram"]

    assert limits("/defaults") == (1, 51200)
    assert limits("") == limits("?user_id=") == (2, 3)
    assert limits(f"?user_id={USER}") == (4, 3)


def test_the_long_form_says_what_is_used(api, top):
    a_server(top, vcpus=2, memory_mb=10)
    a_server(top, vcpus=3, memory_mb=20, user_id="another")
    a_server_group(top, "mine", user_id="another")

    whole = api.get(f"{PATH}/detail", 57)["quota_set"]
    of_user = api.get(f"{PATH}/detail?user_id={USER}", 57)["quota_set"]

    assert whole["cores"] == {"limit": 20, "in_use": 5, "reserved": 0}
    assert whole["server_groups"] == {"limit": 10, "in_use": 1, "reserved": 0}
    assert whole["key_pairs"] == {"limit": 100, "in_use": 0, "reserved": 0}
    assert [of_user[name]["in_use"] for name in ("instances", "cores", "ram", "server_groups")] == [
        1,
        2,
        10,
        0,
    ]


def test_parameters_are_refused_from_2_75_on_but_for_the_defaults(api, top):
    for path in ("", "/detail"):
        assert api.get(f"{PATH}{path}?foo=1", 74)
        assert api.refusal(f"{PATH}{path}?foo=1", 75)[0] == 400
    assert api.get(f"{PATH}/defaults?foo=1", 104)


def test_a_project_sees_its_own_and_everybodys_defaults(reader_api, top):
    other = f"/v2.1/os-quota-sets/{OTHER_PROJECT}"

    assert reader_api.get(PATH)
    assert reader_api.get(f"{PATH}/detail")
    assert reader_api.get(f"{other}/defaults")
    for path, rule in (("", "show"), ("/detail", "detail")):
        message = f"Policy doesn't allow os_compute_api:os-quota-sets:{rule} to be performed."
        assert reader_api.refusal(other + path)[::2] == (403, message)
