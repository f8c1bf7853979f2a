# SPDX-License-Identifier: Apache-2.0
"""Writes the Python function that reads one table's rows with one set of NULLs. Pure.

In: the columns' widths, readers of the wanted ones, and which columns are NULL. Out: a function (bytes,
offset behind the NULL bitmap) -> (values, offset behind the row). Runs of fixed columns become one
`unpack_from`, with the length of the text behind them; columns that are not wanted only move the cursor.
The function raises UnicodeDecodeError for text that is not UTF-8 and struct.error or IndexError beyond the
data's end.
"""

from collections.abc import Callable, Sequence
from struct import Struct
from typing import Any

from treetop.capture.binlog_columns import Reader, Width
from treetop.capture.mysql_text import NUL, REPLACEMENT
from treetop.model.change import Row

#: (data, offset just after the NULL bitmap) -> (values, offset after the row)
RowFunction = Callable[[bytes, int], tuple[Row, int]]


def generate(
    widths: Sequence[Width], readers: dict[int, Reader], order: Sequence[int | None], null_bits: int
) -> RowFunction:
    """Make the function for rows with just these NULLs."""
    code = _Lines()
    for place, shape in enumerate(widths):
        if not null_bits >> place & 1:
            code.add(place, shape, readers.get(place))
    code.finish()
    values = ("None" if place is None or null_bits >> place & 1 else f"v{place}" for place in order)
    source = "\n ".join(
        ["def read(data, p):", *code.lines, f"return ({''.join(f'{v}, ' for v in values)}), p"]
    )
    names = code.names
    exec(source, names)  # noqa: S102  # made of numbers only: places, sizes, struct codes
    function: RowFunction = names["read"]
    return function


class _Lines:
    """The lines of a generated function: `p` is the cursor, `skipped` bytes behind it are pending."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names: dict[str, Any] = {"N": NUL, "R": REPLACEMENT}  # Any: globals of generated code
        self._pending = ""
        self._targets: list[str] = []
        self._skipped = 0

    def add(self, place: int, shape: Width, wanted: Reader | None) -> None:
        """Add one column that is not NULL."""
        if shape.prefix:
            self._flush_to_length(shape.prefix)
            if wanted is None:
                self.lines.append("p += n")
            else:
                self.lines += ["q = p", "p += n", *self._text(place, wanted)]
            return
        self._skipped += shape.size
        if wanted is None:
            self._pending += f"{shape.size}x"
            return
        self._pending += wanted.code
        self._targets.append(f"v{place}")
        if wanted.convert is not None:
            self.names[f"c{place}"] = wanted.convert

    def finish(self) -> None:
        """Add what is still pending behind the last text."""
        if self._targets:
            self._unpack()
        if self._skipped:
            self.lines.append(f"p += {self._skipped}")

    def _text(self, place: int, wanted: Reader) -> list[str]:
        if wanted.convert is not None:
            self.names[f"c{place}"] = wanted.convert
            return [f"v{place} = c{place}(data[q:p])"]
        return [f"v{place} = data[q:p].decode()", f"if N in v{place}: v{place} = v{place}.replace(N, R)"]

    def _flush_to_length(self, prefix: int) -> None:
        at = self._skipped
        self._skipped += prefix
        if self._targets:
            self._pending += {1: "B", 2: "H", 3: "HB", 4: "I"}[prefix]
            self._targets += ["n", "m"] if prefix == 3 else ["n"]
            self._unpack()
            if prefix == 3:
                self.lines.append("n |= m << 16")
        else:
            places = (f"data[p + {at + byte}]{f' << {8 * byte}' if byte else ''}" for byte in range(prefix))
            self.lines.append(f"n = {' | '.join(places)}")
        self.lines.append(f"p += {self._skipped}")
        self._pending, self._skipped = "", 0

    def _unpack(self) -> None:
        name = f"s{len(self.lines)}"
        self.names[name] = Struct("<" + self._pending).unpack_from
        self.lines.append(f"{''.join(f'{target}, ' for target in self._targets)}= {name}(data, p)")
        for target in self._targets:
            convert = f"c{target[1:]}"
            if convert in self.names:
                self.lines.append(f"{target} = {convert}({target})")
        self._targets = []
