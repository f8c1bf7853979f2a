# SPDX-License-Identifier: Apache-2.0
"""`[proxy] nova_endpoint`: what can be written, what is refused, and that a refusal repeats no password."""

import pytest

from treetop.api.nova_endpoints import NovaEndpoint, parse_endpoints
from treetop.errors import Refuse


def test_nothing_is_no_proxy():
    assert parse_endpoints([]) is None


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://nova:8774", "http://nova:8774"),
        ("http://nova:8774/", "http://nova:8774"),
        ("http://nova:8774/v2.1", "http://nova:8774"),
        ("https://cloud.example/compute/v2.1/", "https://cloud.example/compute"),
        ("http://[::1]:8774/v2.1", "http://[::1]:8774"),
    ],
)
def test_a_url_is_what_a_catalog_holds(url, base):
    found = parse_endpoints([url])

    assert found.anywhere == NovaEndpoint(url=base, region=None)
    assert parse_endpoints([f"One: two:{url}"]).by_region == {
        "One: two": NovaEndpoint(url=base, region="One: two")
    }


def test_regions_have_one_each():
    found = parse_endpoints(["A:http://a", "B:https://b/v2.1"])

    assert {region: endpoint.url for region, endpoint in found.by_region.items()} == {
        "A": "http://a",
        "B": "https://b",
    }


@pytest.mark.parametrize(
    "items",
    [
        ["nova:8774"],
        ["http://"],
        ["http://nova:port"],
        ["http://nova:99999"],
        ["ftp://nova"],
        ["http://u:sw0rdfish@nova"],
        ["A:http://u:sw0rdfish@nova"],
        ["http://nova/v2.1/%(tenant_id)s"],
        ["http://nova?sw0rdfish"],
        ["http://[::1"],
        ["http://a", "http://b"],
        ["http://a", "A:http://b"],
        ["A:http://a", "A:http://b"],
        [""],
    ],
)
def test_what_cannot_be_meant_is_refused(items):
    with pytest.raises(Refuse) as refused:
        parse_endpoints(items)

    assert refused.value.hint
    assert "sw0rdfish" not in f"{refused.value} {refused.value.hint}"
