"""Time-stamped annotation lists of EDF+ and BDF+: when each record starts, and the file's own notes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

_TIME = re.compile(rb"[+-]?\d{1,12}(?:[.,]\d{0,12})?")  # the sign and the point are the rule; not all keep to it
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_ENCODINGS = ("cp1252", "gb18030", "big5", "shift_jis", "euc_kr", "cp1250", "cp1251", "cp1253", "cp1255", "cp1256")
"""What recorders under Windows write although EDF+ wants UTF-8."""
_LONGEST_NOTE = 1000
_DRIFT_S = 0.5  # what a clock may gain on the samples of a segment unsaid
IGNORED = "the records' time stamps"
"""Begins the warning that they are no clock."""

LONGEST_S = 366 * 86400.0
"""Onsets that lie further apart are no clock."""


@dataclass(frozen=True, slots=True)
class Note:
    """One annotation, onset in seconds from the header's start time."""

    onset_s: float
    duration_s: float
    text: str


def record_onset(block: bytes) -> float:
    """Return the onset of a record from its first annotation block; NaN where it has none.

    The timekeeping annotation is the first whose text is empty: ``+onset`` and two bytes 0x14.
    """
    for entry in block.split(b"\0"):
        time, *texts = entry.split(b"\x14", 2)
        if len(texts) == 2 and not texts[0]:
            return _seconds(time.partition(b"\x15")[0])
    return float("nan")


def notes(block: bytes) -> Iterator[Note]:
    """Yield what a block says beside the timekeeping; malformed entries are passed over."""
    for entry in block.split(b"\0"):
        time, *texts = entry.split(b"\x14")
        onset, _, duration = time.partition(b"\x15")
        onset_s, duration_s = _seconds(onset), _seconds(duration)
        if math.isnan(onset_s):
            continue
        for text in texts:
            shown = _decoded(text)
            if shown:
                yield Note(onset_s, duration_s if duration_s > 0 else 0.0, shown)


def _seconds(field: bytes) -> float:
    return float(field.replace(b",", b".")) if _TIME.fullmatch(field) else float("nan")


def _decoded(text: bytes) -> str:
    try:
        plain = text.decode("utf-8")
    except UnicodeDecodeError:
        plain = _of_other_encoding(text)
    return _CONTROL.sub(" ", plain).strip()[:_LONGEST_NOTE]


def _of_other_encoding(text: bytes) -> str:
    """Return a note that is no UTF-8: as the encoding has it in which it speaks of a seizure, else as latin-1."""
    from brainscan.io.note_text import Meaning, understand  # all its words, for a note in ten thousand

    for encoding in _ENCODINGS:
        try:
            plain = text.decode(encoding)
        except UnicodeDecodeError:
            continue
        if understand(plain).meaning is not Meaning.NONE:
            return plain
    return text.decode("latin-1")


@dataclass(frozen=True, slots=True)
class Timeline:
    """Where the records lie in time.

    Parameters
    ----------
    origin_s : float
        Onset of second 0 of the recording, relative to the header's start time.
    segments : tuple of (int, int, float)
        First record, record after the last, start in seconds on the recording's clock.
    warnings : tuple of str
    is_clock : bool
        Whether the onsets could be believed.
    """

    origin_s: float
    segments: tuple[tuple[int, int, float], ...]
    warnings: tuple[str, ...] = ()
    is_clock: bool = True


def timeline(onsets: NDArray[np.float64], record_s: float, tolerance_s: float) -> Timeline:
    """Group records into gap-free segments.

    Parameters
    ----------
    onsets : array of float64, shape (n_records,)
        Onset of each record relative to the header's start; NaN where the record tells none.
    record_s : float
        Duration of a record.
    tolerance_s : float
        Deviation that is no gap (one sample).

    Returns
    -------
    Timeline
        A single record whose onset disagrees with both neighbours, which agree with each other, is taken for
        damaged. Where a tenth of the steps go backwards, or onsets lie more than a year apart, they are no
        clock, and the file counts as continuous.
    """
    n_records = len(onsets)
    known = np.isfinite(onsets)
    if not known.any():
        return Timeline(0.0, ((0, n_records, 0.0),))
    warnings = []
    filled = _filled(onsets, known, record_s)
    lone = _lone_outliers(filled, record_s, tolerance_s)
    if lone.any() or not known.all():
        count = int(lone.sum() + (~known).sum())
        warnings.append(f"{count} of {n_records} records have no usable time stamp: taken as continuous there")
        filled = _filled(np.where(lone, np.nan, filled), ~lone, record_s)
    step = np.diff(filled) - record_s
    backwards = (step < -tolerance_s).sum() > max(1, n_records // 10)
    if backwards or np.ptp(filled) > LONGEST_S:
        what = "run backwards" if backwards else "lie years apart"
        warnings.append(f"{IGNORED} {what}: ignored, the recording is taken as continuous")
        origin_s = float(filled[0]) if abs(filled[0]) < LONGEST_S else 0.0
        return Timeline(origin_s, ((0, n_records, 0.0),), tuple(warnings), is_clock=False)
    breaks = np.flatnonzero(np.abs(step) >= tolerance_s) + 1
    bounds = [0, *breaks.tolist(), n_records]
    origin_s = float(min(filled[b] for b in bounds[:-1]))
    segments = tuple((first, stop, float(filled[first]) - origin_s) for first, stop in pairwise(bounds))
    gaps = step[breaks - 1]
    forwards = gaps[gaps > 0]
    if forwards.size:
        warnings.append(f"gaps: {forwards.size}, {forwards.sum():.6g} s in all; the parts are analysed separately")
    if forwards.size < gaps.size:
        warnings.append(
            f"parts that overlap their predecessor in time: {gaps.size - forwards.size}; kept in file order"
        )
    warnings.extend(_drift(filled, bounds, record_s))
    return Timeline(origin_s, segments, tuple(warnings))


def _drift(onsets: NDArray[np.float64], bounds: list[int], record_s: float) -> Iterator[str]:
    """Say where time stamps leave the samples, each step by less than a gap."""
    even_s = np.arange(len(onsets)) * record_s
    gained = [(onsets[a:b] - onsets[a]) - (even_s[a:b] - even_s[a]) for a, b in pairwise(bounds)]
    far = max((float(part[np.abs(part).argmax()]) for part in gained), key=abs)
    if abs(far) > _DRIFT_S:
        how = "ahead of" if far > 0 else "behind"
        yield (
            f"the time stamps run {abs(far):.3g} s {how} the samples, a little in each record: times are counted by the"
            " samples from the start of each gap-free part"
        )


def _filled(onsets: NDArray[np.float64], known: NDArray[np.bool_], record_s: float) -> NDArray[np.float64]:
    """Continue from the last known onset where one is missing, and backwards from the first."""
    index = np.arange(len(onsets))
    last = np.maximum.accumulate(np.where(known, index, -1))
    last[last < 0] = int(np.flatnonzero(known)[0])
    return np.asarray(onsets[last] + (index - last) * record_s)


def _lone_outliers(onsets: NDArray[np.float64], record_s: float, tolerance_s: float) -> NDArray[np.bool_]:
    lone = np.zeros(len(onsets), dtype=np.bool_)
    if len(onsets) > 2:
        around = np.abs(onsets[2:] - onsets[:-2] - 2 * record_s) < tolerance_s
        lone[1:-1] = around & (np.abs(onsets[1:-1] - onsets[:-2] - record_s) >= tolerance_s)
    return lone
