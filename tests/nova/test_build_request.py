# SPDX-License-Identifier: Apache-2.0
"""A build request becomes the columns of a server's row."""

import json

import pytest

from treetop.apply.facets import SERVER_COLUMNS
from treetop.nova.build_request import build_request_columns

UUID = "ab000000-0000-0000-0000-000000000001"


def columns(tags=None, **data):
    instance = json.dumps({"nova_object.data": {"uuid": UUID} | data})
    return build_request_columns(instance, tags, created_at="2026-01-01 00:00:00", updated_at=None)


def test_every_column_of_a_server_that_a_document_shows_is_there():
    shown = set(SERVER_COLUMNS) - {"extra_id", "info_cache_id", "flavor_name"}

    assert set(columns()) == shown


def test_what_nova_did_not_write_is_none():
    assert columns()["display_name"] is columns()["flavor"] is columns()["trusted_certs"] is None
    assert columns()["metadata"] == columns()["tags"] == "{}"
    assert columns()["progress"] == 0


def test_metadata_is_kept_as_its_rows_would_be():
    assert json.loads(columns(metadata={"a": "1", "b": None})["metadata"]) == {
        "0": ["a", "1"],
        "1": ["b", None],
    }


def test_a_host_that_was_asked_for_is_not_where_the_server_is():
    found = columns(host="compute-1", node="compute-1", launched_at="2026-01-01T00:00:00Z", id=7)

    assert found["host"] is found["node"] is found["launched_at"] is found["source_id"] is None
    assert found["host_id"] == ""


@pytest.mark.parametrize(
    "change", [{"flavor": "x"}, {"uuid": None}, {"metadata": [1]}, {"info_cache": {"nova_object.data": []}}]
)
def test_what_nova_does_not_write_is_no_server(change):
    assert columns(**change) is None


@pytest.mark.parametrize("tags", ["{}", "[", '{"nova_object.data": {"objects": [{}]}}'])
def test_tags_that_cannot_be_read_are_no_server(tags):
    assert columns(tags=tags) is None
