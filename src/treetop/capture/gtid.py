# SPDX-License-Identifier: Apache-2.0
"""Which transactions a MariaDB or MySQL position has seen: GTID sets, parsed, printed, compared. Pure.

MariaDB's set is one last `domain-server-sequence` per replication domain; everything of a domain up to its
sequence number is in it (sequence numbers grow in a domain, whichever server wrote). MySQL's set is
intervals of numbers per server uuid. Both print to the text that `model.change.Position` holds. Sets are
values: `advance` gives a new set. Malformed text raises `StopZone`: a stored position that cannot be read
must not be guessed.

Facts: mariadb.com "Global Transaction ID"; MySQL reference manual 19.1.3.1 "GTID Format and Storage".
"""

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, Self
from uuid import UUID

from treetop.capture.log_place import SEPARATOR
from treetop.errors import StopZone
from treetop.model.change import Mark, Position

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HINT = "the stored position is damaged or belongs to another kind of database: treetop zone resync NAME"


class GtidSet(Protocol):
    """What both engines' sets can do."""

    def contains(self, mark: Mark) -> bool:
        """Say whether the transaction is in the set."""

    def covers(self, other: Self) -> bool:
        """Say whether every transaction of `other` is in this set."""

    def text(self) -> Position:
        """Print the set: the same set always gives the same text."""


@dataclass(frozen=True, slots=True)
class MariadbGtidSet:
    """domain -> (server_id, sequence) of the last transaction seen in it; a domain never leaves the set."""

    last: Mapping[int, tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `0-1-105,3-1-7`, with or without a `LogPlace` behind it; the empty text is the empty set."""
        last: dict[int, tuple[int, int]] = {}
        for part in filter(None, (part.strip() for part in text.partition(SEPARATOR)[0].split(","))):
            numbers = part.split("-")
            if len(numbers) != 3 or not all(number.isdecimal() for number in numbers):
                raise StopZone(f"{text!r} is not a MariaDB GTID position", hint=_HINT)
            domain, server_id, sequence = map(int, numbers)
            if domain not in last or last[domain][1] < sequence:
                last[domain] = (server_id, sequence)
        return cls(last)

    def contains(self, mark: Mark) -> bool:
        """Say whether (domain, sequence) is in the set."""
        assert isinstance(mark, tuple)
        domain, sequence = mark
        seen = self.last.get(domain)  # type: ignore[arg-type]  # a MariaDB mark: (int, int)
        return seen is not None and sequence <= seen[1]

    def covers(self, other: "MariadbGtidSet") -> bool:
        """Say whether this set has reached the other in every domain of the other."""
        return all(self.contains((domain, sequence)) for domain, (_, sequence) in other.last.items())

    def advance(self, domain: int, server_id: int, sequence: int) -> "MariadbGtidSet":
        """Return the set after the transaction `domain-server_id-sequence`."""
        return MariadbGtidSet({**self.last, domain: (server_id, sequence)})

    def text(self) -> Position:
        """Print `domain-server-sequence`, ordered by domain."""
        return Position(
            ",".join(
                f"{domain}-{server}-{sequence}" for domain, (server, sequence) in sorted(self.last.items())
            )
        )


Intervals = tuple[tuple[int, int], ...]  # first and last number, both inside; ordered, never touching


@dataclass(frozen=True, slots=True)
class MysqlGtidSet:
    """Server uuid -> intervals of transaction numbers."""

    intervals: Mapping[str, Intervals] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `uuid:1-77:80,uuid2:5` (line breaks and spaces allowed, as the server prints them)."""
        found: dict[str, list[tuple[int, int]]] = {}
        for part in filter(None, (part.strip() for part in text.replace("\n", "").split(","))):
            uuid, *ranges = part.lower().split(":")
            if not _UUID.fullmatch(uuid) or not ranges:
                raise StopZone(
                    f"{part!r} is not a MySQL GTID set (tagged GTIDs are not supported)", hint=_HINT
                )
            for text_range in ranges:
                first, _, last = text_range.partition("-")
                if not first.isdecimal() or (last and not last.isdecimal()):
                    raise StopZone(
                        f"{part!r} is not a MySQL GTID set (tagged GTIDs are not supported)", hint=_HINT
                    )
                found.setdefault(uuid, []).append((int(first), int(last or first)))
        return cls({uuid: _merged(ranges) for uuid, ranges in found.items()})

    def contains(self, mark: Mark) -> bool:
        """Say whether (server uuid, number) is in the set."""
        assert isinstance(mark, tuple)
        uuid, number = mark
        ranges = self.intervals.get(uuid, ())  # type: ignore[arg-type]  # a MySQL mark: (str, int)
        place = bisect_right(ranges, number, key=lambda interval: interval[0]) - 1
        return place >= 0 and number <= ranges[place][1]

    def covers(self, other: "MysqlGtidSet") -> bool:
        """Say whether every interval of the other lies inside one of ours."""
        return all(
            any(first >= ours[0] and last <= ours[1] for ours in self.intervals.get(uuid, ()))
            for uuid, ranges in other.intervals.items()
            for first, last in ranges
        )

    def advance(self, uuid: str, number: int) -> "MysqlGtidSet":
        """Return the set after the transaction `uuid:number`."""
        ranges = self.intervals.get(uuid, ())
        if ranges and ranges[-1][1] == number - 1:  # the usual case, without sorting
            grown: Intervals = (*ranges[:-1], (ranges[-1][0], number))
        else:
            grown = _merged([*ranges, (number, number)])
        return MysqlGtidSet({**self.intervals, uuid: grown})

    def text(self) -> Position:
        """Print `uuid:first-last:…`, ordered by uuid."""
        return Position(
            ",".join(
                ":".join(
                    (uuid, *(str(first) if first == last else f"{first}-{last}" for first, last in ranges))
                )
                for uuid, ranges in sorted(self.intervals.items())
            )
        )

    def encode(self) -> bytes:
        """Give the set in COM_BINLOG_DUMP_GTID's form: intervals there end one past the last number."""
        parts = [len(self.intervals).to_bytes(8, "little")]
        for uuid, ranges in sorted(self.intervals.items()):
            parts += [UUID(uuid).bytes, len(ranges).to_bytes(8, "little")]
            parts += [number.to_bytes(8, "little") for first, last in ranges for number in (first, last + 1)]
        return b"".join(parts)


def _merged(ranges: list[tuple[int, int]]) -> Intervals:
    merged: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return tuple(merged)
