# SPDX-License-Identifier: Apache-2.0
"""What stands for a server of a stale zone in the mode `unknown`: Nova's documents for a cell that is down. Pure.

Made from the document of the last known row, by keeping what Nova takes from its API database. Facts: Nova 34,
api/openstack/compute/views/servers.py (basic, _show_from_down_cell), servers.py (_is_cell_down_supported),
compute/api.py (minimal constructs); api-guide down_cells.rst.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final

import orjson

from treetop.api.caller import Caller
from treetop.api.permission import Permission
from treetop.api.server_fields import View
from treetop.api.server_parameters import SERVER_PARAMETERS

PLACEHOLDERS_SINCE: Final = 69
_PAGING: Final = frozenset({"limit", "marker", "sort_key", "sort_dir"})
_INDEX: Final = ("id", "links")
_DETAIL: Final = ("id", "tenant_id", "created", "links")
_SHOW: Final = (*_DETAIL, "image", "flavor", "user_id", "server_groups")
_AZ: Final = "OS-EXT-AZ:availability_zone"
_UNKNOWN: Final = "UNKNOWN"


def may_list_placeholders(pairs: Collection[tuple[str, str]], *, minor: int, caller: Caller) -> bool:
    """Say whether a list with these parameters has placeholders: no paging, no order, no filter that is heard.

    `deleted=False`, which the openstack client always sends, is heard from an administrator, as in Nova.
    """
    if minor < PLACEHOLDERS_SINCE:
        return False
    names = {name for name, _ in pairs}
    return not names & _PAGING and {name for name in names if _is_heard(name, minor, caller)} <= {
        "all_tenants"
    }


def placeholders(documents: Sequence[str], view: View) -> list[str]:
    """Reduce each of the documents, JSON text, to its placeholder."""
    return [_placeholder(document, view) for document in documents]


def _is_heard(name: str, minor: int, caller: Caller) -> bool:
    parameter = SERVER_PARAMETERS.get(name)
    if parameter is None or parameter.since > minor:
        return False
    if caller.may(Permission.ALL_FILTERS):
        return True
    return parameter.everyone_since is not None and parameter.everyone_since <= minor


def _placeholder(document: str, view: View) -> str:
    known: dict[str, Any] = orjson.loads(document)
    kept = {View.INDEX: _INDEX, View.DETAIL: _DETAIL, View.SHOW: _SHOW}[view]
    reduced = {key: known[key] for key in kept if key in known} | {"status": _UNKNOWN}
    if view is View.SHOW:
        reduced[_AZ] = known.get(_AZ) or _UNKNOWN
        reduced["OS-EXT-STS:power_state"] = 0
        reduced["user_id"] = known.get("user_id") or _UNKNOWN
    return orjson.dumps(reduced).decode()
