"""Annotations as EDFbrowser exports them to CSV, and imports them: onset, duration, annotation, in seconds.

Its menu *Tools, Import annotations/events* takes such a file with these settings: separator ``,``, data from line 2,
columns 1 to 3, onsets in seconds from the start of the recording.
"""

from __future__ import annotations

import math
from pathlib import Path

from brainscan.errors import InputError
from brainscan.io.annotation_file import BACKGROUND, SEIZURE, AnnotationFile, row_error
from brainscan.io.note_events import Note, told_by, whole_of
from brainscan.io.tables import read_table

COLUMNS = ("onset", "duration", "annotation")


def read_edfbrowser_csv(path: Path) -> AnnotationFile:
    """Read the seizures of a CSV file of EDFbrowser; what `note_events.told_by` finds to be others is passed over.

    Raises
    ------
    InputError
        If a column is missing, a time is no number of seconds, or an annotation speaks of a seizure and is not
        understood; the line is named.
    """
    table = read_table(path)
    header = [name.casefold() for name in table.header]
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise InputError(
            f"has no column {missing[0]!r} (columns: {', '.join(table.header)})",
            kind="header",
            file=path.name,
            hint="columns: Onset,Duration,Annotation",
        )
    notes = []
    for line, cells in table.rows:
        row = dict(zip(header, cells, strict=True))
        onset_s = _seconds(row["onset"], path.name, line)
        length_s = _seconds(row["duration"], path.name, line) if row["duration"].strip() else 0.0
        if length_s < 0.0:
            raise row_error(f"event is reversed (duration {length_s:g} s)", name=path.name, line=line)
        notes.append(Note(onset_s, round(onset_s + length_s, 6), row["annotation"], line=line))
    told = told_by(notes, path.name)
    return AnnotationFile(
        told.annotations, whole_of(notes), told.lines, path.name, warnings=told.warnings, n_passed=told.n_passed
    )


def _seconds(text: str, name: str, line: int) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise row_error(
            f"a time is no number of seconds ({text!r})",
            name=name,
            line=line,
            hint="export from EDFbrowser with onsets in seconds",
        )
    return value


def format_edfbrowser_csv(file: AnnotationFile) -> str:
    """Return the text of a CSV file that EDFbrowser imports.

    A first row ``bckg`` over the whole recording tells its duration.

    Raises
    ------
    InputError
        If the duration is not known.
    """
    whole = f"{0:.4f},{file.known_duration_s():.4f},{BACKGROUND}"
    rows = [",".join(name.capitalize() for name in COLUMNS), whole]
    for event in file.track():
        label = "seizure" if event.label == SEIZURE else event.label
        length_s = round(event.offset_s, 4) - round(event.onset_s, 4)
        rows.append(f"{event.onset_s:.4f},{length_s:.4f},{label}")
    return "\n".join(rows) + "\n"
