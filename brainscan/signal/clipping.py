"""Flat tops: samples cut off at a limit that no header tells, seen by the signal alone.

An amplifier, an export or a filter before ours may cut at any value. What was cut stands at the extremes of its second,
which of an EEG hardly any sample does.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from brainscan.events import BoolArray

_SHARE = 0.25  # of a second at its extremes; a sine of 16 steps has 0.23, an EEG a few hundredths
_STEPS = 8  # between the extremes; few steps are a coarse converter, which stands at an end by chance
_SPAN_UV = 100.0  # no step of a converter for EEG is so large


def flat_tops(uv: NDArray[np.float64], starts: Sequence[int]) -> BoolArray:
    """Mark the samples of seconds that stand at the second's extremes, where so many do that they were cut off there.

    Parameters
    ----------
    uv : array of float64, shape (n_channels, n_samples)
        As recorded; NaN where there is no value.
    starts : sequence of int
        First sample of each second.

    Returns
    -------
    array of bool, shape (n_channels, n_samples)
    """
    lengths = np.diff([*starts, uv.shape[1]])
    top, bottom = np.fmax.reduceat(uv, starts, axis=1), np.fmin.reduceat(uv, starts, axis=1)
    marked: BoolArray = (uv == np.repeat(top, lengths, axis=1)) | (uv == np.repeat(bottom, lengths, axis=1))
    share = np.add.reduceat(marked, starts, axis=1, dtype=np.int64) / lengths
    cut = (share > _SHARE) & (top > bottom)
    for row, second in np.argwhere(cut).tolist():
        span_uv = top[row, second] - bottom[row, second]
        if span_uv < _SPAN_UV:
            levels = np.unique(uv[row, starts[second] : starts[second] + lengths[second]])
            steps = np.diff(levels[np.isfinite(levels)])
            cut[row, second] = span_uv >= _STEPS * steps.min(initial=span_uv)
    if not cut.any():  # it hardly ever is
        return np.zeros_like(marked)
    marked &= np.repeat(cut, lengths, axis=1)
    return marked
