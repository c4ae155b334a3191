"""What the C library does with freed memory while windows are computed, scored or trained on."""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache

# Of glibc's malloc.h.
_TRIM_THRESHOLD = -1
_MMAP_THRESHOLD = -3

_KEPT_BYTES = 2**31 - 1  # the most it takes
_LARGE_BYTES = (1 << 30, 1 << 25)  # older versions take no more than 32 MiB


@cache
def keep_freed_memory() -> bool:
    """Let this process keep what it has freed (up to 2 GiB) for what it asks for next.

    A network frees and asks for the same megabytes at every layer. glibc gives them back to the system in between,
    which hands them out again page by page, zeroed: 400,000 page faults and a fifth of the processor's time for an
    hour of EEG, a fifth of a training step. The most that is ever held stays the same. Other C libraries, and who has
    set glibc's own variables, are left alone.

    Returns
    -------
    bool
        Whether it could be arranged.
    """
    if not sys.platform.startswith("linux") or any(name.startswith("MALLOC_") for name in os.environ):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    # The first alone would make it worse: it ends the adjustment of the second.
    return any(mallopt(_MMAP_THRESHOLD, size) for size in _LARGE_BYTES) and bool(mallopt(_TRIM_THRESHOLD, _KEPT_BYTES))
