"""Threads that take pieces of work whole, each with a single thread of torch inside.

Several windows beside each other use a machine better than several threads within one window, which wait for
each other at every operation, and for whatever else the machine does. And no result then depends on the number
of threads.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

from brainscan.model.allocator import keep_freed_memory

Given = TypeVar("Given")
Result = TypeVar("Result")


def count_of(threads: int) -> int:
    """Return how many threads a choice comes to; 0 means as many as torch has."""
    return threads or torch.get_num_threads()


class Workers:
    """A fixed number of threads, started when there is work.

    Parameters
    ----------
    count : int
        At least 1.
    """

    def __init__(self, count: int) -> None:
        if count < 1:
            raise ValueError(f"there must be a worker, got {count}")
        self.count = count
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
                self._pool, self._owner = _start(self.count), os.getpid()
            return self._pool


def _start(count: int) -> ThreadPoolExecutor:
    keep_freed_memory()
    # What a thread sets is its own, but for threads that start later, which inherit it from whoever set it last.
    inherited = torch.get_num_threads()
    pool = ThreadPoolExecutor(count, thread_name_prefix="brainscan-window", initializer=_compute_alone)
    everyone = threading.Barrier(count + 1)
    for _ in range(count):
        pool.submit(everyone.wait)
    everyone.wait()
    torch.set_num_threads(inherited)
    return pool


def _compute_alone() -> None:
    torch.get_num_threads()  # a thread takes the inherited number over when it first asks, and would undo the next line
    torch.set_num_threads(1)
