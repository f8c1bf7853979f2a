# SPDX-License-Identifier: Apache-2.0
"""Without a Nova behind it: what cannot be answered is refused in words that name the way."""

import pytest

from tests.store.builders import uuid_of


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/v2.1/servers", "/v2.1/0123/servers/1/action", "/v2.1/nonsense"])
def test_writes_are_forbidden_and_told_where_to_go(api, method, path):
    status, name, message = api.refusal(path, method=method)

    assert (status, name) == (403, "forbidden")
    assert "read-only" in message
    assert "Send the request to the Nova that owns the server" in message
    assert "[proxy] nova_endpoint" in message


@pytest.mark.parametrize(
    "path",
    [
        f"/v2.1/servers/{uuid_of(1)}/diagnostics",
        f"/v2.1/0123/servers/{uuid_of(1)}/os-interface/1",
        f"/v2.1/servers/{uuid_of(1)}/topology",
        "/v2.1/os-quota-class-sets/default",
        "/v2.1/os-hosts",
        "/v2.1/0123/os-volumes/detail",
        "/v2.1/os-security-groups/1",
    ],
)
def test_what_needs_nova_itself_is_not_implemented_here(api, path):
    status, name, message = api.refusal(path)

    assert (status, name) == (501, "notImplemented")
    assert "[proxy] nova_endpoint" in message


@pytest.mark.parametrize("path", ["/v2.1/nonsense", "/v2.1/images", "/v2.1/servers/1/nonsense"])
def test_what_nova_does_not_know_either_is_not_found(api, path):
    assert api.ask(path).status_code == 404
