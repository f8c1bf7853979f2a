# SPDX-License-Identifier: Apache-2.0
"""A second reader of a zone's log, to count what the top should have counted."""

from treetop.capture import open_log
from treetop.model.change import Position, Transaction
from treetop.model.zone import Zone


class Witness:
    """Begins where it is made; make it while nothing is written, before the zone's worker begins."""

    def __init__(self, zone: Zone) -> None:
        self._zone = zone
        self._began: Position = open_log(zone, slot_suffix="witness").begin()

    def count_to(self, mark: str) -> int:
        """Transactions with watched rows, up to the one that names a server `mark`."""
        log = open_log(self._zone, slot_suffix="witness")
        count = 0
        for event in log.stream(self._began):
            if isinstance(event, Transaction):
                assert event.is_complete
                count += bool(event.changes)
                if any(mark in change.row for change in event.changes):
                    break
        log.close()
        log.forget()
        return count
