# SPDX-License-Identifier: Apache-2.0
"""Version documents beyond what `test_status` holds: paths that name no version."""

import pytest

from tests.api.conftest import Client


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_path_without_a_version_is_answered_with_the_same_path_below_each(api, method):
    answer = api.ask("/servers/detail?limit=1", None, method=method)

    assert answer.status_code == 300
    assert answer.json == {
        "choices": [
            {
                "id": "v2.1",
                "status": "CURRENT",
                "links": [{"rel": "self", "href": "http://falconframework.org/v2.1/servers/detail"}],
                "media-types": [
                    {"base": "application/json", "type": "application/vnd.openstack.compute+json;version=2.1"}
                ],
            }
        ]
    }


def test_it_begins_with_the_public_url(pool, top):
    api = Client(pool, public_url="https://compute.example.org/")

    (choice,) = api.ask("/v3/%C3%A9%20x", None).json["choices"]

    assert choice["links"][0]["href"] == "https://compute.example.org/v2.1/v3/%C3%A9%20x"


@pytest.mark.parametrize(
    "path", ["/v2", "/v2/servers", "/v2.1/nonsense", "/v1/nonsense", "/v1", "/healthcheck/x"]
)
def test_a_path_with_a_version_is_not(api, path):
    assert api.ask(path, None).status_code == 404
