# SPDX-License-Identifier: Apache-2.0
"""Requests that wait a moment for a zone: only a few at once, so that the others still find a thread."""

import threading
import time
from collections.abc import Callable
from typing import Final

_LOOK_SECONDS: Final = (
    0.05  # one small query; a zone that is read moves its position up to a hundred times a second
)


class Patience:
    """Shared by all threads of a process. most: requests that may wait at the same time."""

    def __init__(self, *, most: int) -> None:
        self._seats = threading.BoundedSemaphore(most)

    def until(self, is_met: Callable[[], bool], *, seconds: float) -> bool:
        """Look until `is_met` or the time is up, and say which; without a free seat it has looked once."""
        if is_met():
            return True
        if seconds <= 0 or not self._seats.acquire(blocking=False):
            return False
        try:
            return _looked(is_met, time.monotonic() + seconds)
        finally:
            self._seats.release()


def _looked(is_met: Callable[[], bool], deadline: float) -> bool:
    while (left := deadline - time.monotonic()) > 0:
        time.sleep(min(_LOOK_SECONDS, left))
        if is_met():
            return True
    return False
