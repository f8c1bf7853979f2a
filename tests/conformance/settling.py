# SPDX-License-Identifier: Apache-2.0
"""What Nova's answer is without one of its faults: the ways in which entries of `differences` settle one. Pure.

Each takes an exchange and returns an answer to compare ours with. Those that take over ours (`ours…`) check what
can be checked of it first, and return Nova's where that fails.
"""

import copy
import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from tests.conformance.asking import Seen
from tests.conformance.comparing import Exchange
from tests.conformance.region.plan import NOW

_AFTER_THE_REGION: Final = (NOW + timedelta(days=1)).isoformat()


def parameters(exchange: Exchange) -> list[tuple[str, str]]:
    """The query of the question, in order."""
    return parse_qsl(urlsplit(exchange.question.path).query, keep_blank_values=True)


def path_of(exchange: Exchange) -> str:
    """The path of the question, as text."""
    return unquote(urlsplit(exchange.question.path).path)


def is_server_error(exchange: Exchange, name: str) -> bool:
    """Say whether Nova answered 500 with an exception of this name."""
    return exchange.nova.status == 500 and name in str(exchange.nova.body)


def ours(exchange: Exchange) -> Seen:
    """Whatever we answered, unless it is a server's error."""
    return exchange.ours if exchange.ours.status < 500 else exchange.nova


def ours_in_path(exchange: Exchange) -> Seen:
    """Our 404, if it names what the path names last."""
    name = path_of(exchange).rpartition("/")[2]
    message = _part(_part(exchange.ours.body, "itemNotFound"), "message") or ""
    return exchange.ours if name in message else exchange.nova


def ours_reordered(exchange: Exchange) -> Seen:
    """Nova's documents in our order, if both lists have the same."""
    body = copy.deepcopy(exchange.nova.body)
    for key, documents in _lists(body):
        ids = [document["id"] for document in _part(exchange.ours.body, key) or []]
        if Counter(ids) == Counter(document["id"] for document in documents):
            documents.sort(key=lambda document: ids.index(document["id"]))
    return replace(exchange.nova, body=body)


def ours_is_a_part(exchange: Exchange) -> Seen:
    """Nova's documents that we have too, if ours are among them in the same order."""
    body = copy.deepcopy(exchange.nova.body)
    for key, documents in _lists(body):
        ids = {document["id"] for document in _part(exchange.ours.body, key) or []}
        documents[:] = [document for document in documents if document["id"] in ids]
    return replace(exchange.nova, body=body)


def created_as_updated(exchange: Exchange) -> Seen:
    """Nova's documents with `created` for an `updated` that is the moment of the answer."""
    body = copy.deepcopy(exchange.nova.body)
    for document in _servers(body):
        if document.get("updated", "") > _AFTER_THE_REGION:
            document["updated"] = document["created"]
    return replace(exchange.nova, body=body)


def repeated_in_links(exchange: Exchange) -> Seen:
    """Nova's next link with every value of the parameters that it has one of."""
    body = copy.deepcopy(exchange.nova.body)
    for key, links in body.items():
        if not key.endswith("_links"):
            continue
        for link in links:
            link["href"] = _with_all_values(link["href"], parameters(exchange))
    return replace(exchange.nova, body=body)


def _with_all_values(href: str, asked: list[tuple[str, str]]) -> str:
    url, _, query = href.partition("?")
    pairs: list[tuple[str, str]] = []
    for name, value in parse_qsl(query, keep_blank_values=True):
        values = [each for known, each in asked if known == name]
        pairs += [(name, value)] if name == "marker" else [(name, each) for each in values]
    return f"{url}?{urlencode(pairs)}"


def sorted_enumeration(exchange: Exchange) -> Seen:
    """Nova's refusal with the accepted values in alphabetical order."""
    body = copy.deepcopy(exchange.nova.body)
    found = body["badRequest"]["message"]
    body["badRequest"]["message"] = re.sub(r"\[('[^]]*')\]$", _sorted_list, found)
    return replace(exchange.nova, body=body)


def _sorted_list(found: re.Match[str]) -> str:
    return f"[{', '.join(sorted(found[1].split(', ')))}]"


def without_legacy_version(exchange: Exchange) -> Seen:
    """The list of versions without v2.0; our 404 for a path that has no version."""
    if exchange.nova.status == 300:
        return exchange.ours if exchange.ours.status == 404 else exchange.nova
    versions = [version for version in exchange.nova.body["versions"] if version["id"] != "v2.0"]
    return replace(exchange.nova, body={"versions": versions})


def with_request_ids(exchange: Exchange) -> Seen:
    """Nova's answer with the ids of ours."""
    ids = {"request ids": exchange.ours.headers.get("request ids", ())}
    return replace(exchange.nova, headers={**exchange.nova.headers, **ids})


def _part(body: Any, key: str) -> Any:
    """What an object has under a key; None: nothing, or no object."""
    return body.get(key) if isinstance(body, dict) else None


def _lists(body: Any) -> list[tuple[str, list[dict[str, Any]]]]:
    """The lists of documents with ids in an answer."""
    items = body.items() if isinstance(body, dict) else ()
    return [
        (key, value)
        for key, value in items
        if isinstance(value, list) and all(isinstance(each, dict) and "id" in each for each in value)
    ]


def _servers(body: Any) -> list[dict[str, Any]]:
    if not isinstance(body, dict):
        return []
    return [*body.get("servers", []), *([body["server"]] if "server" in body else [])]
