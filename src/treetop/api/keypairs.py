# SPDX-License-Identifier: Apache-2.0
"""`GET /os-keypairs` and `/os-keypairs/{name}`: the public halves of a user's keys.

Facts: Nova 34, api/openstack/compute/keypairs.py and views/keypairs.py.
"""

from typing import Any, Final

import falcon
import orjson
from psycopg_pool import ConnectionPool

from treetop.api.asked import Asked, read_request
from treetop.api.fault import bad_request, not_found
from treetop.api.json_answer import answer_json
from treetop.api.json_text import stamp
from treetop.api.links import links_of
from treetop.api.options import ApiOptions
from treetop.api.parameters import Kind, Parameter, page_rows, query_schema
from treetop.api.permission import Permission
from treetop.api.zone_choice import ids, region_databases
from treetop.errors import NotFound
from treetop.store.freshness import read_zones
from treetop.store.keypairs import KeyPair, list_keypairs, read_keypair
from treetop.store.pool import reading

_TYPE_SINCE: Final = 2
_PAGED_SINCE: Final = 35
_USER: Final = Parameter(name="user_id", since=10)
_ALL: Final = query_schema(
    _USER,
    Parameter(name="limit", kind=Kind.NUMBER, since=_PAGED_SINCE),
    Parameter(name="marker", since=_PAGED_SINCE),
)
_ONE: Final = query_schema(_USER)

Json = dict[str, Any]  # Any: JSON


class KeyPairList:
    """The key pairs of the caller, or of another user for who may see them."""

    def __init__(self, pool: ConnectionPool, options: ApiOptions) -> None:
        self._pool = pool
        self._options = options

    def on_get(
        self, request: falcon.Request, response: falcon.Response, project_id: str | None = None
    ) -> None:
        """Answer one page; all of them before 2.35."""
        asked = read_request(request, _ALL)
        user_id = _user(asked, Permission.KEYPAIRS_INDEX)
        is_paged = asked.minor >= _PAGED_SINCE
        limit = page_rows(asked.parameters, most=self._options.page_rows_max) if is_paged else None
        with reading(self._pool) as connection:
            zones = request.context.zones = region_databases(read_zones(connection))
            marker = asked.last("marker")
            try:
                found = list_keypairs(connection, ids(zones), user_id, limit=limit, marker=marker)
            except NotFound as error:
                raise bad_request(str(error)) from None
        body: Json = {"keypairs": [{"keypair": _short(pair, asked.minor)} for pair in found]}
        if found and len(found) == limit:
            links = links_of(request, self._options, project_id)
            body["keypairs_links"] = links.next("os-keypairs", asked.parameters, found[-1].name)
        answer_json(response, body)


class OneKeyPair:
    """One key pair by its name."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool

    def on_get(
        self,
        request: falcon.Request,
        response: falcon.Response,
        key_name: str,
        project_id: str | None = None,
    ) -> None:
        """Answer its document."""
        asked = read_request(request, _ONE)
        user_id = _user(asked, Permission.KEYPAIRS_SHOW)
        with reading(self._pool) as connection:
            zones = request.context.zones = region_databases(read_zones(connection))
            found = read_keypair(connection, ids(zones), user_id, key_name)
        if found is None:
            raise not_found(f"Keypair {key_name} not found for user {user_id}")
        document = _short(found, asked.minor) | {
            "id": found.id,
            "user_id": found.user_id,
            "created_at": orjson.Fragment(stamp(found.created_at)),
            "updated_at": orjson.Fragment(stamp(found.updated_at)),
            "deleted": False,  # a deleted one is gone
            "deleted_at": None,
        }
        answer_json(response, {"keypair": document})


def _user(asked: Asked, permission: Permission) -> str:
    """Whose key pairs. Raises the 403 `Fault` of who may not see them."""
    user_id = asked.first("user_id") or asked.caller.user_id
    asked.caller.require(permission, user_id=user_id)
    return user_id


def _short(pair: KeyPair, minor: int) -> Json:
    document: Json = {"name": pair.name, "public_key": pair.public_key, "fingerprint": pair.fingerprint}
    return document | {"type": pair.type} if minor >= _TYPE_SINCE else document
