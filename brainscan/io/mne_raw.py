"""Recordings from an MNE ``Raw`` object, whatever opened it."""

from __future__ import annotations

import math
import re
import warnings as python_warnings
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from brainscan.errors import InputError
from brainscan.events import Annotation, complement, union
from brainscan.io.calibration import calibrated
from brainscan.io.containers import unreadable
from brainscan.io.mne_checks import damaged
from brainscan.recording import Channel, Recording, Samples, Segment
from brainscan.signal.labels import parse_all
from brainscan.signal.units import MAX_UV, uv_per_unit

_VOLTAGES = frozenset({"eeg", "eog", "ecg", "emg", "bio"})
"""Channel types of MNE that hold volts at the scalp; depth and grid contacts are not looked at."""

_BREAK = re.compile(r"(?:^|[ /])(?:boundary|New Segment)", re.IGNORECASE)
_SKIPPED = "BAD_ACQ_SKIP"
_UV_PER_V = 1e6


@dataclass(frozen=True, slots=True)
class Beside:
    """What a file's header or the files beside it say, where MNE does not hand it on.

    Parameters
    ----------
    start : datetime or None
        Time of the first sample, in place of MNE's.
    blocks : tuple of (int, float)
        First sample of each block, and its place on the recording's clock in seconds; empty for one block.
    labels : tuple of str
        Labels in place of MNE's; empty to keep those.
    factors, offsets : tuple of float
        µV for each unit that MNE gives, and what is taken off before; empty where MNE gives volts.
    grid : int
        Samples come in frames of so many; a read that begins within one goes wrong.
    by : str
        What opens it instead of MNE's own reader; empty for that.
    electrodes_are_eeg : bool
        Whether channels that name an electrode are EEG, where MNE takes them for something else.
    clocked : bool
        Whether MNE's own time of the first sample holds, where `start` is None.
    warnings : tuple of str
    """

    start: datetime | None = None
    blocks: tuple[tuple[int, float], ...] = ()
    labels: tuple[str, ...] = ()
    factors: tuple[float, ...] = ()
    offsets: tuple[float, ...] = ()
    grid: int = 1
    by: str = ""
    electrodes_are_eeg: bool = False
    clocked: bool = True
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class RawReader:
    """Fetches samples of an MNE ``Raw``; a `brainscan.recording.Reader`.

    Parameters
    ----------
    raw : mne.io.BaseRaw
    rate_hz : Fraction
    name : str
    factors : tuple of (float or None)
        µV for each volt that MNE gives; None where a channel holds no volts.
    firsts : mapping of float to int
        First sample of the segment that starts at a second of the recording's clock.
    offsets : tuple of float
        What is taken off what MNE gives; empty for nothing.
    grid : int
        See `Beside`.
    """

    raw: Any
    rate_hz: Fraction
    name: str
    factors: tuple[float | None, ...]
    firsts: Mapping[float, int] = field(default_factory=dict)
    offsets: tuple[float, ...] = ()
    grid: int = 1

    def __call__(self, channels: Sequence[int], segment: Segment, start_s: float, stop_s: float) -> Samples:
        """Read channels over a span of a segment; see `Recording.read`."""
        first = self.firsts.get(segment.start_s, round(segment.start_s * self.rate_hz))
        start, stop = (first + segment.index(at_s, self.rate_hz) for at_s in (start_s, stop_s))
        values = np.full((len(channels), max(stop - start, 0)), np.nan)
        rows = [row for row, channel in enumerate(channels) if self.factors[channel] is not None]
        if rows and stop > start:
            factors = [[self.factors[channels[row]]] for row in rows]
            values[rows] = self._volts([channels[row] for row in rows], start, stop) * factors
            # Floating-point files may hold infinities, and numbers that no amplifier gives.
            values[np.abs(values) > MAX_UV] = np.nan
        return Samples(tuple(values), tuple(np.zeros(values.shape, dtype=np.bool_)))

    def _volts(self, channels: Sequence[int], start: int, stop: int) -> Any:
        # MNE wants ascending picks without repetition.
        picks = sorted(set(channels))
        begin = start - start % self.grid
        end = min(stop + -stop % self.grid, int(self.raw.n_times))
        try:
            with python_warnings.catch_warnings():
                python_warnings.simplefilter("ignore")
                data = self.raw.get_data(picks=picks, start=begin, stop=end, verbose="ERROR")
        except OSError as problem:
            raise unreadable(self.name, problem) from problem
        except Exception as problem:  # on damaged files its readers raise whatever comes up
            raise damaged(self.name) from problem
        volts = data[[picks.index(channel) for channel in channels], start - begin : stop - begin]
        return volts - [[self.offsets[channel]] for channel in channels] if self.offsets else volts


