# SPDX-License-Identifier: Apache-2.0
"""`Fault`: a refusal with the HTTP status and the text that Nova's clients expect.

Raised by the resources of the API, turned into an answer by `api.faults`.
"""

from typing import Final

from treetop.errors import Refuse

BAD_REQUEST: Final = 400
UNAUTHORIZED: Final = 401
FORBIDDEN: Final = 403
NOT_FOUND: Final = 404
NOT_ACCEPTABLE: Final = 406
UNAVAILABLE: Final = 503


class Fault(Refuse):
    """The request is refused with `status`; the message goes to the caller word by word.

    retry_after_seconds: when it may be answered; None: not by waiting.
    """

    def __init__(
        self, status: int, message: str, *, hint: str | None = None, retry_after_seconds: int | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.retry_after_seconds = retry_after_seconds


def bad_request(message: str) -> Fault:
    """The request is malformed or asks for what cannot be."""
    return Fault(BAD_REQUEST, message)


def unauthorized() -> Fault:
    """It is not known who asks. Keystone's text."""
    return Fault(UNAUTHORIZED, "The request you have made requires authentication.")


def forbidden(message: str) -> Fault:
    """The caller's roles do not allow it."""
    return Fault(FORBIDDEN, message)


def denied(policy: str) -> Fault:
    """Nova's text for a policy that the caller does not pass."""
    return forbidden(f"Policy doesn't allow {policy} to be performed.")


def not_found(message: str) -> Fault:
    """What the request names does not exist (or the caller may not know that it does)."""
    return Fault(NOT_FOUND, message)


def unavailable(message: str, *, retry_after_seconds: int) -> Fault:
    """It cannot be answered now, but may be later."""
    return Fault(UNAVAILABLE, message, retry_after_seconds=retry_after_seconds)


def no_resource() -> Fault:
    """Nova's 404 for a path that there is not at this microversion."""
    return not_found("The resource could not be found.")
