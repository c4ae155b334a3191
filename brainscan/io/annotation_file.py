"""`AnnotationFile`: what any annotation format says, and the checks that all of them share.

The labels inside are ``seiz`` and ``bckg`` or a seizure type; each reader maps its own words to them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from brainscan.errors import InputError
from brainscan.events import Annotation, Spans, complement, union

SEIZURE = "seiz"
BACKGROUND = "bckg"
ALL = "TERM"
"""In place of a channel: all of them."""

WHOLE = "recording"
"""What a note over the whole recording is called where not all of it is background: it tells the duration."""

TUSZ_SEIZURES = frozenset(
    {"seiz", "gnsz", "fnsz", "cpsz", "absz", "spsz", "tcsz", "tnsz", "mysz", "cnsz", "atsz"},
)
"""Labels of the Temple corpora that mean an epileptic seizure; ``nesz`` (non-epileptic) is background."""


_CONFIDENCE_ROUNDING = 1e-6  # a mean in single precision
_MANY = 5
_ROUNDING_S = 1e-3

_WORDS = {"seizure": SEIZURE, "sz": SEIZURE, "ictal": SEIZURE, "background": BACKGROUND, "bckg": BACKGROUND}


def is_seizure(label: str) -> bool:
    """Say whether a label means a seizure: the Temple types, and HED-SCORE's ``sz`` family."""
    return label in TUSZ_SEIZURES or label.startswith("sz_")


def label_of(text: str) -> str | None:
    """Return the label that a free text means (``seiz``, ``bckg``, a seizure type), None for any other note."""
    word = " ".join(text.casefold().split())
    if is_seizure(word):
        return text.strip() if text.strip().startswith("sz_") else word
    return _WORDS.get(word)


@dataclass(frozen=True, slots=True)
class AnnotationFile:
    """The content of one annotation file, in the file's own order.

    Parameters
    ----------
    annotations : tuple of Annotation
        Rows as they stand, with seizure type and channel.
    duration_s : float or None
        Length of the recording where the format tells it.
    lines : tuple of int
        Line of each annotation, counted from 1, for messages; empty where the format has no lines.
    name : str
        File name, for messages.
    start : datetime or None
        Wall-clock time of second 0 where the format tells it.
    comments : tuple of str
        Our own remarks (what follows ``# brainscan:``).
    warnings : tuple of str
        What the reader had to decide, one line each.
    n_passed : int
        Rows or notes that tell of something else than seizures and background.
    recording : str
        Which recording it says that it is of; empty where the format does not tell.
    """

    annotations: tuple[Annotation, ...]
    duration_s: float | None = None
    lines: tuple[int, ...] = ()
    name: str = ""
    start: datetime | None = None
    comments: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    n_passed: int = 0
    recording: str = ""

    @property
    def says_nothing(self) -> bool:
        """Whether there are rows or notes, and none about seizures or background: nobody said that there is none."""
        return self.n_passed > 0 and not self.annotations

    @property
    def seizures(self) -> tuple[tuple[float, float], ...]:
        """Disjoint, sorted seizure intervals in seconds: the union over channels and types."""
        return union((a.onset_s, a.offset_s) for a in self.annotations if is_seizure(a.label))

    @property
    def unscored(self) -> Spans:
        """Spans that our own remarks name as not scored.

        Raises
        ------
        InputError
            If such a remark has no two times.
        """
        remarks = (comment.split() for comment in self.comments)
        try:
            return tuple((float(words[1]), float(words[2])) for words in remarks if words[:1] == ["unscored"])
        except (ValueError, IndexError):
            raise InputError("has a comment 'unscored' without two times", kind="corrupt", file=self.name) from None

    def track(self) -> tuple[Annotation, ...]:
        """Return the seizures as one disjoint, sorted track for formats that know no channels.

        Seizures of one channel stay as they are; over several channels the union is taken, with the common
        type if there is one, else ``seiz``, and the highest confidence. Ends are cut to the recording's.
        """
        return tuple(replace(row, channel=ALL) for row in self.track_with_channels())

    def track_with_channels(self) -> tuple[Annotation, ...]:
        """Return the seizures as `track` does, each with the names of its channels, ``TERM`` or ``T3,T5``."""
        rows = [a for a in self.annotations if is_seizure(a.label)]
        if len({row.channel for row in rows}) > 1:
            rows = [_joined([r for r in rows if a <= r.onset_s < b], a, b) for a, b in self.seizures]
        end_s = float("inf") if self.duration_s is None else self.duration_s
        return tuple(replace(row, offset_s=min(row.offset_s, end_s)) for row in sorted(rows) if row.onset_s < end_s)

    def known_duration_s(self) -> float:
        """Return the duration.

        Raises
        ------
        InputError
            If it is not known.
        """
        if self.duration_s is None:
            raise InputError(
                "does not tell the recording's duration",
                kind="header",
                file=self.name,
                hint="give --duration SECONDS, or --recording FILE",
            )
        return self.duration_s

    def whole(self) -> tuple[Annotation, ...]:
        """Return the rows with which formats without a place for the duration begin.

        One row of background over the whole recording; where parts were not scored, a row that only tells the
        duration, and background over what was.

        Raises
        ------
        InputError
            If the duration is not known.
        """
        duration_s = self.known_duration_s()
        if not self.unscored:
            return (Annotation(0.0, duration_s, BACKGROUND),)
        scored = complement(self.unscored, 0.0, duration_s)
        return (Annotation(0.0, duration_s, WHOLE), *(Annotation(a, b, BACKGROUND) for a, b in scored))


