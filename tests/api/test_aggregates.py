# SPDX-License-Identifier: Apache-2.0
"""Host aggregates: documents, one by its number, regions that have the same number, policy."""

import pytest

from tests.store.builders import a_zone
from tests.store.mirrored_rows import a_region, a_service, an_aggregate

PATH = "/v2.1/os-aggregates"


@pytest.fixture
def top(top):
    a_region(top)
    return top


def test_a_document_holds_the_row(api, top):
    metadata = {"availability_zone": "az-1", "ssd": "yes"}
    an_aggregate(
        top, "fast", id=4, uuid="u", hosts=["c2", "c1"], metadata=metadata, updated_at="2026-01-02 03:04:05.6"
    )

    old = {
        "id": 4,
        "name": "fast",
        "hosts": ["c2", "c1"],
        "metadata": metadata,
        "availability_zone": "az-1",
        "created_at": "2026-01-01T12:00:00.000000",
        "updated_at": "2026-01-02T03:04:05.600000",
        "deleted": False,
        "deleted_at": None,
    }
    for minor, document in ((1, old), (40, old), (41, old | {"uuid": "u"}), (104, old | {"uuid": "u"})):
        assert api.get(PATH, minor) == {"aggregates": [document]}
        assert api.get(f"{PATH}/4", minor) == {"aggregate": document}


def test_one_without_hosts_and_metadata_has_empty_ones(api, top):
    an_aggregate(top, "empty", id=1)

    found = api.get(f"{PATH}/1")["aggregate"]

    assert (found["hosts"], found["metadata"], found["availability_zone"]) == ([], {}, None)


def test_they_come_by_number_and_the_first_region_counts(api, top):
    a_region(top, 101, name="a-region")
    an_aggregate(top, "two", id=2)
    an_aggregate(top, "one", id=1)
    an_aggregate(top, "two of a-region", id=2, zone_id=101, hosts=["c9"])

    found = api.get(PATH)["aggregates"]

    assert [(each["name"], each["hosts"]) for each in found] == [("one", []), ("two of a-region", ["c9"])]


def test_hosts_of_a_cell_that_keeps_them_to_itself_are_not_shown(api, top):
    an_aggregate(top, "mixed", id=1, hosts=["open-host", "closed-host"])
    a_service(top, "open-host")
    assert api.get(f"{PATH}/1")["aggregate"]["hosts"] == ["open-host", "closed-host"]

    a_zone(top, 2, trust="servers")

    assert api.get(f"{PATH}/1")["aggregate"]["hosts"] == ["open-host"]
    assert api.get(PATH)["aggregates"][0]["hosts"] == ["open-host"]


def test_another_regions_host_of_the_same_name_shows_none(api, top):
    an_aggregate(top, "closed", id=1, hosts=["compute-1"])
    a_zone(top, 2, trust="servers")
    a_zone(top, 3)
    top.execute("UPDATE zone SET region = 'other' WHERE id = 3")
    a_service(top, "compute-1", zone_id=3)

    assert api.get(f"{PATH}/1")["aggregate"]["hosts"] == []


def test_where_a_cell_decides_what_is_shown_the_answer_is_as_old_as_that(api, top):
    a_zone(top, 3, lag_seconds=50)
    assert float(api.ask(PATH).headers["Treetop-Max-Lag"]) < 50

    a_zone(top, 2, trust="servers")

    assert float(api.ask(PATH).headers["Treetop-Max-Lag"]) >= 50


@pytest.mark.parametrize(
    ("aggregate_id", "status", "message"),
    [
        ("9", 404, "Aggregate 9 could not be found."),
        ("-1", 404, "Aggregate -1 could not be found."),
        ("9" * 30, 404, f"Aggregate {'9' * 30} could not be found."),
        ("x", 400, "Invalid input received: id must be an integer"),
    ],
)
def test_what_is_not_there(api, aggregate_id, status, message):
    assert api.refusal(f"{PATH}/{aggregate_id}")[::2] == (status, message)


def test_unknown_parameters_are_refused_from_2_102_on(api):
    assert api.get(f"{PATH}?foo=1", 101) == {"aggregates": []}
    assert api.refusal(f"{PATH}?foo=1", 102)[0] == 400


def test_only_administrators_see_aggregates(reader_api, top):
    for path, rule in ((PATH, "index"), (f"{PATH}/1", "show")):
        message = f"Policy doesn't allow os_compute_api:os-aggregates:{rule} to be performed."
        assert reader_api.refusal(path)[::2] == (403, message)
