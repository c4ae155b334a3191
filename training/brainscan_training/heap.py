"""Memory that a step gives back is kept for the next step."""

from __future__ import annotations

import ctypes
import sys

# Names and numbers of glibc's <malloc.h>.
_M_TRIM_THRESHOLD = -1
_M_MMAP_MAX = -4
_NEVER = 2**31 - 1


def keep_freed_memory() -> None:
    """Have the C library keep what is freed, where it is glibc; it holds for the whole process.

    It would return large arrays to the system at once and take them anew, page by page, in the next step: a fifth of a
    step on a CPU. The most that is ever held stays the same.
    """
    if sys.platform != "linux":
        return
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if set_option is not None:
        set_option(_M_MMAP_MAX, 0)
        set_option(_M_TRIM_THRESHOLD, _NEVER)
