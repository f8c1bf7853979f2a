# SPDX-License-Identifier: Apache-2.0
"""What one can ask of servers, as conditions: equal, matching, in a state, updated since, tagged, at an
address.

Text compares the way Nova's MariaDB does: in any case. Patterns are regular expressions, unanchored, in any
case, where `|` is a letter like any other (Nova escapes it before MariaDB sees it). NULL never matches.
"""

import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Final, LiteralString

from treetop.store.clause import Clause

#: Never shown: the losing copy of a server while it is resized across cells.
VISIBLE: Final = Clause(template="hidden IS NOT TRUE")
#: The literal that the partial index server_created asks for.
LIVE: Final = Clause(template="NOT deleted")
NOT_SOFT_DELETED: Final = Clause(template="vm_state IS DISTINCT FROM 'soft-delete'")
GONE: Final = Clause(template="deleted")
GONE_OR_SOFT_DELETED: Final = Clause(template="(deleted OR vm_state = 'soft-delete')")
NOTHING: Final = Clause(template="false")

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SIGNS = re.compile(r"[\\.^$*+?{}\[\]()]")  # without one of these a pattern means itself
_ADDRESS = re.compile(r"[0-9A-Fa-f.:/]+")


def is_uuid(text: str) -> bool:
    """Say whether a text has the form in which Nova writes a uuid, in any case."""
    return _UUID.fullmatch(text) is not None


def of_project(project_id: str) -> Clause:
    """Belonging to a project; exact, so that index server_project answers it."""
    return Clause(template="project_id = {0}", values=(project_id,))


def in_zones(zone_ids: Sequence[int]) -> Clause:
    """In one of these zones: only their partitions are looked at."""
    return Clause(template="zone_id = ANY({0}::smallint[])", values=(list(zone_ids),))


def on_host(host: str, zone_ids: Sequence[int]) -> Clause:
    """On a host, written as Nova has it or in small letters.

    zone_ids: all zones; index server_host of a partition begins with the zone.
    """
    return Clause(
        template="(zone_id = ANY({0}::smallint[]) AND host = ANY({1}::text[]))",
        values=(list(zone_ids), sorted({host, host.lower()})),
    )


def equals(column: str, value: str) -> Clause:
    """Equal in any case."""
    return Clause(template="lower({column}) = lower({0})", column=column, values=(value,))


def one_of(column: str, values: Collection[str]) -> Clause:
    """Equal to one of `values`, which are in small letters, as Nova writes its states."""
    return Clause(template="{column} = ANY({0}::text[])", column=column, values=(sorted(values),))


def is_true(column: str, *, value: bool) -> Clause:
    """A boolean column has this value; NULL counts as false, as in Nova's database."""
    return Clause(template="coalesce({column}, false) = {0}", column=column, values=(value,))


# A flavor's number is the same in all cells of a region, whose own table says which flavor has it now: a server of a
# flavor that was deleted, or made anew under its old id, is not found. Where no such table is read, the flavor that
# the server carries decides.
_FLAVOR: Final[LiteralString] = """
((zone_id, instance_type_id) IN (
     SELECT cell.id, flavor.id::integer
     FROM nova_flavors AS flavor
     JOIN zone AS region ON region.id = flavor.zone_id
     JOIN zone AS cell ON cell.region = region.region AND cell.kind = 'cell'
     WHERE lower(flavor.flavorid) = lower({0}::text)
       AND ({1}::text IS NULL OR flavor.is_public OR EXISTS (
           SELECT FROM nova_flavor_projects AS access
           WHERE access.zone_id = flavor.zone_id AND access.flavor_id = flavor.id AND access.project_id = {1}::text))
 ) OR (
     lower(flavor_id) = lower({0}::text)
     AND zone_id <> ALL (ARRAY(
         SELECT cell.id
         FROM zone AS cell
         JOIN zone AS region USING (region)
         JOIN zone_position ON zone_position.zone_id = region.id AND zone_position.is_loaded
         WHERE region.kind = 'api'))
 ))"""


# Says nothing about a server, so that PostgreSQL looks at none if no region has the flavor.
_KNOWN_FLAVOR: Final[LiteralString] = """
(EXISTS (SELECT FROM nova_flavors WHERE lower(flavorid) = lower({0}::text))
 OR EXISTS (
     SELECT FROM zone AS cell
     WHERE cell.kind = 'cell'
       AND NOT EXISTS (
         SELECT FROM zone AS region
         JOIN zone_position ON zone_position.zone_id = region.id AND zone_position.is_loaded
         WHERE region.region = cell.region AND region.kind = 'api')
 ))"""


