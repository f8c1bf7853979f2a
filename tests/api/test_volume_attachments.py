# SPDX-License-Identifier: Apache-2.0
"""The volumes of a server at each microversion."""

import pytest

from tests.store.builders import a_server

VOLUMES = {
    "2": {"id": "v2", "device": "/dev/vdb", "delete_on_termination": True, "tag": "db", "attachment_id": "at"}
    | {"bdm_uuid": "bdm"},
    "10": {"id": "v10", "device": None, "delete_on_termination": False, "tag": None, "attachment_id": None},
}


@pytest.fixture
def uuid(top):
    return a_server(top, volumes=VOLUMES)


def attachments(api, uuid, minor, query=""):
    return api.get(f"/v2.1/servers/{uuid}/os-volume_attachments?{query}", minor)["volumeAttachments"]


@pytest.mark.parametrize(
    ("minor", "first", "others"),
    [
        (1, {"id": "v2"}, [{"id": "v10"}]),
        (69, {"id": "v2"}, [{"id": "v10"}]),
        (70, {"id": "v2", "tag": "db"}, [{"id": "v10", "tag": None}]),
        (
            79,
            {"id": "v2", "tag": "db", "delete_on_termination": True},
            [{"id": "v10", "tag": None, "delete_on_termination": False}],
        ),
        (
            89,
            {"tag": "db", "delete_on_termination": True, "attachment_id": "at", "bdm_uuid": "bdm"},
            [],
        ),
    ],
)
def test_each_microversion_has_novas_keys(api, uuid, minor, first, others):
    first |= {"volumeId": "v2", "serverId": uuid, "device": "/dev/vdb"}
    others = [each | {"volumeId": "v10", "serverId": uuid} for each in others]

    assert attachments(api, uuid, minor) == [first, *others]
    assert api.get(f"/v2.1/servers/{uuid}/os-volume_attachments/v2", minor) == {"volumeAttachment": first}


def test_one_that_has_no_attachment_yet_is_not_found_where_that_is_shown(api, uuid):
    path = f"/v2.1/servers/{uuid}/os-volume_attachments/v10"

    assert api.ask(path, 88).status_code == 200
    assert api.refusal(path, 89)[0::2] == (404, f"Instance {uuid} is not attached to volume v10")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("limit=1", ["v2"]),
        ("limit=0", ["v2", "v10"]),
        ("offset=1", ["v10"]),
        ("limit=1&offset=1", ["v10"]),
        ("offset=99999999999999999999", []),
        ("limit=1&limit=9", ["v2", "v10"]),
    ],
)
def test_a_part_can_be_asked_for(api, uuid, query, found):
    assert [each["id"] for each in attachments(api, uuid, 1, query)] == found


def test_a_limit_that_is_no_number_is_refused(api, uuid):
    assert api.refusal(f"/v2.1/servers/{uuid}/os-volume_attachments?limit=x")[0] == 400


def test_a_server_without_volumes_has_none(api, top):
    uuid = a_server(top)

    assert attachments(api, uuid, 1) == []
    assert api.refusal(f"/v2.1/servers/{uuid}/os-volume_attachments/v2")[0] == 404
