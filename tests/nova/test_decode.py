# SPDX-License-Identifier: Apache-2.0
"""Nova's JSON columns become the JSON text of API answers."""

import json

import pytest

from treetop.errors import StopZone
from treetop.nova.decode import decode_addresses, decode_flavor, decode_trusted_certs


def a_flavor(**changes: object) -> dict[str, object]:
    data = {
        "id": 3,
        "flavorid": "42",
        "name": "m1.small",
        "memory_mb": 2048,
        "vcpus": 1,
        "root_gb": 20,
        "ephemeral_gb": 0,
        "swap": 0,
        "extra_specs": {"hw:cpu_policy": "shared"},
    }
    return {"nova_object.name": "Flavor", "nova_object.data": data | changes}


def a_vif(label: str, *ips: dict[str, object], mac: str = "fa:16:3e:00:00:01") -> dict[str, object]:
    return {"address": mac, "network": {"label": label, "subnets": [{"ips": list(ips)}]}}


def fixed(address: str, *floating: str, version: int = 4) -> dict[str, object]:
    return {
        "address": address,
        "type": "fixed",
        "version": version,
        "floating_ips": [{"address": each, "type": "floating", "version": 4} for each in floating],
    }


def test_the_flavor_is_the_current_one_also_during_a_resize() -> None:
    text = json.dumps({"cur": a_flavor(), "old": a_flavor(name="old"), "new": a_flavor(name="new")})

    flavor = decode_flavor(text)

    assert (flavor.flavor_id, flavor.name) == ("42", "m1.small")
    assert json.loads(flavor.document or "") == {
        "vcpus": 1,
        "ram": 2048,
        "disk": 20,
        "ephemeral": 0,
        "swap": 0,
        "original_name": "m1.small",
        "extra_specs": {"hw:cpu_policy": "shared"},
    }


@pytest.mark.parametrize("text", [None, ""])
def test_no_flavor_is_no_flavor(text: str | None) -> None:
    assert decode_flavor(text) == (None, None, None)


def test_fixed_addresses_come_before_floating_ones_and_vifs_of_a_label_are_joined() -> None:
    text = json.dumps(
        [
            a_vif("blue", fixed("10.0.0.5", "203.0.113.9")),
            a_vif("blue", fixed("10.0.0.6"), mac="fa:16:3e:00:00:02"),
            a_vif("green", fixed("2001:db8::5", version=6)),
        ]
    )

    addresses = decode_addresses(text)

    document = json.loads(addresses.document or "")
    assert [each["addr"] for each in document["blue"]] == ["10.0.0.5", "10.0.0.6", "203.0.113.9"]
    assert document["blue"][2] == {
        "version": 4,
        "addr": "203.0.113.9",
        "OS-EXT-IPS:type": "floating",
        "OS-EXT-IPS-MAC:mac_addr": "fa:16:3e:00:00:01",
    }
    assert [each["version"] for each in document["green"]] == [6]
    assert addresses.fixed_ips == " 10.0.0.5 10.0.0.6 2001:db8::5 "


@pytest.mark.parametrize("text", [None, "", "[]"])
def test_an_empty_cache_has_no_addresses(text: str | None) -> None:
    assert decode_addresses(text) == (None, None)


def test_a_network_without_addresses_is_listed_empty() -> None:
    assert decode_addresses(json.dumps([a_vif("blue")])).document == '{"blue":[]}'


def test_trusted_certificates_are_their_ids() -> None:
    assert decode_trusted_certs('{"nova_object.data": {"ids": ["a", "b"]}}') == '["a","b"]'
    assert decode_trusted_certs(None) is None


@pytest.mark.parametrize("text", ["{", "[1]", '{"cur": {"x": 1}}', '{"cur": 3}'])
def test_what_nova_does_not_write_stops_the_zone(text: str) -> None:
    with pytest.raises(StopZone, match=r"instance_extra\.flavor") as caught:
        decode_flavor(text)

    assert caught.value.hint


def test_a_swap_that_is_no_number_stops_the_zone() -> None:
    with pytest.raises(StopZone, match=r"instance_extra\.flavor"):
        decode_flavor(json.dumps({"cur": a_flavor(swap="x")}))


def test_an_address_without_address_is_shown_as_nova_has_it() -> None:
    addresses = decode_addresses(json.dumps([a_vif("blue", {"type": "fixed", "version": 4})]))

    assert json.loads(addresses.document or "")["blue"][0]["addr"] is None
    assert addresses.fixed_ips is None


@pytest.mark.parametrize("text", ["{", '{"a": 1}', "[3]", '[{"network": {"subnets": [3]}}]'])
def test_addresses_that_nova_does_not_write_stop_the_zone(text: str) -> None:
    with pytest.raises(StopZone, match="network_info"):
        decode_addresses(text)
