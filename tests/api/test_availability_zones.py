# SPDX-License-Identifier: Apache-2.0
"""Availability zones: which are there, which are available, their hosts, policy."""

import pytest

from tests.store.builders import a_zone
from tests.store.mirrored_rows import START, a_region, a_service, an_aggregate

PATH = "/v2.1/os-availability-zone"


def listed(api, path=PATH):
    found = api.get(path)["availabilityZoneInfo"]
    return [(zone["zoneName"], zone["zoneState"]["available"], zone["hosts"]) for zone in found]


@pytest.fixture
def three(top):
    """az-1 with a silent host, az-2 that is switched off, the conductor; c4 in no aggregate."""
    a_region(top)
    an_aggregate(top, "one", hosts=["c1", "c2"], metadata={"availability_zone": "az-1"})
    an_aggregate(top, "two", hosts=["c3"], metadata={"availability_zone": "az-2"})
    a_service(top, "c1", last_seen_up=None, created_at="2025-01-01")
    a_service(top, "c2", disabled=True)
    a_service(top, "c3", disabled=True)
    a_service(top, "c4")
    a_service(top, "conductor", "nova-conductor")
    a_service(top, "api", "nova-osapi_compute")


def test_everybody_sees_names_and_whether_a_service_in_it_is_enabled(reader_api, three):
    assert listed(reader_api) == [("az-1", True, None), ("nova", True, None), ("az-2", False, None)]


def test_administrators_see_hosts_and_the_internal_zone(api, three):
    def service(is_up=True):
        return {"available": is_up, "active": True, "updated_at": START.strftime("%Y-%m-%dT%H:%M:%S.%f")}

    assert listed(api, f"{PATH}/detail") == [
        ("az-1", True, {"c1": {"nova-compute": service(is_up=False)}}),
        ("internal", True, {"conductor": {"nova-conductor": service()}}),
        ("nova", True, {"c4": {"nova-compute": service()}}),
        ("az-2", False, None),
    ]


def test_zones_of_cells_that_keep_their_hosts_to_themselves_are_those_of_the_aggregates(api, top):
    a_region(top)
    an_aggregate(top, "one", metadata={"availability_zone": "az-1"})
    a_service(top, "c1")
    assert listed(api) == [("nova", True, None)]

    a_zone(top, 2, trust="servers")

    assert listed(api) == [("az-1", True, None), ("nova", True, None)]
    assert listed(api, f"{PATH}/detail")[0] == ("az-1", True, {})


def test_hosts_of_a_region_that_does_not_say_where_they_are_are_put_nowhere(api, top):
    a_region(top, trust="servers")
    an_aggregate(top, "one", metadata={"availability_zone": "az-1"})
    a_service(top, "c1")
    a_service(top, "conductor", "nova-conductor")

    assert listed(api) == [("az-1", True, None)]
    names = [(name, sorted(hosts)) for name, _, hosts in listed(api, f"{PATH}/detail")]
    assert names == [("az-1", []), ("internal", ["conductor"])]


def test_unknown_parameters_are_refused_from_2_102_on(api, top):
    for path in (PATH, f"{PATH}/detail"):
        assert api.get(f"{path}?foo=1", 101) == {"availabilityZoneInfo": []}
        assert api.refusal(f"{path}?foo=1", 102)[0] == 400


def test_only_administrators_see_the_details(reader_api):
    message = "Policy doesn't allow os_compute_api:os-availability-zone:detail to be performed."
    assert reader_api.refusal(f"{PATH}/detail")[::2] == (403, message)
