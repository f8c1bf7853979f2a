# SPDX-License-Identifier: Apache-2.0
"""The parameters `changes-since` and `changes-before`, which lists of several nouns have. Pure."""

from datetime import datetime

from treetop.api.fault import bad_request
from treetop.api.parameters import Parameters, last, parse_time


def changes_window(parameters: Parameters) -> tuple[datetime | None, datetime | None]:
    """The two instants, aware; None: not asked. Raises a 400 `Fault` if the second one comes first."""
    since = parse_time(last(parameters, "changes-since") or "")
    before = parse_time(last(parameters, "changes-before") or "")
    if since is not None and before is not None and before < since:
        raise bad_request("The value of changes-since must be less than or equal to changes-before.")
    return since, before
