"""`Recording`: what a file says about itself, and a lazy `read`. Never the whole signal.

Readers (`brainscan.io`) make recordings; preprocessing reads them block by block.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from brainscan.events import Annotation, BoolArray

FILLER_DATES = frozenset((date(1985, 1, 1), date(1900, 1, 1)))
"""What anonymisers and libraries write where a date is not known."""


def is_filler(start: datetime | None) -> bool:
    """Say whether a start stands for one that is not known: midnight of such a date. With a time it may tell the time.

    >>> is_filler(datetime(1985, 1, 1)), is_filler(datetime(1985, 1, 1, 21, 40))
    (True, False)
    """
    return start is not None and start.date() in FILLER_DATES and start.time().replace(microsecond=0) == time()


@dataclass(frozen=True, slots=True)
class Channel:
    """One signal of a file.

    Parameters
    ----------
    label : str
        As the file has it, blanks and NULs at the ends removed.
    rate_hz : Fraction
        Exact: samples per record over record duration (255.767 Hz rounded to 256 is 3.3 s an hour).
    unit : str
        As the file has it; `read` returns µV whatever it says.
    uv_per_unit : float or None
        Factor from the file's unit to µV, None where the channel has no usable calibration. It differs from what
        the unit says where no scalp EEG could be that large.
    seen_uv : float or None
        Typical amplitude (a robust standard deviation) that the stated unit gives; None where nothing moves, or
        nobody looked.
    stretches_uv : tuple of (float, float) or None
        Robust deviation and largest excursion in each of the stretches that were measured when it was opened; None
        where nobody looked.
    """

    label: str
    rate_hz: Fraction
    unit: str = "uV"
    uv_per_unit: float | None = 1.0
    seen_uv: float | None = None
    stretches_uv: tuple[tuple[float, float], ...] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Segment:
    """A gap-free part of a recording, ``[start_s, start_s + duration_s)`` on the recording's clock."""

    start_s: float
    duration_s: float

    @property
    def stop_s(self) -> float:
        """End, seconds from the start of the recording."""
        return self.start_s + self.duration_s

    def n_samples(self, rate_hz: Fraction | float) -> int:
        """Return the number of samples of a channel of this rate in the segment."""
        return round(self.duration_s * rate_hz)

    def index(self, at_s: float, rate_hz: Fraction | float) -> int:
        """Return the sample of a channel of this rate at a time on the recording's clock, cut to the segment.

        Adjacent reads share the rounding of their common boundary, so no sample is lost or read twice.
        """
        return min(max(round((at_s - self.start_s) * float(rate_hz)), 0), self.n_samples(rate_hz))


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """What `Recording.read` returns: one array a channel, each at its own rate.

    Parameters
    ----------
    uv : tuple of float64 arrays, shape (n_samples,) each
        Microvolts as recorded (offsets included). NaN where the file has no value.
    railed : tuple of bool arrays, shape (n_samples,) each
        True where the converter stood at either end of its range.
    """

    uv: tuple[NDArray[np.float64], ...]
    railed: tuple[BoolArray, ...]


Reader = Callable[[Sequence[int], Segment, float, float], Samples]
"""``(channel indices, segment, start_s, stop_s) -> Samples``; the span lies within the segment."""


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """A recording's facts, and `read` for its samples.

    Parameters
    ----------
    name : str
        File name without folder, for messages and outputs.
    format : str
        ``EDF``, ``EDF+C``, ``EDF+D``, ``BDF``, ``BDF+C``, ``BDF+D``, the name of another row of
        `brainscan.io.container_formats.CONTAINERS`, or ``array``.
    start : datetime or None
        Wall-clock time of second 0, None where the header has no valid one.
    duration_s : float
        From second 0 to the end of the last segment, gaps included.
    segments : tuple of Segment
        Gap-free parts, in the order of the file.
    channels : tuple of Channel
    reader : callable
        Fetches samples; use `read`.
    annotations : tuple of Annotation
        The file's own notes. Offered to no network.
    warnings : tuple of str
        One line each, without patient fields.
    age_years : float or None
        Age of the patient at the recording where the header allows to compute it (never the birthday).
    sha256 : callable or None
        Computes the SHA-256 of the file's bytes; None for recordings that were never a file.
    """

    name: str
    format: str
    start: datetime | None
    duration_s: float
    segments: tuple[Segment, ...]
    channels: tuple[Channel, ...]
    reader: Reader = field(repr=False)
    annotations: tuple[Annotation, ...] = ()
    warnings: tuple[str, ...] = ()
    age_years: float | None = None
    sha256: Callable[[], str] | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        """Say what matters before anything is read: which file, how long, how many channels, at which rates."""
        rates = sorted({float(channel.rate_hz) for channel in self.channels})
        fast = f"{rates[0]:g} Hz" if len(rates) == 1 else f"{rates[0]:g} to {rates[-1]:g} Hz" if rates else "no rate"
        parts = f", {len(self.segments)} segments" if len(self.segments) > 1 else ""
        held = f"{self.duration_s:g} s{parts}, {len(self.channels)} channels, {fast}"
        return f"<Recording {self.name!r}: {self.format}, {held}>"

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the channels, in the order of the file."""
        return tuple(channel.label for channel in self.channels)

    def read(
        self, channels: Sequence[int] | Sequence[str], start_s: float, stop_s: float, segment: Segment | None = None
    ) -> Samples:
        """Read some channels over a span of one gap-free segment.

        Parameters
        ----------
        channels : sequence of int or str
            Indices into `channels`; labels, whose case and blanks do not count; or electrodes, where one channel
            measures them against a reference. What is returned is as recorded, against that reference.
        start_s, stop_s : float
            Seconds on the recording's clock; what lies outside the segment is cut.
        segment : Segment, optional
            The segment to read from; by default the first that holds `start_s`.

        Raises
        ------
        TypeError
            If `channels` are something else.
        ValueError
            If no segment holds `start_s`, an index is out of range, or a name means no channel or several.
        InputError
            If the file changed or cannot be read any more.
        """
        if segment is None:
            holders = [s for s in self.segments if s.start_s <= start_s < s.stop_s]
            if not holders:
                raise ValueError(f"no segment holds {start_s} s")
            segment = holders[0]
        # By name: this module knows no labels, and must not import what does.
        found: Sequence[int] = importlib.import_module("brainscan.signal.lookup").channels_of(self.labels, channels)
        return self.reader(found, segment, start_s, stop_s)
