"""What brainscan says among the annotations of EDF+ and BDF+: its events, and who found them.

Annotations that begin with ``brainscan:`` are ours. Remarks stand at the recording's start, one annotation each (longer
ones go on in the next, which begins ``brainscan+``); events say how sure they are: ``brainscan: seizure, confidence
0.9312``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from brainscan.events import Annotation
from brainscan.io.annotation_file import SEIZURE, AnnotationFile
from brainscan.io.clock import plain_seconds
from brainscan.io.note_events import Note
from brainscan.io.origin import Origin

_OWN = "brainscan: "
_MORE = "brainscan+ "
OWN_MARK = b"\x14brainscan: brainscan "
"""The first of our remarks begins so (`Origin.comment_lines`)."""
_LONGEST = 200
"""Characters of one annotation. EDFlib reads 512 bytes; every record pays for the longest."""

_EVENT = re.compile(r"(?:brainscan: )?(?P<label>[^,]+), confidence (?P<confidence>[01]\.\d{4})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_SAID_ELSEWHERE = ("event ",)  # the file has a clock of its own


def lists_of(file: AnnotationFile, origin_s: float = 0.0) -> Iterator[bytes]:
    """Yield the time-stamped annotation lists that say what a file says: remarks first, then seizures.

    Parameters
    ----------
    file : AnnotationFile
    origin_s : float
        Second 0 of the recording, in seconds from the header's start time.
    """
    begin = _seconds(origin_s)
    for comment in file.comments:
        if not comment.startswith(_SAID_ELSEWHERE):
            for text in _pieces(comment):
                yield f"{begin}\x14{text}\x14\x00".encode("utf-8", "replace")
    ours = Origin.from_comments(file.comments) is not None
    for row in file.track():
        length = plain_seconds(round(row.offset_s, 4) - round(row.onset_s, 4))
        yield f"{_seconds(origin_s + row.onset_s)}\x15{length}\x14{_text(row, ours=ours)}\x14\x00".encode()


def _seconds(at_s: float) -> str:
    text = plain_seconds(at_s)
    return text if text.startswith("-") else f"+{text}"


def _pieces(comment: str) -> Iterator[str]:
    """Yield a remark in annotations of a length that readers take; none ends with a blank, which they drop."""
    rest, mark = _CONTROL.sub(" ", comment).strip(), _OWN
    while rest:
        cut = min(_LONGEST, len(rest))
        while cut < len(rest) and rest[cut - 1] == " " and cut > 1:
            cut -= 1
        yield mark + rest[:cut]
        rest, mark = rest[cut:], _MORE


def _text(row: Annotation, *, ours: bool) -> str:
    label = "seizure" if ours and row.label == SEIZURE else row.label
    sure = f", confidence {row.confidence:.4f}" if ours or row.confidence != 1.0 else ""
    return f"{_OWN if ours else ''}{label}{sure}"


@dataclass(frozen=True, slots=True)
class Said:
    """What a file's annotations are.

    Parameters
    ----------
    comments : tuple of str
        Our remarks.
    own : tuple of Note
        Our events, with their confidence.
    others : tuple of Note
        Everybody else's annotations.
    """

    comments: tuple[str, ...]
    own: tuple[Note, ...]
    others: tuple[Note, ...]

    @property
    def origin(self) -> Origin | None:
        """What made our events; None where there are none of ours."""
        return Origin.from_comments(self.comments)


def said_by(annotations: Iterable[Annotation]) -> Said:
    """Tell our remarks and events from others' annotations."""
    comments: list[str] = []
    own: list[Note] = []
    others: list[Note] = []
    for row in annotations:
        event = _EVENT.fullmatch(row.label)
        if event is not None:
            note = Note(row.onset_s, row.offset_s, event["label"], float(event["confidence"]))
            (own if row.label.startswith(_OWN) else others).append(note)
        elif row.label.startswith(_OWN):
            comments.append(row.label.removeprefix(_OWN))
        elif row.label.startswith(_MORE) and comments:
            comments[-1] += row.label.removeprefix(_MORE)
        else:
            others.append(Note(row.onset_s, row.offset_s, row.label))
    return Said(tuple(comments), tuple(own), tuple(others))
