# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL log sequence numbers: text `X/Y` (two hexadecimal halves of 64 bits) to int and back. Pure.

Compare the ints, never the texts: `0/9` is before `0/10`.
"""

import re

from treetop.errors import StopZone
from treetop.model.change import Position

_PATTERN = re.compile(r"([0-9A-Fa-f]{1,8})/([0-9A-Fa-f]{1,8})")

# A WAL page begins with a header of 24 bytes, the first of a segment with 40 (PostgreSQL, xlog_internal.h).
_PAGE_BYTES = 8192
_LONGEST_HEADER_BYTES = 40


def parse_lsn(text: str) -> int:
    """Return a position's number. Raises `StopZone` for text that no PostgreSQL source has made."""
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise StopZone(
            f"the stored position {text!r} is not a PostgreSQL position",
            hint="the zone's URL was changed to another engine: treetop zone resync NAME",
        )
    return int(match[1], 16) << 32 | int(match[2], 16)


def print_lsn(lsn: int) -> Position:
    """Return a number as PostgreSQL prints it, e.g. `0/16B3748`."""
    return Position(f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}")


def end_of_last_record(insert_lsn: int) -> int:
    """Return where the last record before an insert position ends, as a log reader would say it.

    Where a record ends with its page, the server's insert position already stands behind the next page's
    header, and a reader stands before it; on an idle server the two would differ until somebody writes.
    No record ends between a page's start and the returned point, so rounding down cannot pass one by.
    """
    into_page = insert_lsn % _PAGE_BYTES
    return insert_lsn - into_page if into_page <= _LONGEST_HEADER_BYTES else insert_lsn
