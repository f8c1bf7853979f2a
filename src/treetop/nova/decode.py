# SPDX-License-Identifier: Apache-2.0
"""Nova's JSON columns -> the JSON text that API answers paste. Pure.

In: text of `instance_extra.flavor`, `.trusted_certs` and `instance_info_caches.network_info` as Nova writes it
(serialized versioned objects; a list of VIFs). Out: compact JSON text, or None where the column is NULL or empty.
Text that is not what Nova writes raises `StopZone`: a server must not be shown with a wrong flavor or address.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from treetop.errors import StopZone


class Flavor(NamedTuple):
    """A server's embedded flavor. document: JSON text in the form of microversion 2.47 and later."""

    flavor_id: str | None
    name: str | None
    document: str | None


class Addresses(NamedTuple):
    """document: JSON text {label: [{version, addr, OS-EXT-IPS:type, OS-EXT-IPS-MAC:mac_addr}]}.

    fixed_ips: every fixed address between blanks (' 10.0.0.5 2001:db8::5 '), or None without one.
    """

    document: str | None
    fixed_ips: str | None


NO_FLAVOR = Flavor(None, None, None)
NO_ADDRESSES = Addresses(None, None)


@lru_cache(maxsize=1024)  # a zone has few flavors, and Nova rewrites this column without changing it
def decode_flavor(text: str | None) -> Flavor:
    """Read the flavor a server runs with now (`cur`; during a resize Nova shows that one too)."""
    if not text:
        return NO_FLAVOR
    data = _object(_load(text, "instance_extra.flavor").get("cur"), "instance_extra.flavor")
    document = {
        "vcpus": data.get("vcpus"),
        "ram": data.get("memory_mb"),
        "disk": data.get("root_gb"),
        "ephemeral": data.get("ephemeral_gb"),
        "swap": _swap(data.get("swap")),
        "original_name": data.get("name"),
        "extra_specs": data.get("extra_specs") or {},
    }
    return Flavor(data.get("flavorid"), data.get("name"), _dump(document))


def decode_trusted_certs(text: str | None) -> str | None:
    """Read the ids of the trusted image certificates: JSON text of a list, or None."""
    if not text:
        return None
    return _dump(
        _object(_load(text, "instance_extra.trusted_certs"), "instance_extra.trusted_certs").get("ids")
    )


def decode_addresses(text: str | None) -> Addresses:
    """Read the network info cache. Per label: all fixed addresses in order of VIFs, then the floating ones."""
    if not text or text == "[]":
        return NO_ADDRESSES
    fixed: dict[str, list[dict[str, Any]]] = {}
    floating: dict[str, list[dict[str, Any]]] = {}
    try:
        for vif in orjson.loads(text):
            network = vif.get("network") or {}
            label, mac = str(network.get("label")), vif.get("address")
            fixed.setdefault(label, [])
            for subnet in network.get("subnets") or ():
                for ip in subnet.get("ips") or ():
                    fixed[label].append(_address(ip, mac))
                    floating.setdefault(label, []).extend(
                        _address(each, mac) for each in ip.get("floating_ips") or ()
                    )
        ips = [str(entry["addr"]) for entries in fixed.values() for entry in entries if entry["addr"]]
    except (ValueError, AttributeError, TypeError) as error:
        raise _unreadable("instance_info_caches.network_info", error) from None
    document = {label: entries + floating.get(label, []) for label, entries in fixed.items()}
    return Addresses(_dump(document), f" {' '.join(ips)} " if ips else None)


def _swap(value: Any) -> int:
    """MB of swap. Any: as the JSON had it; '' and null mean none."""
    try:
        return int(value or 0)
    except (ValueError, TypeError) as error:
        raise _unreadable("instance_extra.flavor", error) from None


def _address(ip: dict[str, Any], mac: str | None) -> dict[str, Any]:
    return {
        "version": ip.get("version"),
        "addr": ip.get("address"),
        "OS-EXT-IPS:type": ip.get("type"),
        "OS-EXT-IPS-MAC:mac_addr": mac,
    }


def _load(text: str, column: str) -> dict[str, Any]:
    try:
        loaded = orjson.loads(text)
    except ValueError as error:
        raise _unreadable(column, error) from None
    if not isinstance(loaded, dict):
        raise _unreadable(column, f"a JSON {type(loaded).__name__} instead of an object")
    return loaded


def _object(serialized: Any, column: str) -> dict[str, Any]:
    """Unwrap one of Nova's serialized versioned objects. `serialized` is whatever the JSON held."""
    if serialized is None:
        return {}
    data = serialized.get("nova_object.data") if isinstance(serialized, dict) else None
    if not isinstance(data, dict):
        raise _unreadable(column, "no nova_object.data")
    return data


def _unreadable(column: str, reason: object) -> StopZone:
    return StopZone(
        f"{column} holds a value that Nova does not write ({reason})",
        hint="mend the row in the zone's database, then: treetop zone resync NAME",
    )


def _dump(value: object) -> str:
    return orjson.dumps(value).decode()
