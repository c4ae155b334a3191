"""Seizures from notes: EDF+ annotations, MNE's descriptions, rows of BIDS events, all by the same rules.

What the notes say is the truth about a recording only as a whole. One note about a seizure that is not understood, or
has no end, makes all of them unusable, for what is left out would count as background.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from brainscan.errors import InputError
from brainscan.events import Annotation
from brainscan.io.annotation_file import BACKGROUND, AnnotationFile, tells_whole
from brainscan.io.note_text import Meaning, NoteText, understand

RECORDING_BEGINS_S = 60.0
"""*EEG start* so near the beginning is the recording's own."""

SHORT_S = 2.0
"""Seizures that are all this short look like the length that a program gives to every note."""

BESIDE_S = 10.0
"""A mark so near a seizure that has a length is one of it."""

SAME_SEIZURE_S = 120.0
"""So far apart the EEG's and the clinical beginning (or end) of one seizure may lie."""

_MANY = 5
_PASSED = (Meaning.NONE, Meaning.DENIED, Meaning.NON_EPILEPTIC)


@dataclass(frozen=True, slots=True)
class Note:
    """One note, as a file has it.

    Parameters
    ----------
    onset_s, offset_s : float
        Seconds from the start of the recording; equal where the note has no length.
    text : str
        EDF+ and MNE write ``text@@channel``.
    confidence : float
    channel : str
    line : int or None
        Where it stands, in files that have lines.
    """

    onset_s: float
    offset_s: float
    text: str
    confidence: float = 1.0
    channel: str = "TERM"
    line: int | None = None

    @property
    def where(self) -> str:
        """The note for messages: text and time."""
        line = "" if self.line is None else f"line {self.line}: "
        return f"{line}{self.text!r} at {self.onset_s:g} s"


@dataclass(frozen=True, slots=True)
class Told:
    """What notes tell.

    Parameters
    ----------
    annotations : tuple of Annotation
        Seizures and background, in order of time.
    lines : tuple of int
        Of each; empty where notes have none.
    warnings : tuple of str
    n_passed : int
        Notes that tell nothing of seizures.
    """

    annotations: tuple[Annotation, ...]
    lines: tuple[int, ...]
    warnings: tuple[str, ...]
    n_passed: int


def whole_of(notes: Sequence[Note]) -> float | None:
    """Return the length of the recording that a first note over all of it tells (`AnnotationFile.whole`)."""
    first = notes[0] if notes else None
    return first.offset_s if first and first.onset_s == 0.0 and tells_whole(first.text) else None


def file_of(notes: Sequence[Note], name: str) -> AnnotationFile:
    """Return a file of notes as the annotations that they tell together (`told_by`)."""
    told = told_by(notes, name)
    return AnnotationFile(
        told.annotations, whole_of(notes), told.lines, name, warnings=told.warnings, n_passed=told.n_passed
    )


def told_by(notes: Iterable[Note], name: str) -> Told:
    """Return the seizures that notes tell.

    Notes with a length whose whole text means a seizure are seizures. A beginning (``seizure start``, ``EEG onset``, or
    a seizure without length) and an end make one; where both the EEG's and the clinical signs' times are noted, the
    EEG's count. Whatever lies within a seizure adds nothing to it.

    Parameters
    ----------
    notes : iterable of Note
    name : str
        File name, for messages.

    Raises
    ------
    InputError
        If a note speaks of seizures and is not understood, contradicts a seizure, or a mark has no partner; texts and
        times are named.
    """
    read = [(note, understand(note.text)) for note in map(_without_channel, notes)]
    read.sort(key=lambda item: item[0].onset_s)
    sure = [(note, said) for note, said in read if said.meaning is Meaning.SEIZURE and note.offset_s > note.onset_s]
    rows = [(_annotation(note, said.label), note.line) for note, said in sure]
    marks = _Marks(name, [_around(row) for row, _ in rows])
    for note, said in _once(read):
        marks.take(note, said)
    rows += marks.seizures()
    spans = [(row.onset_s, row.offset_s) for row, _ in rows]
    unclear = [(note, said) for note, said in read if said.meaning is Meaning.UNCLEAR]
    _require_understood([note for note, said in unclear if said.doubted or not _within(note, spans)], name)
    _require_no_contradiction([note for note, said in read if said.meaning is Meaning.DENIED], spans, name)
    rows += [
        (_annotation(note, BACKGROUND), note.line)
        for note, said in read
        if said.meaning is Meaning.BACKGROUND and note.offset_s > note.onset_s
    ]
    rows.sort(key=lambda item: item[0])
    lines = tuple(line for _, line in rows if line is not None)
    n_inside = len(unclear) + len(marks.passed)
    return Told(
        annotations=tuple(row for row, _ in rows),
        lines=lines if len(lines) == len(rows) else (),
        warnings=(*_warnings(sure, read, n_inside), *marks.warnings),
        n_passed=n_inside + sum(said.meaning in _PASSED for _, said in read),
    )


