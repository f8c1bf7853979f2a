# SPDX-License-Identifier: Apache-2.0
"""Ask one side a question over HTTP and keep what a client could see of the answer.

`ask(base_url, question)` -> `Seen`. Taken away is only what two servers cannot have in common: where they listen
and the ids that they give to requests (that there is one, the same in both headers, is kept).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any, Final
from urllib.parse import urlsplit

from tests.conformance.region.plan import Asker

_PATIENCE_SECONDS: Final = 120.0
_REQUEST_ID: Final = re.compile(r"req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HEADERS: Final = (
    "content-type",
    "openstack-api-version",
    "x-openstack-nova-api-version",
    "vary",
    "location",
    "retry-after",
)


@dataclass(frozen=True, kw_only=True)
class Question:
    """A request. minor: the microversion 2.minor; None: no header says one. asker: None: without a token."""

    path: str
    minor: int | None
    asker: Asker | None
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        version = "no microversion" if self.minor is None else f"2.{self.minor}"
        asker = "nobody" if self.asker is None else self.asker.name
        return f"{self.method} {self.path} @ {version} by {asker}"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """An answer. headers: those that mean something to a client of Nova; body: parsed JSON, else text."""

    status: int
    headers: Mapping[str, tuple[str, ...]]
    body: Any  # any JSON document

    @property
    def next_path(self) -> str | None:
        """Where the next page is, without scheme and host."""
        links = [
            link["href"]
            for key, value in (self.body.items() if isinstance(self.body, dict) else ())
            if key.endswith("_links")
            for link in value
            if link["rel"] == "next"
        ]
        return links[0].removeprefix(BASE) if links else None


#: What stands where a side's own address was.
BASE: Final = "http://compute"


def ask(base_url: str, question: Question) -> Seen:
    """Send it and read the whole answer. Raises what the connection raises."""
    sent = dict(question.headers)
    if question.minor is not None:
        sent.setdefault("OpenStack-API-Version", f"compute 2.{question.minor}")
    if question.asker is not None:
        sent["X-Auth-Token"] = question.asker.token
    connection = HTTPConnection(urlsplit(base_url).netloc, timeout=_PATIENCE_SECONDS)
    try:
        connection.request(question.method, question.path, headers=sent)
        answer = connection.getresponse()
        text = answer.read().decode()
        headers = [(name.lower(), value) for name, value in answer.getheaders()]
    finally:
        connection.close()
    return Seen(status=answer.status, headers=_kept(headers), body=_parsed(text.replace(base_url, BASE)))


def _kept(headers: list[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    kept = {
        name: tuple(sorted(_values(name, headers)))
        for name in _HEADERS
        if any(each == name for each, _ in headers)
    }
    ids = {value for name, value in headers if name in ("x-openstack-request-id", "x-compute-request-id")}
    names = sorted(
        {name for name, _ in headers if name in ("x-openstack-request-id", "x-compute-request-id")}
    )
    if names:
        well_formed = len(ids) == 1 and all(_REQUEST_ID.fullmatch(each) for each in ids)
        kept["request ids"] = (*names, "one id" if well_formed else f"not one id: {sorted(ids)}")
    return kept


def _values(name: str, headers: list[tuple[str, str]]) -> list[str]:
    """A header's values; of `Vary` its members: one header with a list says what two headers say (RFC 9110)."""
    values = [value for each, value in headers if each == name]
    return [part.strip() for value in values for part in value.split(",")] if name == "vary" else values


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
