# SPDX-License-Identifier: Apache-2.0
"""`GET /extensions` and `/extensions/{alias}`: the list that Nova shows unchanged since there are microversions.

Its entries are in `extensions.json`: what of them differs. Facts: Nova 34, api/openstack/compute/extension_info.py.
"""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

import falcon
import orjson

from treetop.api.asked import read_request
from treetop.api.fault import no_resource
from treetop.api.json_answer import answer_json
from treetop.api.parameters import NO_PARAMETERS
from treetop.api.permission import Permission

_SAME_IN_ALL: Final = {
    "links": (),
    "namespace": "http://docs.openstack.org/compute/ext/fake_xml",
    "updated": "2014-12-03T00:00:00Z",
}

#: Alias -> its document. Any: JSON.
Extensions = Mapping[str, Mapping[str, Any]]


def read_extensions() -> Extensions:
    """The list, in Nova's order."""
    entries = orjson.loads(files("treetop.api").joinpath("extensions.json").read_bytes())
    return {entry["alias"]: entry | _SAME_IN_ALL for entry in entries}


class ExtensionList:
    """All of them."""

    def __init__(self, extensions: Extensions) -> None:
        self._extensions = extensions

    def on_get(
        self, request: falcon.Request, response: falcon.Response, project_id: str | None = None
    ) -> None:
        """Answer them."""
        read_request(request, NO_PARAMETERS, Permission.EXTENSIONS)
        answer_json(response, {"extensions": list(self._extensions.values())})


class Extension:
    """One by its alias."""

    def __init__(self, extensions: Extensions) -> None:
        self._extensions = extensions

    def on_get(
        self,
        request: falcon.Request,
        response: falcon.Response,
        alias: str,
        project_id: str | None = None,
    ) -> None:
        """Answer it."""
        read_request(request, NO_PARAMETERS, Permission.EXTENSIONS)
        if alias not in self._extensions:
            raise no_resource()
        answer_json(response, {"extension": self._extensions[alias]})
