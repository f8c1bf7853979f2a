# SPDX-License-Identifier: Apache-2.0
"""The version documents that clients begin with: `GET /`, `GET /v2.1`, and what other paths could have meant.

No credentials, no database. Clients take the smaller of the two maxima, theirs and ours. Nova also names v2.0, its
deprecated copy of 2.1 without microversions, which is not served here. Facts: Nova 34, measured.
"""

import re
from typing import Any, Final
from urllib.parse import quote

import falcon
import orjson

from treetop.api.links import base_url
from treetop.api.microversion import MAXIMUM, MINIMUM
from treetop.api.options import ApiOptions

#: Paths whose first segment is no version of Nova's API and nothing of our own: they need no token.
UNVERSIONED: Final = re.compile(r"/(?!(v2|v2\.1|v1)(/|$)|healthcheck|openapi\.json)[^/]")

_MEDIA_TYPES: Final = (
    {"base": "application/json", "type": "application/vnd.openstack.compute+json;version=2.1"},
)
_PLAIN_IN_PATHS: Final = "/~!$&'()*+,;=:@"
_UPDATED: Final = "2013-07-23T11:33:21Z"  # Nova's date of v2.1


class Root:
    """Every version there is."""

    is_public = True

    def __init__(self, options: ApiOptions) -> None:
        self._options = options

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Answer the list."""
        response.data = orjson.dumps({"versions": [_version(base_url(request, self._options))]})
        response.content_type = "application/json"


class Version:
    """The one version."""

    is_public = True

    def __init__(self, options: ApiOptions) -> None:
        self._options = options

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Answer its document."""
        version = _version(base_url(request, self._options))
        version["links"].append(
            {"rel": "describedby", "type": "text/html", "href": "http://docs.openstack.org/"}
        )
        version["media-types"] = _MEDIA_TYPES
        response.data = orjson.dumps({"version": version})
        response.content_type = "application/json"


class Choices:
    """The same path below each version there is: the answer to a path that names none, by any method."""

    def __init__(self, options: ApiOptions) -> None:
        self._options = options

    def __call__(self, req: falcon.Request, resp: falcon.Response, **_fields: object) -> None:
        """Answer them. The names are those that falcon calls a sink's parameters by."""
        version = _version(base_url(req, self._options))
        path = quote(req.path.strip("/"), safe=_PLAIN_IN_PATHS, errors="replace")
        choice = {
            "id": version["id"],
            "status": version["status"],
            "links": [{"rel": "self", "href": version["links"][0]["href"] + path}],
            "media-types": _MEDIA_TYPES,
        }
        resp.status = falcon.HTTP_MULTIPLE_CHOICES
        resp.data = orjson.dumps({"choices": [choice]})
        resp.content_type = "application/json"


def _version(base: str) -> dict[str, Any]:  # Any: a JSON document
    return {
        "id": "v2.1",
        "status": "CURRENT",
        "version": f"2.{MAXIMUM}",
        "min_version": f"2.{MINIMUM}",
        "updated": _UPDATED,
        "links": [{"rel": "self", "href": f"{base}/v2.1/"}],
    }
