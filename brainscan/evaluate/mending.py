"""Event files of other detectors: what is meant by rows that no annotation may have.

A reference with an event outside the recording, or with two that overlap, is not sound, and is refused. A detector that
writes whole windows says the same in all innocence. Its events are cut to the recording and rows that say nothing are
left out, each counted; only what cannot be known is refused.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace

from brainscan.errors import InputError
from brainscan.events import Annotation
from brainscan.io.annotation_file import SEIZURE, AnnotationFile, check_confidence, is_seizure, row_error

ROUNDING_S = 1e-3
"""What formats that round may pass the end by; nobody need be told."""


_FAR_S = 60.0  # a padded last window ends here at the latest; beyond lies another recording, or another unit


@dataclass(frozen=True, slots=True)
class Mending:
    """How many rows were changed, and how.

    Parameters
    ----------
    cut : int
        Began before the recording or ended after it.
    joined : int
        Overlapped the row before them on the same channel.
    empty : int
        Had no length; left out.
    outside : int
        Lay wholly outside the recording; left out.
    unsure : int
        Had no confidence where others have one; they count as certain.
    """

    cut: int = 0
    joined: int = 0
    empty: int = 0
    outside: int = 0
    unsure: int = 0

    def __bool__(self) -> bool:
        """Return whether anything was changed."""
        return any(self.as_mapping().values())

    def __add__(self, other: Mending) -> Mending:
        """Return the sums of both."""
        return Mending(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Mending)))

    def as_mapping(self) -> dict[str, int]:
        """Return plain JSON values."""
        return {f.name: getattr(self, f.name) for f in fields(Mending)}

    def __str__(self) -> str:
        """Return what was done, on one line; nothing for what was not."""
        said = (f"{text}: {count}" for count, text in zip(self.as_mapping().values(), _SAID, strict=True) if count)
        return ", ".join(said)


_SAID = (
    "cut to the recording",
    "joined, as they overlap",
    "left out, as they have no length",
    "left out, as they lie outside the recording",
    "without a confidence beside others that have one, counted as certain",
)


def mend(file: AnnotationFile, duration_s: float) -> tuple[AnnotationFile, Mending]:
    """Return the seizures of a detector's file within the recording, and what was changed.

    Rows that overlap stay apart, so that each keeps its confidence; `joined` makes one of them.

    Parameters
    ----------
    file : AnnotationFile
        As it stands.
    duration_s : float
        Of the recording.

    Returns
    -------
    AnnotationFile
        The same object if nothing was changed; else without rows of background, which would contradict.
    Mending

    Raises
    ------
    InputError
        For a reversed row, a time that is no number, or a confidence outside 0..1, with its line; or if all
        events lie outside the recording and one lies a minute off.
    """
    lines: Sequence[int | None] = file.lines or [None] * len(file.annotations)
    rows = [(row, line) for row, line in zip(file.annotations, lines, strict=True) if is_seizure(row.label)]
    for row, line in rows:
        _check(row, file.name, line)
    kept, cut, empty, outside = [], 0, 0, 0
    for row, _ in rows:
        if row.offset_s == row.onset_s:
            empty += 1
        elif row.onset_s >= duration_s or row.offset_s <= 0.0:
            outside += 1
        else:
            within = replace(row, onset_s=max(row.onset_s, 0.0), offset_s=min(row.offset_s, duration_s))
            cut += row.offset_s > duration_s + ROUNDING_S or row.onset_s < -ROUNDING_S
            kept.append(within)
    if outside and not kept and max(max(r.onset_s - duration_s, -r.offset_s) for r, _ in rows) > _FAR_S:
        raise InputError(
            f"all its events lie outside the recording ({rows[0][0].onset_s:g} s .. {rows[0][0].offset_s:g} s,"
            f" duration {duration_s:g} s)",
            kind="corrupt",
            file=file.name,
            hint="times are seconds from the start of the recording",
        )
    mending = Mending(cut, _overlaps(kept), empty, outside)
    if not mending and [row for row, _ in rows] == kept:
        return file, mending
    return replace(file, annotations=tuple(sorted(kept)), lines=(), duration_s=duration_s), mending


def joined(rows: Iterable[Annotation]) -> tuple[Annotation, ...]:
    """Join rows that overlap; the surest one's confidence and the common label stand for all. Touching stays two."""
    found: list[Annotation] = []
    for row in sorted(rows):
        if found and row.onset_s < found[-1].offset_s:
            last = found.pop()
            label = last.label if last.label == row.label else SEIZURE
            confidence = max(last.confidence, row.confidence)
            found.append(Annotation(last.onset_s, max(last.offset_s, row.offset_s), label, confidence, row.channel))
        else:
            found.append(row)
    return tuple(found)


def _check(row: Annotation, name: str, line: int | None) -> None:
    span = f"{row.onset_s:g} s .. {row.offset_s:g} s"
    if not (math.isfinite(row.onset_s) and math.isfinite(row.offset_s)):
        raise row_error(f"event has a time that is no number ({span})", name=name, line=line)
    if row.offset_s < row.onset_s:
        raise row_error(f"event is reversed ({span})", name=name, line=line, hint="swap start and stop")
    check_confidence(row, name, line)


def _overlaps(rows: Iterable[Annotation]) -> int:
    by_channel: dict[str, list[Annotation]] = defaultdict(list)
    for row in sorted(rows):
        by_channel[row.channel].append(row)
    n_overlaps = 0
    for group in by_channel.values():
        end_s = -math.inf
        for row in group:
            n_overlaps += row.onset_s < end_s
            end_s = max(end_s, row.offset_s)
    return n_overlaps
