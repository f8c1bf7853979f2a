# SPDX-License-Identifier: Apache-2.0
"""The real `openstack` client with tokens of a real Keystone: each sees its own, an administrator what he names."""

import pytest

from tests.api.conftest import serving
from tests.api.openstack_session import refusals_of, run_openstack
from tests.store.builders import a_server, uuid_of
from treetop.api.deploy import deploy
from treetop.config import load_settings


@pytest.fixture
def endpoint(pool, top, keystone, tmp_path):
    """The URL of the API as it is deployed, over a top with two servers of each project."""
    for number, project in enumerate(("alpha", "alpha", "beta", "beta"), 1):
        user = ("member", "admin")[number % 2]
        owner = {"project_id": keystone.project_ids[project], "user_id": keystone.user_ids[user]}
        a_server(top, number, display_name=f"{project}-{user}", **owner)
    configuration = tmp_path / "treetop.conf"
    configuration.write_text(f"[api]\nauth_strategy = keystone\n{keystone.authtoken_options()}")
    with serving(deploy(pool, load_settings([str(configuration)]), None).application) as port:
        yield f"http://127.0.0.1:{port}/v2.1"


def environment(keystone, endpoint, user):
    """Other tests have put endpoints into the catalog that nobody listens at any more."""
    return keystone.environment(user, "alpha") | {"OS_COMPUTE_ENDPOINT_OVERRIDE": endpoint}


def test_an_administrator_lists_by_project_and_user(endpoint, keystone):
    answers = run_openstack(
        {
            "all": "server list -n --all-projects",
            "own": "server list -n",
            "project": "server list -n --project beta",
            "user": "server list -n --all-projects --user member",
            "one": f"server show {uuid_of(3)}",
            "usage": "usage list --start 2026-01-01 --end 2026-01-03",
        },
        environment(keystone, endpoint, "admin"),
    )

    names = {name: [row["Name"] for row in answers[name]] for name in ("all", "own", "project", "user")}
    assert names == {
        "all": ["beta-member", "beta-admin", "alpha-member", "alpha-admin"],
        "own": ["alpha-member", "alpha-admin"],
        "project": ["beta-member", "beta-admin"],
        "user": ["beta-member", "alpha-member"],
    }
    assert answers["one"]["name"] == "beta-admin"
    assert {row["Project"] for row in answers["usage"]} == {
        keystone.project_ids[name] for name in ("alpha", "beta")
    }


def test_a_member_sees_the_project_and_no_more(endpoint, keystone):
    member = environment(keystone, endpoint, "member")

    answers = run_openstack({"own": "server list -n", "user": "limits show --absolute"}, member)
    refusals = refusals_of(
        {
            "all": "server list -n --all-projects",
            "other": f"server show {uuid_of(3)}",
            "hypervisors": "hypervisor list",
            "services": "compute service list",
        },
        member,
    )

    assert [row["Name"] for row in answers["own"]] == ["alpha-member", "alpha-admin"]
    assert "Policy doesn't allow os_compute_api:servers:detail:get_all_tenants" in refusals["all"]
    assert "No Server found" in refusals["other"]
    assert "403" in refusals["hypervisors"]
    assert "403" in refusals["services"]