def from_raw(raw: Any, *, name: str = "raw") -> Recording:
    """Make a recording of an MNE ``Raw`` object.

    Parameters
    ----------
    raw : mne.io.BaseRaw
        Loaded or not; blocks are fetched as they are needed. Channels that are marked as bad are not used.
    name : str
        For messages and outputs.

    Returns
    -------
    Recording
        Second 0 is the first sample. Parts that MNE calls skipped or separated by a boundary are segments.

    Raises
    ------
    InputError
        Kind ``empty`` if there are no samples.
    """
    return recording_of(raw, name, Beside())


def recording_of(raw: Any, name: str, beside: Beside) -> Recording:
    """Make a recording of an MNE ``Raw`` object and of what MNE does not hand on; else as `from_raw`."""
    rate_hz = Fraction(float(raw.info["sfreq"])).limit_denominator(1_000_000)
    n_samples = int(raw.n_times)
    if n_samples < 1 or rate_hz <= 0:
        raise InputError("has no samples", kind="empty", file=name)
    bad = set(raw.info["bads"])
    labels = beside.labels or tuple(_own_labels(raw.ch_names))
    electrodes = [beside.electrodes_are_eeg and bool(label.first) for label in parse_all(labels)]
    usable = tuple(
        (kind in _VOLTAGES or electrode) and own not in bad
        for kind, electrode, own in zip(raw.get_channel_types(), electrodes, raw.ch_names, strict=True)
    )
    clock = _Clock(beside.blocks, rate_hz)
    notes = tuple(_annotations(raw))
    placed = _segments(notes, clock, n_samples)
    segments = tuple(placed)
    warnings = [*beside.warnings]
    if len(segments) > 1:
        warnings.append(f"{len(segments)} parts: analysed separately")
    if bad:
        warnings.append(f"channels marked as bad are left out: {', '.join(sorted(bad))}")
    factors = beside.factors or (_UV_PER_V,) * len(usable)
    units = ("uV",) * len(usable) if beside.factors else _units(raw)
    stated = tuple(
        Channel(label, rate_hz, unit, (uv_per_unit(unit) or _UV_PER_V) if held else None)
        for label, unit, held in zip(labels, units, usable, strict=True)
    )
    reader = RawReader(
        raw,
        rate_hz,
        name,
        tuple(factor if held else None for factor, held in zip(factors, usable, strict=True)),
        {segment.start_s: first for segment, first in placed.items()},
        beside.offsets,
        beside.grid,
    )
    recording = Recording(
        name=name,
        format="array",
        start=beside.start or (_start(raw) if beside.clocked else None),
        duration_s=max(segment.stop_s for segment in segments),
        segments=segments,
        channels=stated,
        reader=reader,
        annotations=tuple(clock.moved(note) for note in notes),
        warnings=tuple(warnings),
        age_years=_age(raw.info),
    )
    channels = calibrated(recording)
    # MNE has turned the file's units into volts; where they mean something else, its volts do.
    settled = tuple(
        None if c.uv_per_unit is None or s.uv_per_unit is None else factor * (c.uv_per_unit / s.uv_per_unit)
        for c, s, factor in zip(channels, stated, factors, strict=True)
    )
    return replace(recording, channels=channels, reader=replace(reader, factors=settled))


