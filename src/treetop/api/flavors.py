# SPDX-License-Identifier: Apache-2.0
"""`GET /flavors`, `/flavors/detail` and `/flavors/{id}`, from the flavors that the servers carry.

The client asks for all flavors with every list of servers. Finding them scans all servers, so an answer is
kept for a few seconds: a flavor that no server had before shows up that much later.
"""

import threading
import time
from typing import Final

import falcon
import orjson
from psycopg_pool import ConnectionPool

from treetop.api.fault import not_found
from treetop.api.flavor_parameters import FLAVOR_PARAMETERS, FLAVOR_SORT_KEYS, chosen_flavors
from treetop.api.flavor_view import FlavorFacts, flavor_document, flavor_facts
from treetop.api.links import base_url, next_page
from treetop.api.options import ApiOptions
from treetop.api.parameters import page_rows, parse_query, validate
from treetop.store.flavors import read_flavors
from treetop.store.freshness import read_zones
from treetop.store.pool import reading

_KEPT_SECONDS: Final = 5.0
_JSON: Final = "application/json"


class FlavorShelf:
    """The flavors as read at most a few seconds ago; safe for many threads."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._lock = threading.Lock()
        self._flavors: tuple[FlavorFacts, ...] = ()
        self._fresh_until = float("-inf")

    def flavors(self) -> tuple[FlavorFacts, ...]:
        """Every flavor, by id. One thread reads while the others wait for it."""
        with self._lock:
            if time.monotonic() >= self._fresh_until:
                with reading(self._pool) as connection:
                    self._flavors = tuple(map(flavor_facts, read_flavors(connection)))
                self._fresh_until = time.monotonic() + _KEPT_SECONDS
            return self._flavors


class FlavorList:
    """The list in one of its two views."""

    def __init__(
        self, shelf: FlavorShelf, pool: ConnectionPool, options: ApiOptions, *, is_detail: bool
    ) -> None:
        self._shelf = shelf
        self._pool = pool
        self._options = options
        self._is_detail = is_detail

    def on_get(
        self, request: falcon.Request, response: falcon.Response, project_id: str | None = None
    ) -> None:
        """Answer one page."""
        minor: int = request.context.minor
        pairs = parse_query(request.query_string)
        parameters = validate(
            pairs, FLAVOR_PARAMETERS, minor=minor, sort_keys=FLAVOR_SORT_KEYS, takes_underscore=False
        )
        limit = page_rows(parameters, most=self._options.page_rows_max)
        with reading(self._pool) as connection:
            request.context.zones = read_zones(connection)
        flavors = chosen_flavors(self._shelf.flavors(), parameters, limit=limit)
        self_url, bookmark_url = _urls(request, self._options, project_id)
        body: dict[str, object] = {
            "flavors": [
                flavor_document(
                    flavor,
                    minor=minor,
                    is_detail=self._is_detail,
                    self_url=self_url,
                    bookmark_url=bookmark_url,
                )
                for flavor in flavors
            ]
        }
        if flavors and len(flavors) == limit:
            url = self_url + "detail" if self._is_detail else self_url.removesuffix("/")
            body["flavors_links"] = [{"rel": "next", "href": next_page(url, pairs, flavors[-1].id)}]
        response.data = orjson.dumps(body)
        response.content_type = _JSON


class Flavor:
    """One flavor by its id."""

    def __init__(self, shelf: FlavorShelf, options: ApiOptions) -> None:
        self._shelf = shelf
        self._options = options

    def on_get(
        self,
        request: falcon.Request,
        response: falcon.Response,
        flavor_id: str,
        project_id: str | None = None,
    ) -> None:
        """Answer its document."""
        self_url, bookmark_url = _urls(request, self._options, project_id)
        for flavor in self._shelf.flavors():
            if flavor.id == flavor_id:
                document = flavor_document(
                    flavor,
                    minor=request.context.minor,
                    is_detail=True,
                    self_url=self_url,
                    bookmark_url=bookmark_url,
                )
                response.data = orjson.dumps({"flavor": document})
                response.content_type = _JSON
                return
        raise not_found(f"Flavor {flavor_id} could not be found.")


def _urls(request: falcon.Request, options: ApiOptions, project_id: str | None) -> tuple[str, str]:
    base = base_url(request, options)
    project = "" if project_id is None else f"/{project_id}"
    return f"{base}/v2.1{project}/flavors/", f"{base}{project}/flavors/"
