# SPDX-License-Identifier: Apache-2.0
"""What a request asks for in Nova's dialect, checked in Nova's order: its parameters, then whether it is allowed.

Handlers of one noun begin with it. Raises a 400 or 403 `Fault`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import falcon

from treetop.api.caller import Caller
from treetop.api.parameters import NO_PARAMETERS, Parameters, QuerySchema, last, parse_query, validate
from treetop.api.permission import Permission


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """parameters: those that are known at this microversion, which is 2.`minor`.

    demands_freshness: a promise was given: nothing that was kept for others may be answered.
    """

    caller: Caller
    minor: int
    parameters: Parameters
    demands_freshness: bool

    def last(self, name: str) -> str | None:
        """The value that counts of a parameter; None if it was not sent."""
        return last(self.parameters, name)

    def first(self, name: str) -> str | None:
        """The first value of a parameter, which counts where Nova reads it so."""
        values: Sequence[str] = self.parameters.get(name, ())
        return values[0] if values else None


def read_request(
    request: falcon.Request, schema: QuerySchema = NO_PARAMETERS, *permissions: Permission
) -> Asked:
    """Check a request's parameters, and that the caller has each of `permissions`."""
    caller: Caller = request.context.caller
    minor: int = request.context.minor
    parameters = validate(parse_query(request.query_string), schema, minor=minor)
    for permission in permissions:
        caller.require(permission)
    is_demanding = getattr(request.context, "promise", None) is not None
    return Asked(caller=caller, minor=minor, parameters=parameters, demands_freshness=is_demanding)