class _Clock:
    """Where samples lie on the recording's clock: their blocks, put one behind the other in MNE, have gaps there."""

    def __init__(self, blocks: Sequence[tuple[int, float]], rate_hz: Fraction) -> None:
        self.rate_hz = rate_hz
        self.firsts = [first for first, _ in blocks] or [0]
        self._shifts = [start_s - float(first / rate_hz) for first, start_s in blocks] or [0.0]

    def shift_s(self, sample: int) -> float:
        """Return by how much the clock is ahead of the samples that were recorded."""
        return self._shifts[max(0, bisect_right(self.firsts, sample) - 1)]

    def moved(self, note: Annotation) -> Annotation:
        """Put a note whose times count recorded samples on the clock."""
        at = round(note.onset_s * self.rate_hz)
        last = max(at, round(note.offset_s * self.rate_hz) - 1)
        onset_s, offset_s = note.onset_s + self.shift_s(at), note.offset_s + self.shift_s(last)
        return replace(note, onset_s=onset_s, offset_s=max(onset_s, offset_s))


def _units(raw: Any) -> list[str]:
    """Return the unit of each channel in the file, as far as MNE knows; volts, its own, otherwise."""
    own = getattr(raw, "_orig_units", None) or {}
    units = [str(own.get(label, "")) for label in raw.ch_names]
    return [unit if uv_per_unit(unit) is not None else "V" for unit in units]


def _annotations(raw: Any) -> Iterator[Annotation]:
    # MNE counts onsets from the measurement's start, of which the first sample may be later.
    for onset, duration, text in zip(
        raw.annotations.onset, raw.annotations.duration, raw.annotations.description, strict=True
    ):
        onset_s = float(onset) - float(raw.first_time)
        yield Annotation(onset_s, onset_s + float(duration), str(text))


def _segments(notes: Sequence[Annotation], clock: _Clock, n_samples: int) -> dict[Segment, int]:
    """Cut at boundaries and between blocks, and leave out what was not recorded.

    Returns
    -------
    dict of Segment to int
        On the recording's clock, and the first sample of each.
    """
    rate_hz = clock.rate_hz
    duration_s = float(n_samples / rate_hz)
    skipped = union((n.onset_s, n.offset_s) for n in notes if n.label == _SKIPPED)
    # Where blocks are known, MNE's boundaries only repeat them.
    cuts = {n.onset_s for n in notes if _BREAK.search(n.label)} if len(clock.firsts) == 1 else set()
    grid = sorted({0, n_samples, *(_sample(c, rate_hz) for c in cuts if 0.0 < c < duration_s), *clock.firsts})
    parts: dict[Segment, int] = {}
    for first, stop in pairwise(bound for bound in grid if bound <= n_samples):
        for a, b in complement(skipped, float(first / rate_hz), float(stop / rate_hz)):
            begin, end = _sample(a, rate_hz), _sample(b, rate_hz)
            if end > begin:
                start_s = float(begin / rate_hz) + clock.shift_s(begin)
                parts[Segment(start_s, float((end - begin) / rate_hz))] = begin
    return parts or {Segment(0.0, duration_s): 0}


def _sample(at_s: float, rate_hz: Fraction) -> int:
    """Return the sample at a time; MNE's readers put joints half a sample before the one that is behind them."""
    return math.floor(at_s * float(rate_hz) + 0.5 + 1e-4)


def _own_labels(labels: Sequence[str]) -> list[str]:
    """Take off the running numbers that MNE appends to labels that occur twice (``T8-P8-0``, ``T8-P8-1``)."""
    stems = [re.fullmatch(r"(.+)-(\d+)", label) for label in labels]
    counts = Counter(stem.group(1) for stem in stems if stem)
    return [
        stem.group(1) if stem and counts[stem.group(1)] > 1 and stem.group(1) not in labels else label
        for stem, label in zip(stems, labels, strict=True)
    ]


def _start(raw: Any) -> datetime | None:
    start = raw.info["meas_date"]
    return None if start is None else start.replace(tzinfo=None) + timedelta(seconds=float(raw.first_time))


def _age(info: Any) -> float | None:
    subject, start = info["subject_info"], info["meas_date"]
    born = subject.get("birthday") if subject else None
    if born is None or start is None:
        return None
    days = (start.date() - (born.date() if isinstance(born, datetime) else born)).days
    return days / 365.25 if 0 <= days < 130 * 365.25 else None
