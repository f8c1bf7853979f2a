# SPDX-License-Identifier: Apache-2.0
"""Key pairs: documents at each microversion, whose, pages, policy."""

from dataclasses import replace

import pytest

from tests.api.conftest import Client
from tests.store.builders import PROJECT, USER
from tests.store.mirrored_rows import START, a_region, a_row
from treetop.api.caller import admin_of, reader_of

PATH = "/v2.1/os-keypairs"
SHORT = {"name": "mine", "public_key": "ssh-rsa AAAA", "fingerprint": "aa:bb"}


def a_keypair(top, name, **changes):
    columns = {"name": name, "user_id": USER, "fingerprint": "aa:bb", "public_key": "ssh-rsa AAAA"}
    return a_row(top, "key_pairs", **columns | {"type": "ssh", "created_at": START} | changes)


def client_of(pool, caller):
    return Client(pool, authenticator=lambda _request, _project: replace(caller, user_id=USER))


@pytest.fixture
def top(top):
    a_region(top)
    return top


@pytest.fixture
def owner_api(pool, top):
    return client_of(pool, reader_of(PROJECT))


def names(api, query="", minor=35):
    return [each["keypair"]["name"] for each in api.get(f"{PATH}?{query}", minor)["keypairs"]]


@pytest.mark.parametrize(("minor", "more"), [(1, {}), (2, {"type": "ssh"}), (104, {"type": "ssh"})])
def test_documents_hold_the_row(owner_api, top, minor, more):
    number = a_keypair(top, "mine")

    assert owner_api.get(PATH, minor) == {"keypairs": [{"keypair": SHORT | more}]}
    assert owner_api.get(f"{PATH}/mine", minor) == {
        "keypair": SHORT
        | more
        | {
            "id": number,
            "user_id": USER,
            "created_at": "2026-01-01T12:00:00.000000",
            "updated_at": None,
            "deleted": False,
            "deleted_at": None,
        }
    }


def test_an_administrator_sees_another_users_from_2_10_on(pool, owner_api, top):
    admin_api = client_of(pool, admin_of(PROJECT))
    a_keypair(top, "mine")
    a_keypair(top, "other", user_id="another")

    assert names(admin_api, "user_id=another", 9) == ["mine"]
    assert names(admin_api, "user_id=another&user_id=x", 10) == ["other"]
    assert admin_api.get(f"{PATH}/other?user_id=another", 10)["keypair"]["user_id"] == "another"
    assert names(owner_api, "user_id=another", 9) == names(owner_api, f"user_id={USER}", 10) == ["mine"]
    for path, rule in (("", "index"), ("/other", "show")):
        message = f"Policy doesn't allow os_compute_api:os-keypairs:{rule} to be performed."
        assert owner_api.refusal(f"{PATH}{path}?user_id=another", 10)[::2] == (403, message)


def test_they_come_by_name_in_pages_from_2_35_on(owner_api, top):
    for name in ("c", "B", "a"):
        a_keypair(top, name)

    assert names(owner_api, "limit=1&marker=a", 34) == ["a", "B", "c"]
    first = owner_api.get(f"{PATH}?limit=2", 35)
    assert [each["keypair"]["name"] for each in first["keypairs"]] == ["a", "B"]
    assert first["keypairs_links"] == [
        {"rel": "next", "href": f"http://falconframework.org{PATH}?limit=2&marker=B"}
    ]
    assert names(owner_api, "limit=2&marker=B") == ["c"]
    assert owner_api.refusal(f"{PATH}?marker=x", 35)[::2] == (400, "Marker x could not be found.")


def test_the_first_region_by_name_has_a_name_that_two_have(owner_api, top):
    a_region(top, 101, name="a-region")
    a_keypair(top, "mine")
    a_keypair(top, "mine", zone_id=101, public_key="first")

    (pair,) = owner_api.get(PATH)["keypairs"]

    assert pair["keypair"]["public_key"] == "first"
    assert owner_api.get(f"{PATH}/mine")["keypair"]["public_key"] == "first"


def test_what_is_not_there(owner_api, top):
    assert owner_api.refusal(f"{PATH}/x")[::2] == (404, f"Keypair x not found for user {USER}")


def test_unknown_parameters_are_refused_from_2_75_on(owner_api, top):
    a_keypair(top, "mine")
    for path in (PATH, f"{PATH}/mine"):
        assert owner_api.get(f"{path}?foo=1", 74)
        assert owner_api.refusal(f"{path}?foo=1", 75)[0] == 400
