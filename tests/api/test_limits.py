# SPDX-License-Identifier: Apache-2.0
"""Limits: what a project may use by defaults, class and quota, what it uses, at each microversion, policy."""

import pytest

from tests.api.conftest import Client
from tests.store.builders import OTHER_PROJECT, PROJECT, a_server
from tests.store.mirrored_rows import a_region, a_row, a_server_group
from treetop.api.deploy import deploy
from treetop.config import load_settings
from treetop.errors import Refuse

PATH = "/v2.1/limits"
LATEST = {
    "maxTotalRAMSize": 51200,
    "maxTotalInstances": 10,
    "maxTotalCores": 20,
    "maxTotalKeypairs": 100,
    "maxServerMeta": 128,
    "maxServerGroups": 10,
    "maxServerGroupMembers": 10,
    "totalRAMUsed": 0,
    "totalCoresUsed": 0,
    "totalInstancesUsed": 0,
    "totalServerGroupsUsed": 0,
}
FILES = {"maxPersonality": 5, "maxPersonalitySize": 10240}
NETWORK = {
    "maxTotalFloatingIps": -1,
    "maxSecurityGroups": -1,
    "maxSecurityGroupRules": -1,
    "totalFloatingIpsUsed": 0,
    "totalSecurityGroupsUsed": 0,
}


def absolute(api, query="", minor=57):
    body = api.get(f"{PATH}?{query}", minor)
    assert set(body["limits"]) == {"rate", "absolute"}
    return body["limits"]["absolute"]


@pytest.mark.parametrize(
    ("minor", "expected"),
    [
        (1, LATEST | FILES | NETWORK | {"maxImageMeta": 128}),
        (35, LATEST | FILES | NETWORK | {"maxImageMeta": 128}),
        (36, LATEST | FILES | {"maxImageMeta": 128}),
        (39, LATEST | FILES),
        (56, LATEST | FILES),
        (57, LATEST),
        (104, LATEST),
    ],
)
def test_without_a_region_the_limits_are_novas_defaults(api, top, minor, expected):
    assert absolute(api, minor=minor) == expected


def test_the_regions_defaults_and_the_projects_quotas_count(api, top):
    a_region(top)
    a_region(top, 101, name="a-region")
    for zone_id, limit in ((100, 1), (101, 2)):
        a_row(top, "quota_classes", zone_id=zone_id, class_name="default", resource="cores", hard_limit=limit)
    a_row(top, "quota_classes", class_name="other", resource="ram", hard_limit=3)
    a_row(top, "quota_classes", class_name="default", resource="key_pairs", hard_limit=4)
    a_row(top, "quotas", project_id=PROJECT, resource="key_pairs", hard_limit=-1)
    a_row(top, "quotas", project_id=OTHER_PROJECT, resource="instances", hard_limit=6)
    a_row(top, "quotas", project_id=PROJECT, resource="what nobody knows", hard_limit=7)

    assert absolute(api) == LATEST | {"maxTotalCores": 2, "maxTotalKeypairs": -1}


def test_the_operators_defaults_are_below_those(pool, top):
    a_region(top)
    api = Client(pool, default_quotas={"cores": -1, "ram": -1})
    a_row(top, "quota_classes", class_name="default", resource="ram", hard_limit=5)

    assert absolute(api) == LATEST | {"maxTotalCores": -1, "maxTotalRAMSize": 5}
    defaults = api.get(f"/v2.1/os-quota-sets/{PROJECT}/defaults", 57)["quota_set"]
    assert (defaults["cores"], defaults["ram"]) == (-1, 5)


def test_a_default_for_what_is_no_resource_is_refused(pool, tmp_path):
    (tmp_path / "treetop.conf").write_text("[api]\ndefault_quotas = coers:5\n")

    with pytest.raises(Refuse, match="coers"):
        deploy(pool, load_settings([str(tmp_path / "treetop.conf")]), None)


def test_what_is_used_are_the_projects_live_servers_and_groups(api, top):
    a_region(top)
    a_server(top, vcpus=2, memory_mb=1000)
    a_server(top, vcpus=3, memory_mb=10)
    a_server(top, deleted=True)
    a_server(top, hidden=True)
    a_server(top, vm_state="soft-delete")
    a_server(top, project_id=OTHER_PROJECT)
    a_server_group(top, "mine")
    a_server_group(top, "theirs", project_id=OTHER_PROJECT)

    used = {name: value for name, value in absolute(api).items() if name.startswith("total")}

    assert used == {
        "totalRAMUsed": 1010,
        "totalCoresUsed": 5,
        "totalInstancesUsed": 2,
        "totalServerGroupsUsed": 1,
    }


def test_an_administrator_sees_another_projects(api, reader_api, top):
    a_server(top, project_id=OTHER_PROJECT)

    assert absolute(api, f"tenant_id={OTHER_PROJECT}")["totalInstancesUsed"] == 1
    for project in (PROJECT, OTHER_PROJECT):
        assert reader_api.refusal(f"{PATH}?tenant_id={project}")[::2] == (
            403,
            "Policy doesn't allow os_compute_api:limits:other_project to be performed.",
        )
    assert absolute(reader_api)["totalInstancesUsed"] == 0


def test_what_the_client_sends_is_refused_from_2_75_on(api, top):
    assert absolute(api, "reserved=False", 74)
    assert api.refusal(f"{PATH}?reserved=False", 75)[::2] == (
        400,
        "Additional properties are not allowed ('reserved' was unexpected)",
    )
