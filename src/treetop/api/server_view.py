# SPDX-License-Identifier: Apache-2.0
"""Rows -> server documents: a renderer compiled from `server_fields` per (view, microversion, kind of
caller). Pure.

One f-string per renderer pastes stored JSON text into the document: 4 ms of CPU for 1,000 servers, where
building and encoding objects takes 15. Policies and microversions are decided while compiling, never per
server.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from treetop.api import json_text, server_values
from treetop.api.caller import Caller
from treetop.api.permission import Permission
from treetop.api.server_fields import FIELDS, JOINS, LOCALS, Field, View
from treetop.nova.states import BUILDING_STATE, status_of

#: What other tables say about the servers of a page: join -> key -> value. Any: as each join has it.
Joined = Mapping[str, Mapping[Any, Any]]

#: Rows, the page's facts, its two URLs and what was joined in, the documents as JSON texts out.
_Render = Callable[[Sequence[tuple[Any, ...]], "Page", str, str, Joined], list[str]]

#: What the values of `server_fields` may name.
_NAMES: Final[Mapping[str, object]] = MappingProxyType(
    {
        **{name: getattr(json_text, name) for name in vars(json_text) if not name.startswith("_")},
        **{name: getattr(server_values, name) for name in vars(server_values) if not name.startswith("_")},
        "status_of": status_of,
        "BUILDING_STATE": BUILDING_STATE,
    }
)
#: Microversions at which some field appears or goes: between two of them all documents are alike.
_STEPS: Final = tuple(
    sorted({field.since for field in FIELDS} | {(field.until or 0) + 1 for field in FIELDS})
)
_DECIDING: Final = frozenset(
    permission for field in FIELDS for permission in (field.needs, field.lacks) if permission
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What the documents of one answer share.

    base_url: scheme and host, without a slash at the end. project_id: if the request's URL named it.
    open_zones: zones that share host identity. instance_name_template, default_availability_zone: Nova's options.
    """

    base_url: str
    project_id: str | None
    open_zones: frozenset[int]
    instance_name_template: str
    default_availability_zone: str

    def instance_name(self, zone_id: int, source_id: int | None, uuid: str) -> str:
        """As JSON; '' (Nova: not placed) where the zone keeps it, or there is none yet."""
        if source_id is None or zone_id not in self.open_zones:
            return '""'
        return json_text.text(
            server_values.instance_name(self.instance_name_template, source_id=source_id, uuid=uuid)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerView:
    """One compiled shape. columns: what `render` expects in each row, in order; joins: what it expects beside."""

    columns: tuple[str, ...]
    joins: tuple[str, ...]
    _render: _Render

    def render(self, rows: Sequence[tuple[Any, ...]], page: Page, joined: Joined) -> list[str]:
        """One JSON text per row."""
        base = json_text.text(page.base_url)[1:-1]
        project = "" if page.project_id is None else f"/{page.project_id}"
        return self._render(rows, page, f"{base}/v2.1{project}/servers/", f"{base}{project}/", joined)


def server_view(view: View, *, minor: int, caller: Caller, project_id: str | None = None) -> ServerView:
    """The shape for a request; compiled once per process and kept. project_id: whose server it is; None: a list's."""
    step = max(step for step in _STEPS if step <= minor)
    is_own = project_id in (None, caller.project_id)
    permissions = caller.permissions if is_own else caller.elsewhere
    return _compile(view, step, permissions & _DECIDING, caller.is_admin)


def fields_of(view: View, minor: int, permissions: frozenset[Permission]) -> tuple[Field, ...]:
    """The fields of a document, each key once."""
    return tuple(
        field
        for field in FIELDS
        if view in field.views
        and field.since <= minor
        and (field.until is None or minor <= field.until)
        and (field.needs is None or field.needs in permissions)
        and (field.lacks is None or field.lacks not in permissions)
    )


@cache  # at most 3 views x 20 steps x 8 kinds of callers
def _compile(view: View, minor: int, permissions: frozenset[Permission], is_admin: bool) -> ServerView:
    fields = fields_of(view, minor, permissions)
    used = _with_parts(name for field in fields for name in field.uses.split())
    columns = tuple(name for name in used if name not in LOCALS and name not in JOINS)
    joins = tuple(name for name in used if name in JOINS)
    source = _source(fields, columns, tuple(name for name in used if name in LOCALS), joins)
    names: dict[str, Any] = {**_NAMES, "is_admin": is_admin}
    exec(compile(source, f"<server {view} 2.{minor}>", "exec"), names)  # noqa: S102 - our own table, no input
    return ServerView(columns=columns, joins=joins, _render=names["render"])


def _with_parts(names: Iterable[str]) -> tuple[str, ...]:
    """The names and what they are made of, each once."""
    found: dict[str, None] = {}
    for name in names:
        parts = LOCALS[name].uses if name in LOCALS else JOINS.get(name, "")
        found.update(dict.fromkeys((*_with_parts(parts.split()), name)))
    return tuple(found)


def _source(
    fields: Sequence[Field], columns: Sequence[str], locals_: Sequence[str], joins: Sequence[str]
) -> str:
    before = [f"    {name} = joined['{name}']\n" for name in joins]
    body = [f"        {name} = {LOCALS[name].expression}\n" for name in locals_]
    members = ",".join(f'"{field.key}":{field.value}' for field in fields if not field.is_optional)
    optional = "".join(f'{{member("{field.key}", {field.value})}}' for field in fields if field.is_optional)
    return (
        "def render(rows, page, server_url, bookmark_url, joined):\n"
        "    documents = []\n"
        "    add = documents.append\n"
        f"{''.join(before)}"
        f"    for ({', '.join(columns)},) in rows:\n"
        f"{''.join(body)}"
        f"        add(f'''{{{{{members}{optional}}}}}''')\n"
        "    return documents\n"
    )
