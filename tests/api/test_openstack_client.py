# SPDX-License-Identifier: Apache-2.0
"""The real `openstack` client over HTTP: every option of `server list`, and the other nouns that it lists."""

import json

import pytest

from tests.api.conftest import serving
from tests.api.openstack_session import run_openstack
from tests.store.builders import IMAGE, OTHER_PROJECT, a_server, uuid_of
from tests.store.mirrored_rows import (
    a_compute_node,
    a_flavor,
    a_region,
    a_server_group,
    a_service,
    an_aggregate,
)
from treetop.api.app import make_app
from treetop.api.auth import noauth
from treetop.api.options import ApiOptions

SIX = [
    {
        "version": 6,
        "addr": "2001:db8::7",
        "OS-EXT-IPS:type": "fixed",
        "OS-EXT-IPS-MAC:mac_addr": "fa:16:3e:00:00:07",
    }
]


@pytest.fixture
def endpoint(pool, top):
    """The URL of the API with an image service beside it, which the client asks for names of images."""
    app = make_app(pool, authenticator=noauth, options=ApiOptions())

    def with_images(environ, start_response):
        image = {"id": IMAGE, "name": "debian", "status": "active"}
        path = environ["PATH_INFO"].removeprefix("/v2.1")
        if not path.startswith("/images"):
            return app(environ, start_response)
        document = image if path.endswith(IMAGE) else {"images": [image]}
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(document).encode()]

    with serving(with_images) as port:
        yield f"http://127.0.0.1:{port}/v2.1"


@pytest.fixture
def cloud(top):
    """Eight servers of the project, one of another, and what else a region has."""
    a_region(top)
    tiny, huge = (a_flavor(top, name, extra_specs={"hw:cpu_policy": "shared"}) for name in ("tiny", "huge"))
    plain = {"project_id": "demo", "image_ref": "other", "instance_type_id": tiny}
    specials = {
        "by-address": {"fixed_ips": " 10.9.9.9 ", "addresses": {"lab": []}},
        "by-address-6": {"fixed_ips": " 2001:db8::7 ", "addresses": {"lab": SIX}},
        "by-image": {"image_ref": IMAGE},
        "by-host": {"host": "compute-9", "node": "node-9"},
        "by-text": {
            "reservation_id": "r-special",
            "availability_zone": "az-9",
            "key_name": "key-9",
            "config_drive": "True",
            "user_id": OTHER_PROJECT,
        },
        "by-state": {"vm_state": "error", "task_state": "deleting", "power_state": 4, "progress": 42},
        "by-lock": {"locked": True, "locked_by": "admin", "tags": {"red": True, "blue": True}},
        "by-flavor": {"flavor_id": "huge", "flavor_name": "m1.huge", "instance_type_id": huge},
    }
    for number, (name, changes) in enumerate(specials.items(), 1):
        a_server(top, number, display_name=name, **plain | changes)
    a_server(top, 20, display_name="gone", deleted=True, vm_state="deleted", **plain)
    a_server(top, 21, display_name="theirs", project_id=OTHER_PROJECT)
    a_service(top, "compute-1")
    a_compute_node(top, "compute-1")
    an_aggregate(top, "fast", hosts=("compute-1",), metadata={"availability_zone": "az-1", "ssd": "true"})
    a_server_group(top, "apart", members=(uuid_of(1),), project_id="demo")


