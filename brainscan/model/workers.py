"""Threads that take pieces of work whole.

Several windows beside each other use a machine better than several threads within one window, which wait for
each other at every operation, and for whatever else the machine does. And no result then depends on the number
of threads.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from brainscan.model.allocator import keep_freed_memory

Given = TypeVar("Given")
Result = TypeVar("Result")
Pool = Callable[[int], ThreadPoolExecutor]

_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def processors() -> int:
    """Return how many processors this process may use."""
    try:
        n = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        n = os.cpu_count() or 1
    with suppress(OSError, ValueError):
        quota, period = _QUOTA.read_text(encoding="ascii").split()
        n = min(n, max(1, round(int(quota) / int(period))))  # "max" is no number and no limit
    return n


def usual_threads() -> int:
    """Return how many threads are sensible: one a processor, unless OMP_NUM_THREADS says otherwise."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    return int(told) if told.isdecimal() and int(told) else processors()


def plain(count: int, initializer: Callable[[], None] | None = None) -> ThreadPoolExecutor:
    """Return a pool of threads, each of which begins with a call."""
    return ThreadPoolExecutor(count, thread_name_prefix="brainscan-window", initializer=initializer)


class Workers:
    """A fixed number of threads, started when there is work.

    Parameters
    ----------
    count : int
        At least 1.
    pool : callable
        ``count -> ThreadPoolExecutor``: how they are started.
    """

    def __init__(self, count: int, pool: Pool = plain) -> None:
        if count < 1:
            raise ValueError(f"there must be a worker, got {count}")
        self.count = count
        self._start = pool
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._owner = 0

    def submit(self, work: Callable[[Given], Result], pieces: Iterable[Given]) -> list[Future[Result]]:
        """Begin the work on each piece and return where the results will be, in the order of the pieces."""
        pool = self._running()
        return [pool.submit(work, piece) for piece in pieces]

    def _running(self) -> ThreadPoolExecutor:
        with self._lock:
            # In a forked child the parent's threads are not there.
            if self._pool is None or self._owner != os.getpid():
                keep_freed_memory()
                self._pool, self._owner = self._start(self.count), os.getpid()
            return self._pool
