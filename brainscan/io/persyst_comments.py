"""Comments of Persyst: the lines of the section ``[Comments]`` of a .lay, or that section alone.

A line is a second, a duration, two numbers that say nothing about the time, and the text, separated by commas; so
MNE-Python reads it, and so recordings have it. A comment's second counts what was recorded: pauses take none.
``[SampleTimes]`` of the same file says where they are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from brainscan.io.annotation_file import SEIZURE, AnnotationFile
from brainscan.io.content import Content
from brainscan.io.note_events import Note, file_of
from brainscan.io.persyst import comments, jumps, sections
from brainscan.io.text_files import read_bytes
from brainscan.recording import Segment

SECTION = "[Comments]"
_NO_STATE = "0,100"


def read_persyst_comments(path: Path) -> AnnotationFile:
    """Read the seizures among the comments of a .lay, or of its ``[Comments]`` alone; the .dat is not looked at.

    Raises
    ------
    InputError
        If the file cannot be read, or a comment speaks of a seizure and is not understood.
    """
    text = read_bytes(path).decode("utf-8", errors="replace").removeprefix("\ufeff")
    lists = sections(text)
    rate_hz = next((float(v) for k, v in lists.get("fileinfo", ()) if k.lower() == "samplingrate" and _is_rate(v)), 1.0)
    times = [(int(a), float(b)) for a, b in lists.get("sampletimes", ()) if a.isdigit() and _is_rate(b)]
    told = comments(text, jumps(times, max((sample for sample, _ in times), default=0) + 1, rate_hz), rate_hz)
    return file_of([Note(note.onset_s, round(note.offset_s, 6), note.label) for note in told], path.name)


def format_persyst_comments(content: Content) -> str:
    """Return the section ``[Comments]`` with a line a seizure, to stand in the recording's .lay.

    A first line over the whole recording tells its duration (`AnnotationFile.whole`).

    Raises
    ------
    InputError
        If the duration is not known.
    """
    parts = () if content.detection is None else content.detection.segments
    lines = [SECTION]
    for row in content.file.whole():
        onset_s, offset_s = _recorded(row.onset_s, parts), _recorded(row.offset_s, parts)
        lines.append(f"{onset_s:.4f},{offset_s - onset_s:.4f},{_NO_STATE},{row.label}")
    for event in content.file.track():
        label = "seizure" if event.label == SEIZURE else event.label
        length_s = round(event.offset_s, 4) - round(event.onset_s, 4)
        lines.append(f"{_recorded(event.onset_s, parts):.4f},{length_s:.4f},{_NO_STATE},{label}")
    return "\n".join(lines) + "\n"


def _recorded(at_s: float, parts: Sequence[Segment]) -> float:
    """Return how much was recorded before a second of the recording's clock."""
    if not parts:
        return at_s
    return math.fsum(min(max(at_s - part.start_s, 0.0), part.stop_s - part.start_s) for part in parts)


def _is_rate(text: str) -> bool:
    try:
        return float(text) > 0.0
    except ValueError:
        return False
