# SPDX-License-Identifier: Apache-2.0
"""`GET /openapi.json`: what Treetop's own paths answer, as OpenAPI 3.1, from what stands beside their handlers.

A resource below `/v1` has an `operation`. Nova's paths are not in it: Nova's own documentation is theirs. Needs no
token and no database. Facts: OpenAPI 3.1.0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import falcon
import orjson

from treetop import __version__
from treetop.api.links import base_url
from treetop.api.options import ApiOptions

#: A JSON schema, or another part of the document. Any: JSON.
Json = Mapping[str, Any]

_ABOUT: Final = (
    "What Treetop says about itself. The servers are at /v2.1, in the dialect of OpenStack's compute API."
)
_HEADERS: Final[Json] = {"x-openstack-request-id": {"$ref": "#/components/headers/RequestId"}}
_FAULT: Final[Json] = {"application/json": {"schema": {"$ref": "#/components/schemas/Fault"}}}
_FAULTS: Final[Json] = {
    "401": {"description": "There is no token, or it is not valid.", "headers": _HEADERS},
    "403": {"description": "The token does not allow it.", "headers": _HEADERS, "content": _FAULT},
    "503": {
        "description": "The top or Keystone does not answer; Retry-After says when to ask again.",
        "headers": _HEADERS,
        "content": _FAULT,
    },
}
_COMPONENTS: Final[Json] = {
    "schemas": {
        "Fault": {
            "description": "One member, named after the kind of fault, as OpenStack's compute API writes it.",
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": {
                "type": "object",
                "required": ["code", "message"],
                "properties": {"code": {"type": "integer"}, "message": {"type": "string"}},
            },
        }
    },
    "headers": {
        "RequestId": {
            "description": "The name of this request in the log.",
            "required": True,
            "schema": {"type": "string", "pattern": "^req-[0-9a-f-]{36}$"},
        }
    },
    "securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"}},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What a GET answers. id: its name in generated clients; schema: of the 200's JSON."""

    id: str
    summary: str
    schema: Json


class Described(Protocol):
    """A resource that says what it answers."""

    operation: Operation


class OpenApi:
    """The document about `resources`, by path."""

    is_public = True

    def __init__(self, resources: Mapping[str, Described], options: ApiOptions) -> None:
        self._paths = {path: {"get": _get(resource.operation)} for path, resource in resources.items()}
        self._options = options

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Answer it."""
        response.data = orjson.dumps(
            {
                "openapi": "3.1.0",
                "info": {"title": "Treetop", "version": __version__, "description": _ABOUT},
                "servers": [{"url": base_url(request, self._options)}],
                "paths": self._paths,
                "components": _COMPONENTS,
            }
        )
        response.content_type = "application/json"


def _get(operation: Operation) -> Json:
    answer = {
        "description": operation.summary,
        "headers": _HEADERS,
        "content": {"application/json": {"schema": operation.schema}},
    }
    return {
        "operationId": operation.id,
        "summary": operation.summary,
        "security": [{"token": []}],
        "responses": {"200": answer, **_FAULTS},
    }
