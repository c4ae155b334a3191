"""Annotations as EDFbrowser exports them to CSV, and imports them: onset, duration, annotation, in seconds.

Its menu *Tools, Import annotations/events* takes such a file with these settings: separator ``,``, data from line 2,
columns 1 to 3, onsets in seconds from the start of the recording.
"""

from __future__ import annotations

from pathlib import Path

from brainscan.errors import InputError
from brainscan.io.annotation_file import SEIZURE, AnnotationFile, row_error, seconds_of
from brainscan.io.note_events import Note, file_of
from brainscan.io.tables import read_table

COLUMNS = ("onset", "duration", "annotation")
_HINT = "export from EDFbrowser with onsets in seconds"


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
        onset_s = seconds_of(row["onset"], name=path.name, line=line, hint=_HINT)
        length_s = (
            seconds_of(row["duration"], name=path.name, line=line, hint=_HINT) if row["duration"].strip() else 0.0
        )
        if length_s < 0.0:
            raise row_error(f"event is reversed (duration {length_s:g} s)", name=path.name, line=line)
        notes.append(Note(onset_s, round(onset_s + length_s, 6), row["annotation"], line=line))
    return file_of(notes, path.name)


def format_edfbrowser_csv(file: AnnotationFile) -> str:
    """Return the text of a CSV file that EDFbrowser imports.

    A first row over the whole recording tells its duration (`AnnotationFile.whole`).

    Raises
    ------
    InputError
        If the duration is not known.
    """
    rows = [",".join(name.capitalize() for name in COLUMNS)]
    for event in (*file.whole(), *file.track()):
        label = "seizure" if event.label == SEIZURE else event.label
        length_s = round(event.offset_s, 4) - round(event.onset_s, 4)
        rows.append(f"{event.onset_s:.4f},{length_s:.4f},{label}")
    return "\n".join(rows) + "\n"
