"""Recordings of gap-free parts, for readers that know where each part lies and how to get samples of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainscan.errors import InputError
from brainscan.events import Annotation
from brainscan.io.calibration import calibrated
from brainscan.io.checksums import sha256_of
from brainscan.io.containers import Container, unreadable
from brainscan.io.mne_checks import damaged
from brainscan.recording import Channel, Recording, Samples, Segment
from brainscan.signal.units import MAX_UV, uv_per_unit

FloatArray = NDArray[np.float64]
Fetch = Callable[[Sequence[int], int, int], FloatArray]
"""``(channels, first sample, stop) -> values, shape (n_channels, n)``, in the channels' units; ascending channels."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A gap-free part: where it begins on the recording's clock, how long it is, and how to get samples of it."""

    start_s: float
    n_samples: int
    fetch: Fetch


@dataclass(frozen=True, slots=True, eq=False)
class _PartsReader:
    """A `brainscan.recording.Reader` of parts."""

    parts: Mapping[float, Part]
    rate_hz: Fraction
    name: str
    factors: tuple[float | None, ...]

    def __call__(self, channels: Sequence[int], segment: Segment, start_s: float, stop_s: float) -> Samples:
        part = self.parts[segment.start_s]
        start, stop = (segment.index(at_s, self.rate_hz) for at_s in (start_s, stop_s))
        values = np.full((len(channels), max(stop - start, 0)), np.nan)
        held = sorted({channel for channel in channels if self.factors[channel] is not None})
        if held and stop > start:
            try:
                found = dict(zip(held, part.fetch(held, start, stop), strict=True))
            except OSError as problem:
                raise unreadable(self.name, problem) from problem
            except Exception as problem:  # of whatever library
                raise damaged(self.name) from problem
            for row, channel in enumerate(channels):
                factor = self.factors[channel]
                if factor is not None:
                    values[row] = found[channel] * factor
            values[np.abs(values) > MAX_UV] = np.nan
        return Samples(tuple(values), tuple(np.zeros(values.shape, dtype=np.bool_)))


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """What a library gives of a file."""

    rate_hz: Fraction
    labels: Sequence[str]
    units: Sequence[str]
    parts: Sequence[Part]
    start: datetime | None = None
    annotations: tuple[Annotation, ...] = ()
    warnings: tuple[str, ...] = ()
    age_years: float | None = None


def recording_of_parts(path: Path, container: Container, opened: Opened) -> Recording:
    """Return the recording of a file that was opened, its units settled.

    Raises
    ------
    InputError
        Kind ``empty`` if it holds no samples.
    """
    parts = [part for part in opened.parts if part.n_samples > 0]
    if not parts or opened.rate_hz <= 0:
        raise InputError("has no samples", kind="empty", file=path.name)
    segments = tuple(Segment(part.start_s, float(part.n_samples / opened.rate_hz)) for part in parts)
    channels = tuple(
        Channel(label, opened.rate_hz, unit, uv_per_unit(unit) or 1.0)
        for label, unit in zip(opened.labels, opened.units, strict=True)
    )
    reader = _PartsReader(
        {part.start_s: part for part in parts}, opened.rate_hz, path.name, tuple(c.uv_per_unit for c in channels)
    )
    warnings = list(opened.warnings)
    if len(segments) > 1:
        warnings.append(f"{len(segments)} parts: analysed separately")
    recording = Recording(
        name=path.name,
        format=container,
        start=opened.start,
        duration_s=max(segment.stop_s for segment in segments),
        segments=segments,
        channels=channels,
        reader=reader,
        annotations=opened.annotations,
        warnings=tuple(warnings),
        age_years=opened.age_years,
        sha256=partial(sha256_of, path),
    )
    settled = calibrated(recording)
    return replace(recording, channels=settled, reader=replace(reader, factors=tuple(c.uv_per_unit for c in settled)))
