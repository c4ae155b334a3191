"""Sequences dealt out to as many threads as PyTorch uses."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SPANS_PER_THREAD = 4

_pool: ThreadPoolExecutor | None = None
_pool_size = 0


def run_spans(work: Callable[[Iterator[tuple[int, int]]], None], n_sequences: int) -> None:
    """Call `work` in several threads; each takes spans of sequences until none is left.

    The threads are Python's, with the interpreter's lock given up inside the kernels: Numba's own threading
    layers cannot be entered from two threads at once, or do not survive a fork.

    Parameters
    ----------
    work : callable
        Gets an iterator of ``(first, last + 1)``; the iterators of all threads share the spans.
    n_sequences : int
        At least 0.
    """
    n_threads = max(1, min(torch.get_num_threads(), n_sequences))
    length = max(1, -(-n_sequences // (n_threads * _SPANS_PER_THREAD))) if n_threads > 1 else n_sequences
    numbers = count()  # next() is atomic under the interpreter's lock

    def spans() -> Iterator[tuple[int, int]]:
        while (first := next(numbers) * length) < n_sequences:
            yield first, min(first + length, n_sequences)

    others = [_threads(n_threads - 1).submit(work, spans()) for _ in range(n_threads - 1)]
    try:
        work(spans())
    finally:
        for other in others:
            other.result()


def _threads(size: int) -> ThreadPoolExecutor:
    """Give the pool of this process, with room for `size` threads."""
    global _pool, _pool_size
    if _pool is None or _pool_size < size:
        _pool = ThreadPoolExecutor(size, thread_name_prefix="brainscan-ssd")
        _pool_size = size
    return _pool


def _forget_pool() -> None:
    """Start anew in a forked child: the parent's threads are not there."""
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)
