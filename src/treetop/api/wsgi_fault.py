# SPDX-License-Identifier: Apache-2.0
"""Answers of the WSGI applications around the API: Nova's fault documents, where no framework is in between."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final
from wsgiref.types import StartResponse

from treetop.api.faults import CONTENT_TYPE, fault_document

_NONE: Final[Mapping[str, str]] = MappingProxyType({})


def begin_fault(
    start_response: StartResponse, status: HTTPStatus, message: str, headers: Mapping[str, str] = _NONE
) -> Iterable[bytes]:
    """Start the answer and return its body."""
    body = fault_document(status, message)
    start_response(
        f"{status.value} {status.phrase}",
        [("Content-Type", CONTENT_TYPE), ("Content-Length", str(len(body))), *headers.items()],
    )
    return [body]
