"""From annotation rows to the completed list of segments that every NEDC metric reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainscan.events import Annotation, BoolArray

LABELS = ("seiz", "bckg")
"""The two classes, in the order of the official class map (the summary F1 depends on it)."""

_BLOCK_CELLS = 4_000_000  # segment comparisons held at once: 4 MB a mask, whatever the lists' lengths


@dataclass(frozen=True, slots=True, eq=False)
class SegmentList:
    """Segments whose labels alternate and that together describe a whole recording.

    Parameters
    ----------
    start_s, stop_s : array of float64, shape (n_segments,)
        As the official tool leaves them: overlapping rows leave segments with stop < start between them.
    seizure : array of bool, shape (n_segments,)
        True for ``seiz``.
    """

    start_s: NDArray[np.float64]
    stop_s: NDArray[np.float64]
    seizure: BoolArray

    def __post_init__(self) -> None:
        for array in (self.start_s, self.stop_s, self.seizure):
            array.setflags(write=False)

    def __len__(self) -> int:
        return len(self.seizure)

    @property
    def end_s(self) -> float:
        """Stop of the last segment, seconds: the duration that the metrics use."""
        return float(self.stop_s[-1])

    def of(self, label: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the starts and stops of one label's segments, in order."""
        chosen = self.seizure if label == LABELS[0] else ~self.seizure
        return self.start_s[chosen], self.stop_s[chosen]


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Reference and hypothesis of one recording."""

    ref: SegmentList
    hyp: SegmentList


def complete(annotations: Iterable[Annotation], duration_s: float) -> SegmentList:
    """Fill the gaps between rows with background and join neighbours of one label.

    Rows are neither merged nor clipped: what overlaps or passes the end leaves backward background segments, as
    the official tool has it.

    Parameters
    ----------
    annotations : iterable of Annotation
        Rows labelled ``seiz`` or ``bckg``, in any order. Only channel ``TERM`` counts.
    duration_s : float
        Of the recording as its file says, seconds.

    Raises
    ------
    ValueError
        For another label.
    """
    rows = sorted(
        ((row.onset_s, row.offset_s, row.label) for row in annotations if row.channel == "TERM"),
        key=lambda row: row[:2],
    )
    seizure, background = LABELS
    if not rows:
        rows = [(0.0, duration_s, background)]
        filled = rows
    else:
        filled, at_s, end_s = [], 0.0, round(duration_s, 4)
        for start_s, stop_s, label in rows:
            if label not in LABELS:
                raise ValueError(f"label must be one of {', '.join(LABELS)}, got {label!r}")
            if at_s != round(start_s, 4):
                filled.append((at_s, round(start_s, 4), background))
            filled.append((start_s, stop_s, label))
            at_s = round(stop_s, 4)
        if at_s != end_s:
            filled.append((at_s, end_s, background))
    starts: list[float] = []
    stops: list[float] = []
    seizures: list[bool] = []
    for start_s, stop_s, label in filled:
        if seizures and seizures[-1] == (label == seizure):
            stops[-1] = stop_s
        else:
            starts.append(start_s)
            stops.append(stop_s)
            seizures.append(label == seizure)
    return SegmentList(np.array(starts, dtype=np.float64), np.array(stops, dtype=np.float64), np.array(seizures))


def overlapped(ref: SegmentList, hyp: SegmentList, label: str) -> tuple[BoolArray, BoolArray]:
    """Say which segments of a label strictly overlap one of the other side with the same label.

    Touching is no overlap; there is no tolerance.

    Returns
    -------
    array of bool, shape (n_ref,)
    array of bool, shape (n_hyp,)
    """
    (ref_start, ref_stop), (hyp_start, hyp_stop) = ref.of(label), hyp.of(label)
    ref_hit, hyp_hit = np.zeros(len(ref_start), np.bool_), np.zeros(len(hyp_start), np.bool_)
    for rows in _blocks(len(ref_start), len(hyp_start)):
        both = (ref_stop[rows, None] > hyp_start) & (ref_start[rows, None] < hyp_stop)
        ref_hit[rows] = both.any(axis=1)
        hyp_hit |= both.any(axis=0)
    return ref_hit, hyp_hit


def near(ref: SegmentList, hyp: SegmentList, label: str) -> NDArray[np.int64]:
    """Return the index pairs ``(i, j)``, sorted, of one label's segments that share a whole second.

    The second test of TAES: the integers ``trunc(start) .. trunc(stop)`` of both segments have one in common;
    a segment whose integers run backward has none.

    Returns
    -------
    array of int64, shape (n_pairs, 2)
    """
    (ref_first, ref_last), (hyp_first, hyp_last) = (
        tuple(np.trunc(times) for times in side.of(label)) for side in (ref, hyp)
    )
    ref_some, hyp_some = ref_last >= ref_first, hyp_last >= hyp_first
    found = [np.zeros((0, 2), np.int64)]
    for rows in _blocks(len(ref_first), len(hyp_first)):
        both = (ref_last[rows, None] >= hyp_first) & (ref_first[rows, None] <= hyp_last)
        both &= ref_some[rows, None] & hyp_some
        pairs = np.argwhere(both)
        pairs[:, 0] += rows.start
        found.append(pairs)
    return np.concatenate(found)


def _blocks(n_rows: int, n_columns: int) -> list[slice]:
    size = max(1, _BLOCK_CELLS // max(1, n_columns))
    return [slice(first, min(first + size, n_rows)) for first in range(0, n_rows, size)]
