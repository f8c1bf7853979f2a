# SPDX-License-Identifier: Apache-2.0
"""Where in which log file of which MariaDB the last transaction of a position ends: the position's hint. Pure.

A GTID does not tell two histories apart: after RESET MASTER, a crash that cost the log its end, or a restored
backup the same numbers are given again. So a position carries, behind its GTID set, the place of its last
transaction's closing event and a fingerprint of it: `0-1-105,3-1-7 at binlog.000003:12345:1:9f3a01bc` (file,
offset of the event's first byte, server, CRC-32). The place is no part of the set and is never compared with
one; positions of older versions and of quiet new zones come without.
"""

import re
import zlib
from dataclasses import dataclass
from struct import Struct
from typing import Self

from treetop.errors import StopZone
from treetop.model.change import Position

SEPARATOR = " at "
EVENT_BYTES = 27  # header, and the first 8 bytes of the body: an XID; a statement's thread id and duration
_SIZE_AND_END = Struct("<II")  # from the 9th byte of an event's header on
_TEXT = re.compile(r"(?P<file>\S+):(?P<offset>\d+):(?P<server>[\w-]+):(?P<fingerprint>[0-9a-f]{8})")


@dataclass(frozen=True, slots=True)
class LogPlace:
    """The closing event of one transaction.

    offset: bytes from the file's beginning to the event. server: whose file it is, see `mysql_place`.
    fingerprint: of the event's time, server id, size and transaction (or thread) number.
    """

    file: str
    offset: int
    server: str
    fingerprint: int

    @classmethod
    def of_event(cls, data: bytes, start: int, *, file: str, server: str) -> Self | None:
        """Return the place of the event at data[start:]; None where the log is too long to say (4 GiB)."""
        size, end = _SIZE_AND_END.unpack_from(data, start + 9)
        if end - size < 4 or " " in file:
            return None
        return cls(file, end - size, server, zlib.crc32(data[start : start + EVENT_BYTES]))

    @classmethod
    def of_position(cls, position: str) -> Self | None:
        """Read a position's hint; None: it has none. Raises `StopZone` when there is one that is damaged."""
        _, separator, text = position.partition(SEPARATOR)
        if not separator:
            return None
        found = _TEXT.fullmatch(text)
        if found is None:
            raise StopZone(
                f"{text!r} names no place in a MariaDB log",
                hint="the stored position is damaged: treetop zone resync NAME",
            )
        return cls(found["file"], int(found["offset"]), found["server"], int(found["fingerprint"], 16))

    def behind(self, gtids: Position) -> Position:
        """Put the hint behind a GTID set's text."""
        return Position(f"{gtids}{SEPARATOR}{self.file}:{self.offset}:{self.server}:{self.fingerprint:08x}")
