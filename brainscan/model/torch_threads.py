"""Threads that compute with torch, each with a single thread of torch inside."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import torch

from brainscan.model.workers import plain


def single_threaded(count: int) -> ThreadPoolExecutor:
    """Start threads within which torch starts no others; the caller keeps its own number."""
    # What a thread sets is its own, but for threads that start later, which inherit it from whoever set it last.
    inherited = torch.get_num_threads()
    pool = plain(count, _compute_alone)
    everyone = threading.Barrier(count + 1)
    for _ in range(count):
        pool.submit(everyone.wait)
    everyone.wait()
    torch.set_num_threads(inherited)
    return pool


def _compute_alone() -> None:
    torch.get_num_threads()  # a thread takes the inherited number over when it first asks, and would undo the next line
    torch.set_num_threads(1)
