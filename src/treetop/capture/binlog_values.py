# SPDX-License-Identifier: Apache-2.0
"""The packed forms of dates, times, decimals, enums and sets in a binlog row -> their text. Pure.

Each function takes the bytes (or the number) of one value as the log stores it. What SELECT prints is the
measure, except that fractions lose their trailing zeros and impossible dates are None (`model.change`).

Facts: MySQL source documentation "Date and Time Data Type Representation"; MariaDB `sql/compat56.cc`,
`strings/decimal.c`; tried on MariaDB 10.11.
"""

from treetop.capture.mysql_text import date_text, timestamp_text

_DECIMAL_BYTES = (0, 1, 1, 2, 2, 3, 3, 4, 4, 4)  # for 0 to 9 decimal digits


def _fraction(raw: bytes, digits: int) -> int:
    """Microseconds from a fraction stored in (digits + 1) // 2 bytes, in units of its last even digit."""
    stored = int.from_bytes(raw, "big")
    return stored * int(10 ** (6 - 2 * ((digits + 1) // 2)))


def datetime2_text(raw: bytes, digits: int) -> str | None:
    """Print a DATETIME with `digits` fraction digits."""
    packed = int.from_bytes(raw[:5], "big") - 0x8000000000
    months, day = packed >> 22, packed >> 17 & 31
    month = months % 13
    if not month or not day:
        return None
    text = (
        f"{months // 13:04d}-{month:02d}-{day:02d} "
        f"{packed >> 12 & 31:02d}:{packed >> 6 & 63:02d}:{packed & 63:02d}"
    )
    microseconds = _fraction(raw[5:], digits) if digits else 0
    return f"{text}.{microseconds:06d}".rstrip("0") if microseconds else text


def timestamp2_text(raw: bytes, digits: int) -> str | None:
    """Print a TIMESTAMP with `digits` fraction digits."""
    return timestamp_text(int.from_bytes(raw[:4], "big"), _fraction(raw[4:], digits) if digits else 0)


def old_datetime_text(stored: int) -> str | None:
    """Print a DATETIME as MySQL before 5.6 stores it: its digits as one number."""
    digits = f"{stored:014d}"
    if digits[4:6] == "00" or digits[6:8] == "00":
        return None
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:8]} {digits[8:10]}:{digits[10:12]}:{digits[12:14]}"


def packed_date_text(raw: bytes) -> str | None:
    """Print a DATE: 15 bits of year, 4 of month, 5 of day."""
    packed = int.from_bytes(raw, "little")
    return date_text(packed >> 9, packed >> 5 & 15, packed & 31)


def time2_text(raw: bytes, digits: int) -> str:
    """Print a TIME with all its `digits` fraction digits, as SELECT does."""
    bits = 8 * len(raw)
    packed = int.from_bytes(raw, "big") - (1 << (bits - 1))
    sign, packed = ("-", -packed) if packed < 0 else ("", packed)
    whole = packed >> (bits - 24)
    text = f"{sign}{whole >> 12 & 1023:02d}:{whole >> 6 & 63:02d}:{whole & 63:02d}"
    if not digits:
        return text
    stored = packed & ((1 << (bits - 24)) - 1)
    microseconds = stored * int(10 ** (6 - 2 * ((digits + 1) // 2)))
    return f"{text}.{microseconds:06d}"[: len(text) + 1 + digits]


def old_time_text(raw: bytes) -> str:
    """Print a TIME as MySQL before 5.6 stores it."""
    stored = int.from_bytes(raw, "little", signed=True)
    sign, stored = ("-", -stored) if stored < 0 else ("", stored)
    return f"{sign}{stored // 10000:02d}:{stored // 100 % 100:02d}:{stored % 100:02d}"


def enum_label(raw: bytes, labels: tuple[str, ...]) -> str:
    """Return the label of an ENUM; "" for a value that non-strict mode refused."""
    index = int.from_bytes(raw, "little")
    return labels[index - 1] if index else ""


def set_labels(raw: bytes, labels: tuple[str, ...]) -> str:
    """Return the labels of a SET, joined by commas."""
    bits = int.from_bytes(raw, "little")
    return ",".join(label for place, label in enumerate(labels) if bits >> place & 1)


def decimal_parts(meta: int) -> tuple[int, int, int, int]:
    """Bytes of: leading whole digits, whole groups of nine, fraction groups of nine, trailing digits."""
    whole, decimals = (meta >> 8) - (meta & 255), meta & 255
    return _DECIMAL_BYTES[whole % 9], whole // 9 * 4, decimals // 9 * 4, _DECIMAL_BYTES[decimals % 9]


def decimal_text(raw: bytes, meta: int) -> str:
    """Print a DECIMAL of `meta` = digits << 8 | decimals."""
    is_negative = not raw[0] & 0x80
    digits = bytes((raw[0] ^ 0x80, *raw[1:]))
    if is_negative:
        digits = bytes(byte ^ 0xFF for byte in digits)
    decimals = meta & 255
    lead, groups, fraction_groups, tail = decimal_parts(meta)
    text = str(int.from_bytes(digits[:lead], "big")) if lead else ""
    for at in range(lead, lead + groups + fraction_groups, 4):
        text += f"{int.from_bytes(digits[at : at + 4], 'big'):09d}"
    if tail:
        text += f"{int.from_bytes(digits[-tail:], 'big'):0{decimals % 9}d}"
    whole, fraction = (text[:-decimals], text[-decimals:]) if decimals else (text, "")
    sign = "-" if is_negative else ""
    return sign + (whole.lstrip("0") or "0") + (f".{fraction}" if decimals else "")