def _around(seizure: Annotation) -> tuple[float, float]:
    """Return where marks are a seizure's own; one of a second or two may have its length from a program."""
    beside_s = BESIDE_S if seizure.offset_s - seizure.onset_s > SHORT_S else 0.0
    return seizure.onset_s - beside_s, seizure.offset_s + beside_s


def _once(read: Iterable[tuple[Note, NoteText]]) -> list[tuple[Note, NoteText]]:
    """Return the marks; one that is noted for several channels counts once, with all of them."""
    marks: dict[tuple[float, str], tuple[Note, NoteText]] = {}
    for note, said in read:
        is_point = said.meaning is Meaning.SEIZURE and note.offset_s <= note.onset_s
        if is_point or said.meaning in (Meaning.FIRST, Meaning.LAST):
            key = note.onset_s, note.text
            before = marks.get(key, (note, said))[0].channel
            channel = note.channel if note.channel == before else f"{before},{note.channel}"
            marks[key] = replace(note, channel=channel), said
    return list(marks.values())


def _without_channel(note: Note) -> Note:
    text, at, channel = note.text.partition("@@")
    if not at or not channel.strip():
        return note
    return Note(
        note.onset_s, note.offset_s, text.strip(), note.confidence, channel.strip().replace("@@", ","), note.line
    )


def _annotation(note: Note, label: str) -> Annotation:
    return Annotation(note.onset_s, note.offset_s, label, note.confidence, note.channel)


def _within(note: Note, spans: Sequence[tuple[float, float]]) -> bool:
    """Whether a note only describes what is known already."""
    return any(a <= note.onset_s and note.offset_s <= b for a, b in spans)


def _require_understood(notes: Sequence[Note], name: str) -> None:
    if notes:
        shown = ", ".join(note.where for note in notes[:_MANY])
        more = f" and {len(notes) - _MANY} more" if len(notes) > _MANY else ""
        raise InputError(
            f"speaks of seizures in words that are not understood: {shown}{more}",
            kind="corrupt",
            file=name,
            hint="what is not understood would count as background: correct the notes (seizure, or seizure start and "
            "seizure end), or give a table of onset, duration and eventType instead",
        )


def _require_no_contradiction(denials: Sequence[Note], spans: Sequence[tuple[float, float]], name: str) -> None:
    for note in denials:
        for a, b in spans:
            if a <= note.onset_s < b:
                raise InputError(
                    f"contradicts itself: {note.where}, and a seizure {a:g} s .. {b:g} s",
                    kind="corrupt",
                    file=name,
                    hint="take out what is wrong",
                )


def _warnings(sure: Sequence[tuple[Note, NoteText]], read: Sequence[tuple[Note, NoteText]], n_inside: int) -> list[str]:
    warnings = []
    guessed = [note.text for note, said in sure if not said.plain]
    if guessed:
        warnings.append(f"taken for seizures: {_counted(guessed)}")
    lengths = [note.offset_s - note.onset_s for note, _ in sure]
    if len(lengths) > 1 and max(lengths) - min(lengths) < 1e-6 and lengths[0] <= SHORT_S:
        warnings.append(
            f"all {len(lengths)} seizures last {lengths[0]:g} s: is that a length which a program gives to every note?"
        )
    other = [note.text for note, said in read if said.meaning is Meaning.NON_EPILEPTIC]
    if other:
        warnings.append(f"non-epileptic seizures count as background: {_counted(other)}")
    n_other = sum(said.meaning in (Meaning.NONE, Meaning.DENIED) for _, said in read)
    if n_other:
        warnings.append(f"annotations that name no seizure are passed over: {n_other}")
    if n_inside:
        warnings.append(f"annotations within seizures, or that are the recording's own, are passed over: {n_inside}")
    return warnings


def _counted(texts: Sequence[str]) -> str:
    counts = Counter(texts)
    shown = [f"{text!r}" + (f" ({n})" if n > 1 else "") for text, n in list(counts.items())[:_MANY]]
    return ", ".join(shown) + (" ..." if len(counts) > _MANY else "")


_Mark = tuple[Note, NoteText]


@dataclass(slots=True)
class _Open:
    """A seizure whose marks are being gathered."""

    firsts: list[_Mark]
    lasts: list[_Mark] = field(default_factory=list)


