"""What this machine, or the part of it that we were given, can bear: processors and memory."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from brainscan.model.workers import processors

WORKER_BYTES = 3 << 29
"""What a process that analyses a night of 24 h and makes its page takes at most (`benchmarks/archive.py`)."""

_GROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Division:
    """How a machine is divided: so many processes of so many threads each."""

    workers: int
    threads: int


def free_bytes() -> int | None:
    """Return how much memory may still be taken; None where the system does not say."""
    found: int | None = None
    with suppress(OSError, ValueError, IndexError):
        text = Path("/proc/meminfo").read_text(encoding="ascii")
        found = int(text.partition("MemAvailable:")[2].split()[0]) * 1024
    if found is None:
        with suppress(OSError, ValueError, AttributeError):
            found = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    with suppress(OSError, ValueError):
        limit = int((_GROUPS / "memory.max").read_text(encoding="ascii"))
        used = int((_GROUPS / "memory.current").read_text(encoding="ascii"))
        found = limit - used if found is None else min(found, limit - used)
    return found


def divided(workers: int, threads: int, most: int | None = None) -> Division:
    """Divide this machine: one thread a worker, as many workers as processors and memory allow.

    Windows are computed one a thread; several processes also read, filter and write beside each other.

    Parameters
    ----------
    workers, threads : int
        As the user chose; 0: left to us.
    most : int, optional
        More workers than this have nothing to do.

    >>> divided(3, 2)
    Division(workers=3, threads=2)
    """
    n = processors()
    if not workers:
        memory = free_bytes()
        bears = n if memory is None else max(1, memory // WORKER_BYTES)
        workers = max(1, min(n // max(1, threads), bears, n if most is None else most))
    return Division(workers, threads or max(1, n // workers))