def has_flavor(flavor_id: str, *, of_project: str | None) -> tuple[Clause, ...]:
    """Made of a flavor. of_project: which counts only if that project may see it; None: every one counts."""
    return (
        Clause(template=_KNOWN_FLAVOR, values=(flavor_id,)),
        Clause(template=_FLAVOR, values=(flavor_id, of_project)),
    )


def has_uuid(text: str) -> Clause:
    """The server with this uuid; a text that is none matches nothing."""
    if not is_uuid(text):
        return NOTHING
    return Clause(template="uuid = {0}::uuid", values=(text,))


def matches(column: str, pattern: str) -> Clause:
    """A text column matches a regular expression."""
    return _pattern("{column}", column, pattern)


def matches_as_text(column: str, pattern: str) -> Clause:
    """The text of a number or time (`2026-11-22 07:46:31`) matches a regular expression."""
    return _pattern("{column}::text", column, pattern)


def matches_as_digit(column: str, pattern: str) -> Clause:
    """A boolean column, seen as `0` or `1`, matches a regular expression."""
    return _pattern("{column}::integer::text", column, pattern)


def updated_since(at: datetime, *, through_feed: bool) -> tuple[Clause, ...]:
    """Updated at or after `at` (aware). through_feed: only where `server_feed` is complete from `at` on."""
    moment = _zone_time(at)
    direct = Clause(template="updated_at >= {0}::timestamp", values=(moment,))
    if not through_feed:
        return (direct,)
    feed = Clause(
        template="(zone_id, uuid) IN "
        "(SELECT zone_id, uuid FROM server_feed WHERE server_feed.updated_at >= {0}::timestamp)",
        values=(moment,),
    )
    return (feed, direct)


def updated_before(at: datetime) -> Clause:
    """Updated at or before `at` (aware)."""
    return Clause(template="updated_at <= {0}::timestamp", values=(_zone_time(at),))


def tagged(tags: Sequence[str], *, every: bool, negate: bool) -> Clause:
    """Having every (or any) of `tags`, in any case; negate: the others."""
    template: LiteralString = "{1}::text[] <@ ARRAY(SELECT lower(tag) FROM jsonb_object_keys(tags) AS tag)"
    if not every:
        template = "{1}::text[] && ARRAY(SELECT lower(tag) FROM jsonb_object_keys(tags) AS tag)"
    return Clause(
        template="coalesce(" + template + ", false) <> {0}", values=(negate, [tag.lower() for tag in tags])
    )


def at_address(text: str, *, version: int) -> Clause:
    """Having a fixed address of IP `version` (4 or 6) that contains `text`.

    `^` and `$` tie it to the beginning and end of an address, `\\.` is a dot; a text with other signs is
    taken as a regular expression on each address.
    """
    plain = text.removeprefix("^").removesuffix("$").replace("\\.", ".")
    if plain and _ADDRESS.fullmatch(plain) is None:
        colons: LiteralString = "~" if version == 6 else "!~"
        return Clause(
            template="EXISTS (SELECT FROM regexp_split_to_table(fixed_ips, ' ') AS address "
            "WHERE address <> '' AND address " + colons + " ':' AND address ~* {0})",
            values=(_without_alternatives(text),),
            uses_pattern=True,
        )
    digit = "[0-9.]" if version == 4 else "[0-9a-f:.]"
    before = "" if text.startswith("^") else f"{digit}*"
    after = "" if text.endswith("$") else f"{digit}*"
    has_colon = "" if version == 4 else "(?=[^ ]*:)"
    return Clause(template="fixed_ips ~* {0}", values=(f" {has_colon}{before}{re.escape(plain)}{after} ",))


def _pattern(subject: LiteralString, column: str, pattern: str) -> Clause:
    if _SIGNS.search(pattern) is None:  # the usual case; half the cost, and a trigram index could answer it
        contained = "%" + re.sub(r"([%_])", r"\\\1", pattern) + "%"
        return Clause(template=subject + " ILIKE {0}", column=column, values=(contained,))
    return Clause(
        template=subject + " ~* {0}",
        column=column,
        values=(_without_alternatives(pattern),),
        uses_pattern=True,
    )


def _without_alternatives(pattern: str) -> str:
    """`|` means itself. Other differences between Python's and PostgreSQL's patterns stay: PostgreSQL refuses
    them.
    """
    escaped = re.sub(r"(\\.)|\|", lambda found: found[1] or r"\|", pattern, flags=re.DOTALL)
    return (
        "(?:)" + escaped if escaped.startswith("***") else escaped
    )  # *** would be a directive to PostgreSQL


def _zone_time(at: datetime) -> str:
    """The zone's databases keep UTC without saying so."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")
