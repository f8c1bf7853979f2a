# SPDX-License-Identifier: Apache-2.0
"""The orders in which servers can be listed, and where a page begins: keyset conditions that know NULL. Pure.

NULL is the smallest value: first when ascending, last when descending, in every order. Text orders without
regard to case, by code point, so the order does not depend on the machine. The uuid, ascending, ends every
order, so that no two servers are equal and a page can begin exactly after the last server of the page before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, LiteralString

from psycopg import sql

_TEXT = """
    access_ip_v4 access_ip_v6 availability_zone config_drive display_description display_name host
    hostname image_ref kernel_id key_name locked_by node project_id ramdisk_id root_device_name
    task_state user_id vm_state
"""

#: Sort key -> SQL type. The keys are Nova's; all of them are columns of `server`.
SORT_KEYS: Final[Mapping[str, LiteralString]] = MappingProxyType(
    {
        **dict.fromkeys(_TEXT.split(), "text"),
        **dict.fromkeys(("created_at", "launched_at", "terminated_at", "updated_at"), "timestamp"),
        **dict.fromkeys(("instance_type_id", "launch_index", "power_state", "progress"), "integer"),
        **dict.fromkeys(("auto_disk_config", "locked"), "boolean"),
        "uuid": "uuid",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SortKey:
    """One of `SORT_KEYS` and its direction."""

    name: str
    descending: bool

    @property
    def expression(self) -> sql.Composable:
        """What is compared."""
        column = sql.Identifier("server", self.name)
        if SORT_KEYS[self.name] == "text":
            return sql.SQL('lower({}) COLLATE "C"').format(column)
        return column

    @property
    def order(self) -> sql.Composable:
        """The term of ORDER BY."""
        direction = sql.SQL(" DESC NULLS LAST" if self.descending else " ASC NULLS FIRST")
        if self.name == "uuid":
            direction = sql.SQL(" DESC" if self.descending else " ASC")  # never NULL; fits the indexes
        return self.expression + direction


NEWEST_FIRST: Final = (SortKey(name="created_at", descending=True),)
_LAST: Final = SortKey(name="uuid", descending=False)


def complete(keys: Sequence[SortKey]) -> tuple[SortKey, ...]:
    """The keys up to the first uuid, which is added if missing; a key named twice counts once."""
    result: dict[str, SortKey] = {}
    for key in (*keys, _LAST):
        result.setdefault(key.name, key)
        if key.name == "uuid":
            break
    return tuple(result.values())


def segments(keys: Sequence[SortKey], marker: Sequence[object]) -> tuple[sql.Composable, ...]:
    """Conditions for "after the marker": the first one's servers come first, then the second's.

    keys: a complete order; marker: its values, named `m0`, `m1`… among the parameters. The first condition is
    cut to a range that an index on the first key can start at; what NULLs leave over is in the second (often
    none).
    """
    first, is_null = keys[0], marker[0] is None
    rest = _after(keys[1:], marker[1:], 1) if len(keys) > 1 else sql.SQL("false")
    name = first.expression
    if is_null:
        within = sql.SQL("({} IS NULL AND {})").format(name, rest)
        return (within,) if first.descending else (within, sql.SQL("{} IS NOT NULL").format(name))
    value = _value(first, 0)
    template: LiteralString = "({n} >= {v} AND ({n} > {v} OR {rest}))"
    if first.descending:
        template = "({n} <= {v} AND ({n} < {v} OR {rest}))"
    within = sql.SQL(template).format(n=name, v=value, rest=rest)
    if first.descending and first.name != "uuid":
        return (within, sql.SQL("{} IS NULL").format(name))
    return (within,)


def _after(keys: Sequence[SortKey], marker: Sequence[object], position: int) -> sql.Composable:
    key, is_null = keys[0], marker[0] is None
    name, value = key.expression, _value(key, position)
    if is_null:
        beyond = sql.SQL("false") if key.descending else sql.SQL("{} IS NOT NULL").format(name)
        equal = sql.SQL("{} IS NULL").format(name)
    else:
        template: LiteralString = "({n} < {v} OR {n} IS NULL)" if key.descending else "{n} > {v}"
        beyond = sql.SQL(template).format(n=name, v=value)
        equal = sql.SQL("{} = {}").format(name, value)
    if len(keys) == 1:
        return beyond
    rest = _after(keys[1:], marker[1:], position + 1)
    return sql.SQL("({} OR ({} AND {}))").format(beyond, equal, rest)


def _value(key: SortKey, position: int) -> sql.Composable:
    return sql.SQL("{}::" + SORT_KEYS[key.name]).format(sql.Placeholder(f"m{position}"))
