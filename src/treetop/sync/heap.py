# SPDX-License-Identifier: Apache-2.0
"""Keeps a worker's memory near what it uses: a hundred workers share a machine.

A load fills the heap with rows that are garbage when it ends, and glibc keeps a heap per thread. Both calls do
nothing where the C library is another one.
"""

import ctypes
import gc
from typing import Final

_ARENA_MAX: Final = -8  # M_ARENA_MAX of glibc's mallopt


def share_one_heap() -> None:
    """Let all threads of this process use one heap; call it before threads start."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_ARENA_MAX, 1)


def give_back() -> None:
    """Return to the system what is not used any more; takes some milliseconds."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
