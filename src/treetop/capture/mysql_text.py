# SPDX-License-Identifier: Apache-2.0
"""The canonical forms that log and SELECT of MariaDB and MySQL share: text, timestamps, numbers. Pure.

`binlog_columns` comes here with bytes of the log, `mysql_values` with the text of a result; the same row must
give the same value by both ways (`model.change` names the forms).
"""

import codecs
from datetime import UTC, datetime, timedelta
from typing import Final

NUL: Final = "\0"
REPLACEMENT: Final = "\ufffd"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# MySQL's latin1 is Windows-1252 whose five unused places are the C1 control of the same number.
_LATIN1 = "".join(
    chr(place)
    if 0x80 <= place < 0xA0 and place in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
    else bytes((place,)).decode("cp1252")
    for place in range(256)
)


def utf8_text(raw: bytes) -> str:
    """Decode UTF-8; invalid bytes and U+0000 (which PostgreSQL cannot store) become U+FFFD."""
    return raw.decode("utf-8", "replace").replace(NUL, REPLACEMENT)


def latin1_text(raw: bytes) -> str:
    """Decode MySQL's latin1; U+0000 becomes U+FFFD."""
    return codecs.charmap_decode(raw, "strict", _LATIN1)[0].replace(NUL, REPLACEMENT)


def timestamp_text(seconds: int, microseconds: int) -> str | None:
    """Print a TIMESTAMP stored as seconds since 1970 UTC; 0 is MySQL's zero date: None."""
    if not seconds:
        return None
    text = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S")
    return f"{text}.{microseconds:06d}".rstrip("0") if microseconds else text


def date_text(year: int, month: int, day: int) -> str | None:
    """Print a DATE; one without a month or day is None."""
    return f"{year:04d}-{month:02d}-{day:02d}" if month and day else None


def printed_timestamp(text: str) -> str | None:
    """Bring a DATETIME or TIMESTAMP as SELECT prints it (session time zone +00:00) to canonical form."""
    if text[5:7] == "00" or text[8:10] == "00":
        return None
    return text.rstrip("0").rstrip(".") if "." in text else text


def printed_date(text: str) -> str | None:
    """Bring a DATE as SELECT prints it to canonical form."""
    return None if text[5:7] == "00" or text[8:10] == "00" else text


def float_text(number: float) -> str:
    """Print a FLOAT: six significant digits, as much as SELECT shows."""
    return f"{number:.6g}"


def double_text(number: float) -> str:
    """Print a DOUBLE: the shortest text that reads back as the same number."""
    return repr(number)


def year_number(stored: int) -> int:
    """Return the year behind a YEAR column's byte; 0 stays 0."""
    return stored + 1900 if stored else 0
