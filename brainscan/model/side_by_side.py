"""What every runner shares: windows go to the workers in pieces, and come back as probabilities in their order."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from itertools import chain
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from brainscan.familiarity import Answer
from brainscan.model.workers import Pool, Workers, plain

FloatArray = NDArray[np.float32]
T = TypeVar("T")


class Computed(NamedTuple):
    """What a network computes of some windows.

    Attributes
    ----------
    logits : array, shape (n_windows, n_samples)
        After the card's shift and scale.
    features : array, shape (n_windows, n_features)
        What the network's head sees of a window; no column where it gives none.
    """

    logits: FloatArray
    features: FloatArray


class SideBySide(ABC):
    """Windows on a CPU one a thread, beside each other; elsewhere in batches.

    On a CPU no result depends on the number of threads or on the batch, since each window is computed alone.

    Parameters
    ----------
    batch_size : int
        Windows at a time.
    threads : int
        On a CPU, at least 1.
    on_cpu : bool
    pool : callable
        How `Workers` start their threads.

    Attributes
    ----------
    place : str
        Where windows are computed, for people: ``cuda``, or ``cpu`` with its threads.
    """

    def __init__(self, batch_size: int, threads: int, *, on_cpu: bool, pool: Pool = plain) -> None:
        self._batch_size = batch_size
        self._together = 1 if on_cpu else batch_size
        self._workers = Workers(threads if on_cpu else 1, pool)
        self.place = f"cpu ({threads} {'thread' if threads == 1 else 'threads'})" if on_cpu else "cuda"

    @property
    def batch_size(self) -> int:
        """Windows at a time."""
        return self._batch_size

    def probabilities(self, windows: Sequence[FloatArray]) -> list[FloatArray]:
        """Return the probability of each sample of some windows.

        Parameters
        ----------
        windows : sequence of float32 arrays, shape (19, n_samples) each
            Re-referenced µV.

        Returns
        -------
        list of float32 arrays, shape (n_samples,) each
        """
        return [answer.probability for answer in _gathered(self.submit(windows))]

    def submit(self, windows: Sequence[FloatArray]) -> list[Future[list[Answer]]]:
        """Begin to compute the answers to some windows.

        Returns
        -------
        list of Future
            Of one or more windows each, in their order.
        """
        return self._begin(windows, _answers)

    def logits(self, windows: Sequence[FloatArray]) -> list[FloatArray]:
        """Return the logit of each sample, after the card's shift and scale; otherwise as `probabilities`."""
        return _gathered(self._begin(windows, lambda computed: list(computed.logits)))

    def _begin(self, windows: Sequence[FloatArray], finish: Callable[[Computed], list[T]]) -> list[Future[list[T]]]:
        pieces = [windows[first : first + self._together] for first in range(0, len(windows), self._together)]
        return self._workers.submit(lambda piece: finish(self._compute(piece)), pieces)

    @abstractmethod
    def _compute(self, windows: Sequence[FloatArray]) -> Computed:
        """Compute windows together."""


def _gathered(futures: Sequence[Future[list[T]]]) -> list[T]:
    """Wait for results and return them in order; whatever happens, nothing is left to be computed."""
    try:
        return list(chain.from_iterable(future.result() for future in futures))
    finally:
        for future in futures:
            future.cancel()


def _answers(computed: Computed) -> list[Answer]:
    # Beyond these float32 holds 1 and 0 anyhow, and no power overflows.
    probability = 1.0 / (1.0 + np.exp(-np.clip(computed.logits, -80.0, 80.0)))
    return list(map(Answer, probability, computed.features))
