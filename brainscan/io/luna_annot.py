"""Annotations of Luna (``.annot``): class, instance, channel, start, stop and meta data, separated by tabs.

Luna's reference describes the form (Purcell, zzz.bwh.harvard.edu/luna): lines that begin with ``#`` declare classes, a
first row may name the columns, ``.`` stands for what is not there, times are seconds from the start of the recording.
"""

from __future__ import annotations

from pathlib import Path

from brainscan.io.annotation_file import ALL, SEIZURE, AnnotationFile, row_error, seconds_of
from brainscan.io.note_events import Note, file_of
from brainscan.io.text_files import read_text

COLUMNS = ("class", "instance", "channel", "start", "stop", "meta")
_ABSENT = "."
_LEAST = 5
_HINT = "times are seconds from the start of the recording; Luna's `WRITE-ANNOTS` writes them so"


def read_luna(path: Path) -> AnnotationFile:
    """Read the seizures of an ``.annot`` file; what its classes are called decides (`note_events.told_by`).

    Raises
    ------
    InputError
        If a row has too few columns, its times are no seconds from the start, or a class speaks of a seizure and is
        not understood; the line is named.
    """
    notes = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        cells = [cell.strip() for cell in line.split("\t")]
        if not line.strip() or line.startswith("#") or cells[0].casefold() == COLUMNS[0]:
            continue
        if len(cells) < _LEAST:
            raise row_error(f"has {len(cells)} columns instead of {_LEAST} or 6", name=path.name, line=number)
        label, _, channel, start, stop = cells[:_LEAST]
        onset_s, offset_s = (seconds_of(text, name=path.name, line=number, hint=_HINT) for text in (start, stop))
        notes.append(Note(onset_s, offset_s, label, channel=ALL if channel == _ABSENT else channel, line=number))
    return file_of(notes, path.name)


def format_luna(file: AnnotationFile) -> str:
    """Return the text of an ``.annot`` file: a class a seizure type, a row a seizure and channel.

    A first row over the whole recording tells its duration (`AnnotationFile.whole`).

    Raises
    ------
    InputError
        If the duration is not known.
    """
    rows = ["\t".join(COLUMNS)]
    for event in (*file.whole(), *file.track_with_channels()):
        label = "seizure" if event.label == SEIZURE else event.label
        for channel in (_ABSENT,) if event.channel == ALL else event.channel.split(","):
            rows.append("\t".join((label, _ABSENT, channel, f"{event.onset_s:.4f}", f"{event.offset_s:.4f}", _ABSENT)))
    return "\n".join(rows) + "\n"
