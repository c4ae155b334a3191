"""Batches composed ahead of the training, by a thread or by processes; what is drawn depends on seed and step only."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import Tensor

from brainscan.card import FilterConfig
from brainscan_training import cache
from brainscan_training.augment import AugmentConfig
from brainscan_training.cache import Cached
from brainscan_training.compose import ComposeConfig, Composed, Composer, HardSpans
from brainscan_training.corpora.item import Item

_AHEAD = 2
"""Batches under way besides the one in use."""

_MOST_WORKERS = 8
_ORPHAN_CHECK_S = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Windows of one step, or of a part of it.

    Parameters
    ----------
    uv : Tensor, shape (n, 19, n_samples)
    ictal, weight : Tensor, shape (n, n_seconds)
    electrodes : Tensor, shape (n, 19)
    origins : tuple of tuple of str
        What each window was put together from.
    """

    uv: Tensor
    ictal: Tensor
    weight: Tensor
    electrodes: Tensor
    origins: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, windows: Sequence[Composed]) -> Self:
        """Stack windows."""
        return cls(
            uv=torch.from_numpy(np.stack([w.uv for w in windows])),
            ictal=torch.from_numpy(np.stack([w.ictal for w in windows])),
            weight=torch.from_numpy(np.stack([w.weight for w in windows])),
            electrodes=torch.from_numpy(np.stack([w.electrodes for w in windows])),
            origins=tuple(w.origins for w in windows),
        )

    def parts(self, size: int) -> Iterator[Batch]:
        """Yield parts of at most `size` windows."""
        for first in range(0, len(self.uv), size):
            part = slice(first, first + size)
            yield Batch(self.uv[part], self.ictal[part], self.weight[part], self.electrodes[part], self.origins[part])

    def to(self, device: torch.device) -> Batch:
        """Return the batch on a device."""
        uv, ictal, weight, electrodes = (
            tensor.to(device, non_blocking=True) for tensor in (self.uv, self.ictal, self.weight, self.electrodes)
        )
        return Batch(uv, ictal, weight, electrodes, self.origins)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How windows are drawn.

    Parameters
    ----------
    seed : int
    windows : range
        Which windows of each step this process takes.
    compose : ComposeConfig
    augment : AugmentConfig
    """

    seed: int
    windows: range
    compose: ComposeConfig
    augment: AugmentConfig


@dataclass(frozen=True, slots=True)
class Stored:
    """Recordings by where they lie, for processes that load them themselves."""

    items: tuple[Item, ...]
    folder: Path
    filter: FilterConfig

    def load(self) -> list[Cached]:
        """Return the recordings, memory-mapped."""
        return [cache.load(item, self.folder, self.filter) for item in self.items]


def workers_for(asked: int, device: str) -> int:
    """Return how many processes compose windows: what was asked for, or what suits the machine.

    A CPU that trains has no cores to spare, a thread does; under WSL2 processes that share memory are slow to start
    and die silently, so none are taken unless asked for.
    """
    if asked >= 0:
        return asked
    if device == "cpu" or is_wsl(os.uname().release if hasattr(os, "uname") else ""):
        return 0
    return min(_MOST_WORKERS, max(0, (os.cpu_count() or 1) - 2))


def is_wsl(kernel_release: str) -> bool:
    """Whether a kernel's release is one of Windows' Linux subsystem."""
    return "microsoft" in kernel_release.lower()


class BatchSource:
    """Batches of a training, composed ahead.

    Parameters
    ----------
    stored : Stored
        Training recordings.
    recipe : Recipe
    workers : int
        Processes; 0: a thread.
    """

    def __init__(self, stored: Stored, recipe: Recipe, workers: int) -> None:
        self._recipe = recipe
        self._composer: Composer | None = None
        self._pool: Executor
        if workers:
            self._pool = ProcessPoolExecutor(
                workers,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_begin_worker,
                initargs=(stored, recipe, os.getpid()),
            )
        else:
            self._composer = Composer(stored.load(), recipe.compose, recipe.augment)
            self._pool = ThreadPoolExecutor(max_workers=1)

    def epoch(self, first_step: int, stop_step: int, hard: HardSpans) -> Iterator[tuple[Batch, float]]:
        """Yield the batch of each step, and the seconds that were waited for it.

        Parameters
        ----------
        first_step, stop_step : int
            Nothing beyond is composed, since the next epoch's hard spans are not known yet.
        hard : HardSpans
        """
        waiting: deque[list[Future[Composed]]] = deque()
        following = first_step
        for _ in range(first_step, stop_step):
            while following < stop_step and len(waiting) <= _AHEAD:
                waiting.append([self._submit(following, i, hard) for i in self._recipe.windows])
                following += 1
            begun = time.monotonic()
            windows = [future.result() for future in waiting.popleft()]
            yield Batch.of(windows), time.monotonic() - begun

    def _submit(self, step: int, window: int, hard: HardSpans) -> Future[Composed]:
        key = (self._recipe.seed, step, window)
        if self._composer is None:
            return self._pool.submit(_draw_in_worker, key, hard)
        return self._pool.submit(self._composer.draw, np.random.default_rng(key), hard)

    def close(self) -> None:
        """Stop composing."""
        self._pool.shutdown(wait=True, cancel_futures=True)


_worker: list[Composer] = []
"""The composer of a worker process."""


def _begin_worker(stored: Stored, recipe: Recipe, parent: int) -> None:
    torch.set_num_threads(1)
    # A parent that was killed closes no queue: without this its workers would wait for ever.
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _worker.append(Composer(stored.load(), recipe.compose, recipe.augment))


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_ORPHAN_CHECK_S)
    os._exit(1)


def _draw_in_worker(key: tuple[int, int, int], hard: HardSpans) -> Composed:
    return _worker[0].draw(np.random.default_rng(key), hard)
