# SPDX-License-Identifier: Apache-2.0
"""What every request goes through around its resource: ids, microversion, caller, freshness. Order: see
`app`.

Each one leaves what it found in `request.context` (`request_id`, `minor`, `caller`, `zones`). A resource with
`is_public = True` needs no caller. Only paths below `/v2.1` have microversions.
"""

from collections.abc import Mapping
from typing import Any, Final

import falcon

from treetop.api import freshness, microversion, request_id
from treetop.api.auth import Authenticator, check_url_project
from treetop.api.fault import UNAVAILABLE, Fault
from treetop.api.freshness_demand import as_checked
from treetop.api.freshness_gate import FreshnessGate, require_kept
from treetop.api.options import ApiOptions
from treetop.api.pass_through import PassThrough

_NOVA: Final = "/v2.1"
_CONTENT_TYPES: Final = ("", "text/plain", "application/json", "application/vnd.openstack.compute+json")
_UNSUPPORTED: Final = 415
_METHODS: Final = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH"})


class RequestIds:
    """Gives the request an id and its answer the headers that show it, whatever happens."""

    def process_request(self, request: falcon.Request, response: falcon.Response) -> None:
        """Make the id, unless that was done around the API."""
        given: str | None = request.env.get(request_id.ENVIRON_KEY)
        request.context.request_id = given or request_id.new_request_id()
        request.context.global_request_id = request_id.global_request_id(
            request.get_header(request_id.GLOBAL_HEADER)
        )
        response.set_headers(request_id.answer_headers(request.context.request_id))


class Paths:
    """Lets in what can lead somewhere."""

    def process_request(self, request: falcon.Request, _response: falcon.Response) -> None:
        """Raise what an unknown path is answered with.

        Nova routes no other methods (OPTIONS is CORS's, answered before us), and nothing below its version that ends
        in a slash; a text of PostgreSQL's holds no NUL; slashes in front, which Falcon's router passes over, would
        let a path look as if it were not Nova's.
        """
        path = request.path
        is_foreign = path.startswith(_NOVA) and request.method not in _METHODS
        is_cut_off = path.startswith(f"{_NOVA}/") and path.endswith("/") and path != f"{_NOVA}/"
        if is_foreign or is_cut_off or "\0" in path or path.startswith("//"):
            raise falcon.HTTPRouteNotFound


class Microversions:
    """Decides the microversion of a routed request below `/v2.1`."""

    def process_resource(
        self,
        request: falcon.Request,
        response: falcon.Response,
        _resource: object,
        _params: Mapping[str, Any],
    ) -> None:
        """Raise the 400 or 406 `Fault`, or set `minor`."""
        if not request.path.startswith(_NOVA):
            return
        negotiated = microversion.negotiate(
            request.get_header(microversion.HEADER), request.get_header(microversion.LEGACY_HEADER)
        )
        response.set_headers(microversion.answer_headers(negotiated.text))
        if negotiated.minor is None:
            raise microversion.not_supported(negotiated.text)
        request.context.minor = negotiated.minor


class ContentTypes:
    """Refuses reads that say they have a body which Nova does not read, whether they have one or not."""

    def process_resource(
        self,
        request: falcon.Request,
        _response: falcon.Response,
        _resource: object,
        _params: Mapping[str, Any],
    ) -> None:
        """Raise the 415 `Fault`."""
        kind = (request.content_type or "").partition(";")[0].strip()
        if request.method == "GET" and request.path.startswith(_NOVA) and kind not in _CONTENT_TYPES:
            raise Fault(_UNSUPPORTED, "Unsupported Content-Type")


class Identity:
    """Finds out who asks."""

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator

    def process_resource(
        self, request: falcon.Request, _response: falcon.Response, resource: object, params: Mapping[str, Any]
    ) -> None:
        """Raise the `Fault` of a caller who may not be here, or set `caller`."""
        if getattr(resource, "is_public", False):
            return
        url_project = params.get("project_id")
        request.context.caller = self._authenticator(request, url_project)
        check_url_project(url_project, request.context.caller)


class Freshness:
    """Lets an answer through if it is as fresh as demanded, and says how old it is.

    A resource says which zones it draws on (`request.context.zones`, read before its rows). One with
    `has_any_age = True` answers however old it is: what it tells is the age.
    """

    def __init__(
        self, gate: FreshnessGate, options: ApiOptions, *, instead: PassThrough | None = None
    ) -> None:
        """instead: who answers what is not fresh enough here; None: it is refused."""
        self._gate = gate
        self._options = options
        self._instead = instead

    def process_resource(
        self, request: falcon.Request, response: falcon.Response, resource: object, params: Mapping[str, Any]
    ) -> None:
        """Set `promise`, or raise the 400 or 503 `Fault`."""
        if getattr(resource, "is_public", False) or getattr(resource, "has_any_age", False):
            return
        try:
            request.context.promise = self._gate.promise(request, params)
        except Fault as fault:
            if fault.status != UNAVAILABLE or self._instead is None:
                raise
            if not self._instead.answers_instead(request, response):
                raise

    def process_response(
        self,
        request: falcon.Request,
        response: falcon.Response,
        _resource: object,
        req_succeeded: bool,
    ) -> None:
        """Set the headers. Raises the 503 `Fault` if the answer drew on a zone that breaks the promise."""
        zones = getattr(request.context, "zones", ())
        promise = getattr(request.context, "promise", None)
        if promise is not None:
            zones = as_checked(zones, promise.checked_at)
        response.set_headers(freshness.answer_headers(zones, self._options.stale_after_seconds))
        if promise is not None and req_succeeded:
            require_kept(promise, zones)
