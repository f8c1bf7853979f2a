# SPDX-License-Identifier: Apache-2.0
"""What Nova's answer is without one of its faults: the ways in which entries of `differences` settle one. Pure.

Each takes an exchange and returns an answer to compare ours with. Those that take over ours (`ours…`) check what
can be checked of it first, and return Nova's where that fails.
"""

import copy
import json
import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from tests.conformance.asking import BASE, Seen
from tests.conformance.comparing import Exchange
from tests.conformance.region.build_requests import REQUESTED, requested_uuid
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


def ours_if_listed(exchange: Exchange) -> Seen:
    """Our answer, if it lists servers."""
    return exchange.ours if exchange.ours.status == 200 and _servers(exchange.ours.body) else exchange.nova


def ours_in_path(exchange: Exchange) -> Seen:
    """Our 404, if it names an id or a name of the path."""
    names = path_of(exchange).split("/")[3:]
    message = _part(_part(exchange.ours.body, "itemNotFound"), "message") or ""
    return exchange.ours if any(name in message for name in names) else exchange.nova


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


def without_requested(exchange: Exchange) -> Seen:
    """Nova's documents without those of servers that no cell has yet."""
    body = copy.deepcopy(exchange.nova.body)
    requested = set(map(requested_uuid, REQUESTED))
    for _, documents in _lists(body):
        documents[:] = [document for document in documents if document["id"] not in requested]
    return replace(exchange.nova, body=body)


def ours_if_longer(exchange: Exchange) -> Seen:
    """Our page, if it begins with all that Nova's short page has."""
    for key, documents in _lists(exchange.nova.body):
        mine = _part(exchange.ours.body, key) or []
        if len(mine) > len(documents) and mine[: len(documents)] == documents:
            return exchange.ours
    return exchange.nova


def ours_refusal(exchange: Exchange) -> Seen:
    """Our text of a refusal that Nova answers with the same status."""
    return exchange.ours if exchange.ours.status == exchange.nova.status else exchange.nova


def created_as_updated(exchange: Exchange) -> Seen:
    """Nova's documents with `created` for an `updated` that is the moment of the answer."""
    body = copy.deepcopy(exchange.nova.body)
    for document in _servers(body):
        if document.get("updated", "") > _AFTER_THE_REGION:
            document["updated"] = document["created"]
    return replace(exchange.nova, body=body)


def each_host_status_by_itself(exchange: Exchange) -> Seen:
    """Our host statuses, if those of deleted servers are empty and those of others are not."""
    body = copy.deepcopy(exchange.nova.body)
    found = {document["id"]: document.get("host_status") for document in _servers(exchange.ours.body)}
    for document in _servers(body):
        status = found.get(document["id"])
        has_host = document.get("OS-EXT-SRV-ATTR:host") is not None
        if "host_status" in document and status is not None:
            is_right = (status != "") == (document["status"] != "DELETED" and has_host)
            document["host_status"] = status if is_right else document["host_status"]
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
    """The versions, or the choices of one, without v2.0."""
    body = copy.deepcopy(exchange.nova.body)
    for _, versions in _lists(body):
        versions[:] = [version for version in versions if version["id"] != "v2.0"]
    return replace(exchange.nova, body=body)


def sorted_members(exchange: Exchange) -> Seen:
    """Server groups with their members in order."""
    body = copy.deepcopy(exchange.nova.body)
    groups = [group for _, found in _lists(body) for group in found] or [_part(body, "server_group") or {}]
    for group in groups:
        group.get("members", []).sort()
    return replace(exchange.nova, body=body)


def without_project_in_links(exchange: Exchange) -> Seen:
    """Nova's links without the caller's project, which is not in ours either."""
    asker = exchange.question.asker
    assert asker is not None
    text = json.dumps(exchange.nova.body)
    for base in (f"{BASE}/v2.1", BASE):
        text = text.replace(f'"{base}/{asker.project.id}/', f'"{base}/')
    return replace(exchange.nova, body=json.loads(text))


def without_content_type(exchange: Exchange) -> Seen:
    """Nova's answer without that header."""
    headers = {name: value for name, value in exchange.nova.headers.items() if name != "content-type"}
    return replace(exchange.nova, headers=headers)


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
