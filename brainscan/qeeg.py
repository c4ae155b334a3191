"""`Trends`: a whole night's quantitative EEG, one column every few seconds (docs/trends.md defines each)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainscan.electrodes import N_ELECTRODES

FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]

COLUMN_S = 4
"""From column to column, seconds."""

BIN_HZ = 0.5
N_BINS = 40
FREQUENCIES_HZ: tuple[float, ...] = tuple(BIN_HZ * (k + 1) for k in range(N_BINS))
"""Middle of each bin of the spectra: 0.5 to 20 Hz."""

SIDES = ("left", "right")


@dataclass(frozen=True, slots=True, eq=False)
class Trends:
    """Trends of one recording; columns of gaps do not exist, those of unscored time are NaN.

    Parameters
    ----------
    start_s : array of float64, shape (n_columns,)
        Where each column begins, seconds from the start of the recording; it lasts `COLUMN_S`.
    aeeg_uv : array of float32, shape (2, 3, n_columns)
        Amplitude-integrated EEG, left and right: lowest, median and highest in the column, peak to peak.
    power_uv2 : array of float32, shape (2, 40, n_columns)
        Power in each bin of `FREQUENCIES_HZ`, left and right.
    asymmetry : array of float32, shape (40, n_columns)
        (right - left) / (right + left) in each bin, -1..1.
    rhythm_uv2 : array of float32, shape (40, n_columns)
        Power in each bin beyond what its neighbours let expect, of the side that has more.
    suppressed : array of float32, shape (2, n_columns)
        Share of suppressed time, left and right, 0..1.
    unusable : array of bool, shape (19, n_columns)
        Electrodes that were interpolated or missing.
    """

    start_s: NDArray[np.float64]
    aeeg_uv: FloatArray
    power_uv2: FloatArray
    asymmetry: FloatArray
    rhythm_uv2: FloatArray
    suppressed: FloatArray
    unusable: BoolArray

    def __post_init__(self) -> None:
        for name, shape in _SHAPES.items():
            array = getattr(self, name)
            if array.shape != (*shape, len(self.start_s)):
                raise ValueError(f"{name} must be {(*shape, len(self.start_s))}, got {array.shape}")

    @classmethod
    def joined(cls, parts: Sequence[Trends]) -> Trends:
        """Return the columns of several segments, in the order given; of none, a table without columns."""
        if not parts:
            empty: dict[str, NDArray[Any]] = {
                name: np.zeros((*shape, 0), dtype=np.bool_ if name == "unusable" else np.float32)
                for name, shape in _SHAPES.items()
            }
            return cls(start_s=np.zeros(0), **empty)
        names = [field.name for field in fields(cls)]
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts], axis=-1) for name in names})

    @property
    def n_columns(self) -> int:
        """How many columns there are."""
        return len(self.start_s)

    @property
    def dominant_hz(self) -> FloatArray:
        """Frequency of the strongest rhythm of each column, shape (n_columns,); NaN where there is none."""
        power = np.nan_to_num(self.rhythm_uv2)
        hz = np.asarray(FREQUENCIES_HZ, dtype=np.float32)[power.argmax(axis=0)] if self.n_columns else np.zeros(0)
        return np.where(power.max(axis=0, initial=0.0) > 0.0, hz, np.nan).astype(np.float32)

    def within(self, start_s: float, stop_s: float) -> Trends:
        """Return the columns that begin in a half-open span."""
        keep = (self.start_s >= start_s) & (self.start_s < stop_s)
        return replace(self, **{field.name: getattr(self, field.name)[..., keep] for field in fields(self)})


_SHAPES: dict[str, tuple[int, ...]] = {
    "aeeg_uv": (2, 3),
    "power_uv2": (2, N_BINS),
    "asymmetry": (N_BINS,),
    "rhythm_uv2": (N_BINS,),
    "suppressed": (2,),
    "unusable": (N_ELECTRODES,),
}
