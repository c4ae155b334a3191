"""From samples as recorded to filtered samples at 256 Hz, for the channels that share one rate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from brainscan.card import FilterConfig
from brainscan.events import RATE_HZ, BoolArray
from brainscan.recording import Samples
from brainscan.signal.clipping import flat_tops
from brainscan.signal.filters import StreamingFilter
from brainscan.signal.resample import Resampler

FloatArray = NDArray[np.float32]


class ChannelGroup:
    """State of the channels of one rate: offset removal, filling of holes, resampling, filter.

    Beyond its ends a segment continues at the mean of its first and of its last second, so that neither a
    converter's offset nor a drift makes an edge.

    Parameters
    ----------
    rate_hz : Fraction
    rows : sequence of int
        Which of the pushed channels belong here.
    config : FilterConfig
    """

    def __init__(self, rate_hz: Fraction, rows: Sequence[int], config: FilterConfig) -> None:
        self.rows = list(rows)
        self.railed = SecondShares(len(self.rows))
        self.absent = SecondShares(len(self.rows))
        self._seconds = Seconds(rate_hz, len(self.rows))
        self._rate_hz = rate_hz
        self._resampler = Resampler(rate_hz, len(self.rows))
        self._filter = StreamingFilter(config, len(self.rows))
        self._second = max(1, round(rate_hz))
        self._held = np.zeros((len(self.rows), 0))  # until the first second is complete
        self._offset: NDArray[np.float64] | None = None
        self._last = np.zeros(len(self.rows), dtype=np.float32)  # the value that fills a hole
        self._tail = np.zeros((len(self.rows), 0), dtype=np.float32)  # the last second
        self._n_in = 0
        self._ready: list[FloatArray] = []

    @property
    def n_ready(self) -> int:
        """Filtered samples that wait to be taken."""
        return sum(block.shape[1] for block in self._ready)

    def push(self, samples: Samples) -> None:
        """Take the next samples; what becomes complete waits in `take`."""
        raw = np.stack([samples.uv[row] for row in self.rows])
        if raw.shape[1] == 0:
            return
        self._judge(*self._seconds.push(raw, np.stack([samples.railed[row] for row in self.rows])))
        self._n_in += raw.shape[1]
        if self._offset is not None:
            self._feed(raw)
            return
        self._held = np.concatenate((self._held, raw), axis=1)
        if self._held.shape[1] >= self._second:
            self._start()

    def finish(self) -> int:
        """End the segment, complete resampler and filter, and return its length in samples at 256 Hz."""
        if self._offset is None and self._n_in:
            self._start()
        self._judge(*self._seconds.finish())
        mean = self._tail.mean(axis=1, keepdims=True) if self._tail.shape[1] else self._tail.sum(axis=1, keepdims=True)
        beyond = self._resampler.lookahead() + math.ceil(self._filter.lookahead * self._rate_hz / RATE_HZ)
        self._advance(np.repeat(mean, beyond, axis=1))
        return round(self._n_in / self._rate_hz * RATE_HZ)

    def take(self, n_samples: int) -> FloatArray:
        """Remove and return the next filtered samples, shape (n_rows, n_samples)."""
        ready = np.concatenate(self._ready, axis=1) if len(self._ready) != 1 else self._ready[0]
        self._ready = [ready[:, n_samples:]]
        return ready[:, :n_samples]

    def _judge(self, starts: Sequence[int], raw: NDArray[np.float64], known: BoolArray) -> None:
        """Count what stands at a rail, one that the reader knows or one that the signal shows, and what is absent."""
        if starts:
            self.railed.push(known | flat_tops(raw, starts), starts)
            self.absent.push(~np.isfinite(raw), starts)

    def _start(self) -> None:
        first = self._held[:, : self._second]
        finite = np.isfinite(first)
        total = np.where(finite, first, 0.0).sum(axis=1, keepdims=True)
        self._offset = total / np.maximum(finite.sum(axis=1, keepdims=True), 1)
        held, self._held = self._held, self._held[:, :0]
        self._feed(held)

    def _feed(self, raw: NDArray[np.float64]) -> None:
        assert self._offset is not None
        # In float64: offsets of a DC amplifier are a thousand times the signal.
        block = (raw - self._offset).astype(np.float32)
        _hold_last(block, self._last)
        self._last = block[:, -1].copy()
        self._tail = np.concatenate((self._tail, block), axis=1)[:, -self._second :]
        self._advance(block)

    def _advance(self, block: FloatArray) -> None:
        filtered = self._filter.push(self._resampler.push(block))
        if filtered.shape[1]:
            self._ready.append(filtered)


def _hold_last(block: FloatArray, last: FloatArray) -> None:
    """Fill holes (NaN, infinities) in place with the last value before them."""
    finite = np.isfinite(block)
    for row in np.flatnonzero(~finite.all(axis=1)):
        at = np.where(finite[row], np.arange(block.shape[1]), -1)
        np.maximum.accumulate(at, out=at)
        block[row] = np.where(at < 0, last[row], block[row, np.maximum(at, 0)])


class Seconds:
    """Gives samples and marks second by second, whatever the blocks they come in.

    Parameters
    ----------
    rate_hz : Fraction
    n_channels : int
    """

    def __init__(self, rate_hz: Fraction, n_channels: int) -> None:
        self._rate_hz = rate_hz
        self._raw = np.zeros((n_channels, 0))  # the unfinished second
        self._known = np.zeros((n_channels, 0), dtype=np.bool_)
        self._second = 0

    def push(self, raw: NDArray[np.float64], known: BoolArray) -> tuple[list[int], NDArray[np.float64], BoolArray]:
        """Take the next samples; return where each complete second starts, and these seconds."""
        first = _second_start(self._second, self._rate_hz)
        self._raw = np.concatenate((self._raw, raw), axis=1)
        self._known = np.concatenate((self._known, known), axis=1)
        starts = [0]
        while (start := _second_start(self._second + 1, self._rate_hz) - first) <= self._raw.shape[1]:
            starts.append(start)
            self._second += 1
        return self._taken(starts)

    def finish(self) -> tuple[list[int], NDArray[np.float64], BoolArray]:
        """Return what is left, as a second of its own."""
        return self._taken([0, self._raw.shape[1]] if self._raw.shape[1] else [0])

    def _taken(self, starts: list[int]) -> tuple[list[int], NDArray[np.float64], BoolArray]:
        stop = starts.pop()
        raw, self._raw = self._raw[:, :stop], self._raw[:, stop:]
        known, self._known = self._known[:, :stop], self._known[:, stop:]
        return starts, raw, known


def _second_start(second: int, rate_hz: Fraction) -> int:
    """Return the sample at which a second starts: the nearest, an even one of two."""
    whole, rest = divmod(second * rate_hz.numerator, rate_hz.denominator)
    twice = 2 * rest
    return whole + (twice > rate_hz.denominator or (twice == rate_hz.denominator and whole % 2 == 1))


class SecondShares:
    """Share of marked samples in each second of a segment, for a group of channels of one rate.

    Parameters
    ----------
    n_channels : int
    """

    def __init__(self, n_channels: int) -> None:
        self._n_channels = n_channels
        self._shares: list[FloatArray] = []
        self._first_s = 0

    def push(self, marked: BoolArray, starts: Sequence[int]) -> None:
        """Take the next seconds, shape (n_channels, n), each from one of the starts on."""
        if not marked.any():  # it hardly ever is
            self._shares.extend(np.zeros((len(starts), self._n_channels), dtype=np.float32))
            return
        counts = np.add.reduceat(marked, starts, axis=1, dtype=np.float64)
        self._shares.extend((counts / np.diff([*starts, marked.shape[1]])).astype(np.float32).T)

    def between(self, first_s: int, stop_s: int) -> FloatArray:
        """Return shares of seconds ``[first_s, stop_s)``, shape (n_channels, n_seconds), and forget earlier ones."""
        del self._shares[: first_s - self._first_s]
        self._first_s = max(self._first_s, first_s)
        shares = self._shares[: stop_s - first_s]
        result = np.zeros((self._n_channels, stop_s - first_s), dtype=np.float32)
        for i, share in enumerate(shares):
            result[:, i] = share
        return result