def tells_whole(text: str) -> bool:
    """Whether a first note over the whole recording tells its duration; see `AnnotationFile.whole`."""
    return label_of(text) == BACKGROUND or text.strip().casefold() == WHOLE


def _joined(rows: Sequence[Annotation], onset_s: float, offset_s: float) -> Annotation:
    labels = {row.label for row in rows}
    label = labels.pop() if len(labels) == 1 else SEIZURE
    channels = list(dict.fromkeys(name for row in rows for name in row.channel.split(",")))
    channel = ALL if ALL in channels else ",".join(channels)
    return Annotation(onset_s, offset_s, label, max(row.confidence for row in rows), channel)


def row_error(message: str, *, name: str, line: int | None = None, hint: str = "") -> InputError:
    """Build the error for a row that cannot be used; it names the line."""
    where = f"line {line}: " if line is not None else ""
    return InputError(f"{where}{message}", kind="corrupt", file=name, hint=hint)


def seconds_of(text: str, *, name: str, line: int, hint: str) -> float:
    """Return the seconds that a cell holds.

    Raises
    ------
    InputError
        If it is no finite number; the line is named.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise row_error(f"a time is no number of seconds ({text!r})", name=name, line=line, hint=hint)
    return value


def check_confidence(row: Annotation, name: str, line: int | None = None) -> None:
    """Refuse a seizure whose confidence is none.

    Raises
    ------
    InputError
        If it is outside 0..1, or no number; the line is named.
    """
    if is_seizure(row.label) and not -_CONFIDENCE_ROUNDING <= row.confidence <= 1.0 + _CONFIDENCE_ROUNDING:
        raise row_error(
            f"confidence {row.confidence:g} of the event at {row.onset_s:g} s is outside 0..1",
            name=name,
            line=line,
            hint="confidences are probabilities: divide percent by 100",
        )


def check_intervals(file: AnnotationFile) -> AnnotationFile:
    """Return the file unchanged if its rows are sound, but for their place in the recording (`within_recording`).

    Raises
    ------
    InputError
        For a row that ends before or where it starts or that starts before 0, and for seizures that overlap on one
        channel; the line is named.
    """
    for row, line in _numbered(file):
        span = f"{row.onset_s:g} s .. {row.offset_s:g} s"
        if row.offset_s < row.onset_s:
            raise row_error(f"event is reversed ({span})", name=file.name, line=line, hint="swap start and stop")
        if row.offset_s == row.onset_s:
            raise row_error(f"event has no length ({span})", name=file.name, line=line)
        if row.onset_s < 0:
            raise row_error(f"event starts before the recording ({span})", name=file.name, line=line)
    _check_overlap(_numbered(file), file.name)
    return file


def within_recording(file: AnnotationFile) -> AnnotationFile:
    """Return the file with seizures that run past the recording's end cut there, and a warning.

    Raises
    ------
    InputError
        For a seizure that starts after the end; the line is named.
    """
    if file.duration_s is None:
        return file
    end_s = file.duration_s
    rows, lines, cut = [], [], []
    for row, line in _numbered(file):
        # Formats that round times to 0.1 ms or whole seconds may exceed the end by as much.
        if row.offset_s <= end_s + _ROUNDING_S:
            rows.append(row)
        elif row.onset_s < end_s - _ROUNDING_S:
            rows.append(replace(row, offset_s=end_s))
            if is_seizure(row.label):
                cut.append(_place(row, line))
        elif is_seizure(row.label):
            raise row_error(
                f"event starts after the recording ({row.onset_s:g} s .. {row.offset_s:g} s, duration {end_s:g} s)",
                name=file.name,
                line=line,
                hint=_other_clock(file, end_s),
            )
        else:
            continue
        lines.append(line)
    kept = tuple(line for line in lines if line is not None)
    warnings = file.warnings
    if cut:
        warnings += (f"cut at the recording's end ({end_s:g} s): {', '.join(cut)}",)
    return replace(file, annotations=tuple(rows), lines=kept, warnings=warnings)


def _other_clock(file: AnnotationFile, end_s: float) -> str:
    """Return a hint at times that are no seconds."""
    last = max(row.offset_s for row in file.annotations)
    if last > 2 * end_s and last <= 1000 * end_s:
        return "times are seconds from the start of the recording, not milliseconds or samples"
    return "is it the annotation of this recording?"


def joined(file: AnnotationFile) -> AnnotationFile:
    """Return the file with seizures that overlap on one channel joined, and a warning: two readers marked them."""
    items = _numbered(file)
    done: list[tuple[Annotation, int | None]] = []
    told = []
    seizures = [item for item in items if is_seizure(item[0].label)]
    for row, line in sorted(seizures, key=lambda item: (item[0].channel, item[0].onset_s)):
        before = done[-1][0] if done else None
        overlap = before is not None and row.channel == before.channel and row.onset_s < before.offset_s
        if before is not None and overlap and row.offset_s > row.onset_s:
            told.append(f"{before.onset_s:g} s .. {before.offset_s:g} s with {row.onset_s:g} s .. {row.offset_s:g} s")
            both = _joined([before, row], before.onset_s, max(before.offset_s, row.offset_s))
            done[-1] = both, done[-1][1]
        else:
            done.append((row, line))
    if not told:
        return file
    done = sorted([*done, *(item for item in items if not is_seizure(item[0].label))], key=lambda item: item[0])
    shown = ", ".join(told[:_MANY]) + (" ..." if len(told) > _MANY else "")
    return replace(
        file,
        annotations=tuple(row for row, _ in done),
        lines=tuple(line for _, line in done if line is not None),
        warnings=(*file.warnings, f"seizures that overlap (two readers?) are joined: {shown}"),
    )


def _place(row: Annotation, line: int | None) -> str:
    return f"{row.onset_s:g} s .. {row.offset_s:g} s" + (f" (line {line})" if line is not None else "")


def _numbered(file: AnnotationFile) -> list[tuple[Annotation, int | None]]:
    return list(zip(file.annotations, file.lines or [None] * len(file.annotations), strict=True))


def _check_overlap(rows: Iterable[tuple[Annotation, int | None]], name: str) -> None:
    seizures = sorted(
        (item for item in rows if is_seizure(item[0].label)), key=lambda item: (item[0].channel, item[0].onset_s)
    )
    for (first, first_line), (second, line) in pairwise(seizures):
        if first.channel == second.channel and second.onset_s < first.offset_s:
            where = f" of line {first_line}" if first_line is not None else ""
            raise row_error(
                f"event {second.onset_s:g} s .. {second.offset_s:g} s overlaps the one{where}"
                f" ({first.onset_s:g} s .. {first.offset_s:g} s)",
                name=name,
                line=line,
                hint="merge them or correct the times",
            )
