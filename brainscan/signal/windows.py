"""The block pipeline up to the network's windows: the state of one gap-free segment.

``push`` takes samples as they were read, each channel at its own rate and blocks of any length; ``finish`` says
that the segment ends. Both return the windows that became final. Nothing depends on how the samples were cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from brainscan.card import FilterConfig, WindowConfig
from brainscan.detection import How
from brainscan.electrodes import N_ELECTRODES
from brainscan.events import RATE_HZ, BoolArray
from brainscan.recording import Samples
from brainscan.signal import montage, quality
from brainscan.signal.channels import ChannelGroup
from brainscan.signal.montage import ElectrodePlan

FloatArray = NDArray[np.float32]

# Multiplications up to which OpenBLAS keeps a matrix product on the thread that asks for it.
_PIECE = 1 << 18


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """One model input and what is known about it.

    Parameters
    ----------
    start : int
        First sample at 256 Hz, counted from the start of the segment.
    uv : array of float32, shape (19, n_samples)
        Re-referenced µV; zeros where the window is not scored.
    n_valid : int
        Samples that belong to the segment; what follows is its reflection.
    how : tuple of str, length 19
        recorded, derived, interpolated or missing, for each electrode.
    scored : bool
        False where more electrodes are unusable than may be interpolated, or all have the same signal.
    absent : array of bool, shape (n_seconds,)
        Seconds in which too many channels hold no value: they stay unscored.
    """

    start: int
    uv: FloatArray
    n_valid: int
    how: tuple[How, ...]
    scored: bool
    absent: BoolArray


@dataclass(frozen=True, slots=True)
class PipelineConfig:
    """What the stages up to the window need.

    Parameters
    ----------
    filter : FilterConfig
    window : WindowConfig
    max_missing : int
        Up to this many unusable electrodes are interpolated.
    """

    filter: FilterConfig
    window: WindowConfig
    max_missing: int = 3


class WindowStream:
    """State of one segment: resampler and filter a rate, a buffer of filtered samples, shares of bad samples.

    Parameters
    ----------
    plan : ElectrodePlan
        Where the 19 come from; its channels are the rows of what is pushed.
    rates_hz : sequence of Fraction
        Rate of each used channel.
    config : PipelineConfig
    """

    def __init__(self, plan: ElectrodePlan, rates_hz: Sequence[Fraction], config: PipelineConfig) -> None:
        self._plan = plan
        self._config = config
        self._groups = [
            ChannelGroup(rate, [i for i, r in enumerate(rates_hz) if r == rate], config.filter)
            for rate in sorted(set(rates_hz))
        ]
        self._filtered = np.zeros((len(rates_hz), 0), dtype=np.float32)
        self._first = 0  # segment sample of the buffer's first column
        self._next = 0  # start of the next window

    def push(self, samples: Samples) -> list[Window]:
        """Take the next samples of every used channel and return the windows that are complete."""
        for group in self._groups:
            group.push(samples)
        self._collect()
        return self._complete()

    def finish(self) -> list[Window]:
        """End the segment: complete the filters and return the remaining windows, the last filled by reflection."""
        total = min(group.finish() for group in self._groups)
        self._collect()
        self._filtered = self._filtered[:, : max(total - self._first, 0)]
        windows = self._complete()
        # Another window only where it covers samples that its predecessor does not reach.
        overlap = self._config.window.n_samples - self._config.window.stride
        while self._next < total and (self._next == 0 or self._next + overlap < total):
            windows.append(self._cut(total - self._next))
        return windows

    def _collect(self) -> None:
        """Move what every rate group has finished into the common buffer."""
        n_ready = min(group.n_ready for group in self._groups)
        if n_ready == 0:
            return
        block = np.empty((self._filtered.shape[0], n_ready), dtype=np.float32)
        for group in self._groups:
            block[group.rows] = group.take(n_ready)
        self._filtered = np.concatenate((self._filtered, block), axis=1)

    def _complete(self) -> list[Window]:
        windows = []
        while self._next + self._config.window.n_samples <= self._first + self._filtered.shape[1]:
            windows.append(self._cut(self._config.window.n_samples))
        return windows

    def _cut(self, n_valid: int) -> Window:
        """Cut the next window, judge its channels and re-reference it; then let go of what no window needs."""
        n_samples = self._config.window.n_samples
        at = self._next - self._first
        cut = self._filtered[:, at : at + n_valid]
        if n_valid < n_samples:
            cut = np.pad(cut, ((0, 0), (0, n_samples - n_valid)), mode="reflect" if n_valid > 1 else "edge")
        first_s, stop_s = self._next // RATE_HZ, -(-(self._next + n_valid) // RATE_HZ)
        railed, absent = self._shares(first_s, stop_s)
        window = reference(self._plan, cut, quality.unusable(cut, railed, absent), self._config.max_missing)
        missing_seconds = (absent > 0.0).sum(axis=0) > self._config.max_missing
        result = Window(self._next, window.uv, n_valid, window.how, window.scored, missing_seconds)
        self._next += self._config.window.stride
        drop = min(self._next - self._first, self._filtered.shape[1])
        self._filtered = self._filtered[:, drop:]
        self._first += drop
        return result

    def _shares(self, first_s: int, stop_s: int) -> tuple[FloatArray, FloatArray]:
        railed = np.zeros((self._filtered.shape[0], stop_s - first_s), dtype=np.float32)
        absent = np.zeros_like(railed)
        for group in self._groups:
            railed[group.rows] = group.railed.between(first_s, stop_s)
            absent[group.rows] = group.absent.between(first_s, stop_s)
        return railed, absent


@dataclass(frozen=True, slots=True, eq=False)
class Referenced:
    """The 19 of one window, and how each was obtained."""

    uv: FloatArray
    how: tuple[How, ...]
    scored: bool


def reference(plan: ElectrodePlan, channels: FloatArray, bad: frozenset[int], max_missing: int) -> Referenced:
    """Derive the 19 electrodes of one window from its channels, without the bad ones.

    Parameters
    ----------
    plan : ElectrodePlan
    channels : array of float32, shape (n_channels, n_samples)
        Filtered µV.
    bad : frozenset of int
        Rows that must not be used.
    max_missing : int
        With more unusable electrodes the window is not scored.
    """
    operator = montage.operator(plan, bad)
    scored = sum(operator.usable) >= N_ELECTRODES - max_missing
    if not scored:
        return Referenced(np.zeros((N_ELECTRODES, channels.shape[1]), dtype=np.float32), operator.how, scored)
    if bad:
        # A bad channel has weight zero, but zero times infinity is not.
        channels = channels.copy()
        channels[sorted(bad)] = 0.0
    uv = _apply(operator.matrix.astype(np.float32), channels)
    if quality.is_alike(uv):
        how: How = "missing"
        return Referenced(np.zeros_like(uv), (how,) * N_ELECTRODES, scored=False)
    return Referenced(uv, operator.how, scored)


def _apply(matrix: FloatArray, channels: FloatArray) -> FloatArray:
    """Return the product of a small matrix with many samples, a piece at a time.

    A BLAS library deals a whole window's product out to threads, whose waking and waiting take fifty times as
    long as the product itself. Pieces do not depend on the number of threads, nor then does the rounding.
    """
    n_samples = channels.shape[1]
    piece = max(_PIECE // matrix.size // 64, 1) * 64
    product = np.empty((matrix.shape[0], n_samples), dtype=np.float32)
    for first in range(0, n_samples, piece):
        np.matmul(matrix, channels[:, first : first + piece], out=product[:, first : first + piece])
    return product
