# SPDX-License-Identifier: Apache-2.0
"""How a running demo's zones stand, for a person: a table that is rewritten in place, or a line now and then.

The table needs a terminal that can move its cursor; elsewhere (a pipe, a log, TERM=dumb) nothing but plain lines is
written. No colours.
"""

import os
import time
from collections.abc import Sequence
from typing import Final, TextIO

from treetop.store.zones import ZoneReport

LINE_SECONDS: Final = 10.0
_HEAD: Final = (
    f"{'zone':10} {'engine':11} {'state':12} {'servers':>9} {'transactions':>13} {'per s':>7} {'lag s':>7}"
)


class Screen:
    """Writes the zones to `output`. Remembers the last counts, to show what was done a second."""

    def __init__(self, output: TextIO, reports: Sequence[ZoneReport]) -> None:
        self._output = output
        self._is_table = output.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self._table_lines = 0
        self._before = _counts(reports)
        self._shown_at = time.monotonic()

    def show(self, reports: Sequence[ZoneReport]) -> None:
        """Write the zones as they are now, or nothing when a line was written less than 10 s ago."""
        seconds = time.monotonic() - self._shown_at
        if not self._is_table and seconds < LINE_SECONDS:
            return
        counts = _counts(reports)
        rates = {
            name: max(0, n - self._before.get(name, 0)) / max(0.1, seconds) for name, n in counts.items()
        }
        self._output.write(self._table(reports, rates) if self._is_table else _line(reports, rates))
        self._output.flush()
        self._before = counts
        self._shown_at = time.monotonic()

    def _table(self, reports: Sequence[ZoneReport], rates: dict[str, float]) -> str:
        lines = [_HEAD] + [
            f"{report.zone.name:10} {report.zone.url.engine:11} {report.state:12} {report.servers:9,}"
            f" {report.transactions:13,} {rates[report.zone.name]:7.1f} {report.lag_seconds or 0.0:7.2f}"
            for report in reports
        ]
        back = f"\x1b[{self._table_lines}A" if self._table_lines else ""
        self._table_lines = len(lines)
        return back + "".join(f"\x1b[2K{line}\n" for line in lines)


def _counts(reports: Sequence[ZoneReport]) -> dict[str, int]:
    return {report.zone.name: report.transactions for report in reports}


def _line(reports: Sequence[ZoneReport], rates: dict[str, float]) -> str:
    states = ", ".join(sorted({report.state.value for report in reports}))
    lag = max((report.lag_seconds or 0.0 for report in reports), default=0.0)
    servers = sum(report.servers for report in reports)
    return (
        f"{time.strftime('%H:%M:%S')} {len(reports)} zones {states}, {servers:,} servers,"
        f" {sum(rates.values()):.1f} transactions/s, at most {lag:.2f} s behind\n"
    )