class _Marks:
    """Joins beginnings and ends, in order of time.

    Parameters
    ----------
    name : str
        File name, for messages.
    known : sequence of (float, float)
        Around seizures that have a length; marks there add nothing.
    """

    def __init__(self, name: str, known: Sequence[tuple[float, float]]) -> None:
        self._name, self._known = name, known
        self._done: list[_Open] = []
        self._now: _Open | None = None
        self.passed: list[Note] = []

    def take(self, note: Note, said: NoteText) -> None:
        """Take the next mark.

        Raises
        ------
        InputError
            If the one before has no end, or this one no beginning.
        """
        if _within(replace(note, offset_s=note.onset_s), self._known):
            self.passed.append(note)
        elif said.meaning is Meaning.LAST:
            self._end(note, said)
        elif said.weak and note.onset_s <= RECORDING_BEGINS_S:
            self.passed.append(note)
        elif said.weak:
            _require_understood([note], self._name)
        else:
            self._begin(note, said)

    def _begin(self, note: Note, said: NoteText) -> None:
        now = self._now
        if now is not None and not now.lasts and _is_further(note, said, now.firsts):
            now.firsts.append((note, said))
            return
        self._close()
        self._now = _Open([(note, said)])

    def _end(self, note: Note, said: NoteText) -> None:
        now = self._now
        fits = now is not None and (not now.lasts or _is_further(note, said, now.lasts))
        if said.weak and not (fits and now is not None and _has_source(now.firsts, said.source)):
            self.passed.append(note)  # the recording's own end
            return
        if now is None or not fits:
            raise self._error(f"{_what(note, said)} at {note.onset_s:g} s has no start", note)
        begun = {first.number for _, first in now.firsts if first.number}
        if said.number and begun and said.number not in begun:
            raise self._error(f"{note.text!r} at {note.onset_s:g} s has no start of that number", note)
        now.lasts.append((note, said))

    def _close(self) -> None:
        if self._now is None:
            return
        if not self._now.lasts:
            note, said = self._now.firsts[0]
            if said.meaning is Meaning.SEIZURE and note.line is not None:
                raise self._error(f"event has no length ({note.text!r} at {note.onset_s:g} s)", note)
            lacks = "duration" if said.meaning is Meaning.SEIZURE else "end"
            raise self._error(f"{_what(note, said)} at {note.onset_s:g} s has no {lacks}", note)
        self._done.append(self._now)
        self._now = None

    def seizures(self) -> list[tuple[Annotation, int | None]]:
        """Return the seizures that the marks make.

        Raises
        ------
        InputError
            If the last beginning has no end.
        """
        self._close()
        found = []
        for one in self._done:
            note, said = _counting(one.firsts)[0]
            offset_s = _counting(one.lasts)[-1][0].onset_s
            if offset_s <= note.onset_s:
                raise self._error(f"seizure from {note.onset_s:g} s to {offset_s:g} s has no length", note)
            found.append((Annotation(note.onset_s, offset_s, said.label, note.confidence, note.channel), note.line))
        return found

    @property
    def warnings(self) -> list[str]:
        """What was taken for the marks of a seizure, and which marks were set aside for the EEG's."""
        pairs, aside = [], []
        for one in self._done:
            first, last = _counting(one.firsts)[0], _counting(one.lasts)[-1]
            if not all(_PLAIN_MARK.fullmatch(note.text.casefold()) for note, _ in (first, last)):
                pairs.append(f"{first[0].text} .. {last[0].text}")
            aside += [m[0].text for marks in (one.firsts, one.lasts) for m in marks if m not in (first, last)]
        told = [f"taken for the beginning and end of seizures: {_counted(pairs)}"] if pairs else []
        return told + ([f"further marks of the same seizures are passed over: {_counted(aside)}"] if aside else [])

    def _error(self, message: str, note: Note) -> InputError:
        where = "" if note.line is None else f"line {note.line}: "
        return InputError(
            where + message, kind="corrupt", file=self._name, hint="give it a duration, or a mark 'seizure end'"
        )


_PLAIN_MARK = re.compile(r"\s*(seizure|sz)[\s_]+(onset|start|begin|offset|end|stop)s?\s*")


def _is_further(note: Note, said: NoteText, marks: Sequence[_Mark]) -> bool:
    """Whether a mark tells of another side of what is marked already: the clinical beginning beside the EEG's."""
    return note.onset_s - marks[0][0].onset_s <= SAME_SEIZURE_S and not _has_source(marks, said.source)


def _has_source(marks: Sequence[_Mark], source: str) -> bool:
    return any(said.source == source for _, said in marks)


def _counting(marks: Sequence[_Mark]) -> Sequence[_Mark]:
    """Return the EEG's marks where there are some: a detector sees what the EEG shows."""
    return [mark for mark in marks if mark[1].source == "eeg"] or marks


def _what(note: Note, said: NoteText) -> str:
    if said.meaning is Meaning.SEIZURE:
        return f"annotation {note.text!r}"
    if said.source:
        return repr(note.text)
    return "seizure start" if said.meaning is Meaning.FIRST else "seizure end"