#: The options of `server list` -> the names that it shows, newest first.
LISTS = {
    "": ["by-flavor", "by-lock", "by-state", "by-text", "by-host", "by-image", "by-address-6", "by-address"],
    "--all-projects --name theirs": ["theirs"],
    "--reservation-id r-special": ["by-text"],
    "--ip 10.9.9": ["by-address"],
    "--ip6 2001:db8": ["by-address-6"],
    "--name ^by-addr": ["by-address-6", "by-address"],
    "--status ERROR": ["by-state"],
    "--flavor huge": ["by-flavor"],
    f"--image {IMAGE}": ["by-image"],
    "--host compute-9": ["by-host"],
    "--deleted": ["gone"],
    "--availability-zone az-9": ["by-text"],
    "--key-name key-9": ["by-text"],
    "--config-drive": [],  # found, and thrown away by the client, which holds "True" against True
    "--no-config-drive --name by-text": [],
    "--progress 42": ["by-state"],
    "--vm-state error": ["by-state"],
    "--task-state deleting": ["by-state"],
    "--power-state shutdown": ["by-state"],
    "--long --name by-flavor": ["by-flavor"],
    "-n --name by-flavor": ["by-flavor"],
    "--name-lookup-one-by-one --name by-image": ["by-image"],
    "--limit 2": ["by-flavor", "by-lock"],
    f"--marker {uuid_of(3)}": ["by-address-6", "by-address"],
    "--max-items 1": ["by-flavor"],
    "--changes-since 2026-01-01T12:07:00Z": ["by-flavor", "by-lock"],
    "--deleted --changes-since 2026-01-01T12:07:00Z": ["gone"],
    "--changes-before 2026-01-01T12:01:30Z": ["by-address"],
    "--locked": ["by-lock"],
    "--unlocked --name by-[ls]": ["by-state"],
    "--tags red --tags blue": ["by-lock"],
    "--not-tags red --limit 1": ["by-flavor"],
}
OTHERS = {
    "by name": "server show by-host",
    "by id": f"server show {uuid_of(4)}",
    "hypervisors": "hypervisor list --long",
    "services": "compute service list",
    "aggregates": "aggregate list --long",
    "zones": "availability zone list --compute --long",
    "flavors": "flavor list --long --all",
    "groups": "server group list --long",
    "usage": "usage list --start 2026-01-01 --end 2026-01-03",
    "limits": "limits show --absolute",
}


@pytest.fixture
def answers(endpoint, cloud):
    """What each command printed; all in one process, which takes seconds to start."""
    commands = {options: f"server list {options}" for options in LISTS} | OTHERS
    return run_openstack(
        commands,
        {"OS_AUTH_TYPE": "none", "OS_ENDPOINT": endpoint, "OS_IDENTITY_API_VERSION": "3"},
    )


def test_every_list_of_the_client_shows_what_it_asks_for(answers):
    assert {options: [row["Name"] for row in answers[options]] for options in LISTS} == LISTS

    (long,) = answers["--long --name by-flavor"]
    assert long["Host"] == "compute-1.example.org"
    assert (long["Power State"], long["Networks"]) == (1, {"lab": ["10.0.0.5"]})
    assert (answers["--name ^by-addr"][0]["Flavor"], answers[f"--image {IMAGE}"][0]["Image"]) == (
        "m1.tiny",
        "debian",
    )

    assert answers["by name"]["id"] == answers["by id"]["id"] == uuid_of(4)
    assert answers["by id"]["name"] == "by-host"

    (hypervisor,) = answers["hypervisors"]
    assert hypervisor["Hypervisor Hostname"] == "compute-1"
    (service,) = answers["services"]
    assert (service["Host"], service["Zone"], service["State"]) == ("compute-1", "az-1", "up")
    (aggregate,) = answers["aggregates"]
    assert (aggregate["Name"], aggregate["Availability Zone"]) == ("fast", "az-1")
    assert (aggregate["Hosts"], aggregate["Properties"]) == (["compute-1"], {"ssd": "true"})
    assert {zone["Zone Name"] for zone in answers["zones"]} >= {"az-1"}
    assert [flavor["Name"] for flavor in answers["flavors"]] == ["m1.huge", "m1.tiny"]
    assert answers["flavors"][0]["Properties"] == {"hw:cpu_policy": "shared"}
    (group,) = answers["groups"]
    assert (group["Name"], group["Policy"], group["Members"]) == ("apart", "affinity", [uuid_of(1)])
    hours = {row["Project"]: row["CPU Hours"] for row in answers["usage"]}
    assert hours["demo"] > hours[OTHER_PROJECT] > 35
    limits = {row["Name"]: row["Value"] for row in answers["limits"]}
    assert (limits["total_instances_used"], limits["total_ram_used"]) == (8, 8 * 512)
