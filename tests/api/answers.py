# SPDX-License-Identifier: Apache-2.0
"""`ask` an application what no client's library would send; `check` that an answer is what every answer is."""

import json
import re
from dataclasses import dataclass

import falcon.testing

ID = re.compile(r"req-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
NOT_FOUND = b"404 Not Found\n\nThe resource could not be found.\n\n   "


@dataclass(frozen=True)
class Answer:
    status_code: int
    headers: list[tuple[str, str]]
    content: bytes

    @property
    def kind(self):
        return dict(self.headers).get("content-type", "")


def ask(app, path, query="", *, method="GET", headers=(), body=b""):
    """As a WSGI server hands it over, which takes queries and methods that falcon's own client refuses to send."""
    environ = falcon.testing.create_environ(path, headers=list(headers), body=body)
    environ |= {"QUERY_STRING": query, "REQUEST_METHOD": method}
    started = falcon.testing.StartResponseMock()
    content = b"".join(app(environ, started))
    return Answer(int(started.status.split()[0]), started.headers, content)


def check(answer, *, freshness_demanded=False):
    """The form of every answer."""
    if answer.status_code == 501:  # only a compute host could answer, and the way there is named
        assert b"[proxy] nova_endpoint" in answer.content
    else:
        assert answer.status_code < 500 or (answer.status_code == 503 and freshness_demanded), answer
    ids = [value for name, value in answer.headers if name.lower().endswith("-request-id")]
    assert len(ids) == 2
    assert len(set(ids)) == 1
    assert ID.fullmatch(ids[0])
    if answer.kind.startswith("application/json"):
        document = json.loads(answer.content or "{}")
        if answer.status_code >= 400 and answer.content:
            ((_, fault),) = document.items()
            assert fault["code"] == answer.status_code
            assert isinstance(fault["message"], str)
    elif answer.content:
        assert answer.content in (NOT_FOUND, b"OK"), answer
