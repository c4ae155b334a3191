"""What a row of the table of event formats says (`brainscan.io.event_formats` holds the rows)."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from brainscan.errors import MissingExtraError

if TYPE_CHECKING:
    from brainscan.io.annotation_file import AnnotationFile
    from brainscan.io.content import Content
    from brainscan.io.origin import Origin
    from brainscan.recording import Recording

Holding = Literal["events", "curve", "trend", "annotations", "recording"]
"""``events``: seizures as a detector gives them; ``annotations``: as an expert does, so that it may be a reference."""

Fact = Literal["origin", "unscored", "confidence", "types", "hed_types", "channels", "start"]
"""What may stand beside the times: who wrote them, what nobody looked at, how sure, which type (in the words of the
Temple corpora, of HED-SCORE), on which channels, at what date."""

FACTS: tuple[Fact, ...] = ("origin", "unscored", "confidence", "types", "hed_types", "channels", "start")

Source = Literal["events", "detection", "recording"]
"""The least that an encoder must be given."""


def type_of(label: str) -> Fact:
    """Return which fact a label is, beyond that there was a seizure."""
    return "hed_types" if label.startswith("sz_") else "types"


@dataclass(frozen=True, slots=True)
class RecordingFacts:
    """What is known about the recording from elsewhere than its annotation file.

    Parameters
    ----------
    name : str
        File name, to find it in a list of many recordings; empty if unknown.
    duration_s : float or None
    start : datetime or None
    """

    name: str = ""
    duration_s: float | None = None
    start: datetime | None = None


@dataclass(frozen=True)
class Head:
    """The beginning of a file, to recognise its format by.

    Parameters
    ----------
    name : str
        File name; its suffix tells kinds apart that share a grammar.
    data : bytes
        The first bytes, `HEAD_BYTES` at most.
    """

    name: str
    data: bytes

    @cached_property
    def text(self) -> str:
        """The bytes as text, whatever they are, without a byte order mark."""
        return self.data.decode("utf-8", "replace").removeprefix("\ufeff")

    @cached_property
    def lines(self) -> list[str]:
        """Lines that are not blank, without blanks around them."""
        return [line.strip() for line in self.text.splitlines() if line.strip()]

    @property
    def first(self) -> str:
        """The first of them; empty if there is none."""
        return self.lines[0] if self.lines else ""


HEAD_BYTES = 65536


def _no(_head: Head) -> bool:
    return False


def _any(_recording: Recording, _path: Path | None) -> None:
    return None


@dataclass(frozen=True, slots=True)
class EventFormat:
    """One format of events, annotations or probabilities: all that the rest of the program knows about it.

    Parameters
    ----------
    name : str
        As ``--format``, ``--from`` and ``--to`` take it.
    what : str
        For people, in a few words.
    holds : frozenset
        What can be kept in it; see `Holding`.
    suffixes : tuple of str
        Endings of names that mean it, in lower case; the first one is given to new files.
    keeps : frozenset
        Which facts it has a place for; see `Fact`. Everything else is lost in it, and said to be.
    recognise : callable
        ``Head -> bool``; the rows are asked in the order of the table.
    decode : callable or None
        ``(path, facts) -> AnnotationFile``.
    encode : callable or None
        ``Content -> iterable of bytes``: the file in pieces, so that none need hold a night.
    origin : callable or None
        ``path -> Origin or None``: what made a file. Without it nothing of this format is replaced unless forced,
        and no scan can tell that it is done.
    recordings : callable or None
        ``path -> names`` of a format that lists many recordings in one file.
    is_notes : bool
        Whether its seizures are notes that two readers may have set over each other, so that an overlap is joined; in
        the others, which tile the recording, it is an error.
    fallback : bool
        Whether it is the truth about a recording only where nothing else is, lists of many recordings included.
    needs : {"events", "detection", "recording"}
        What `encode` must be given.
    check : callable
        ``(recording, path or None)``: raises an `OutputError` where that recording cannot be written so.
    suffix_for : callable or None
        ``path of the recording -> suffix`` of a new file, where it depends on the recording.
    extra, module : str
        The optional dependency of `encode`, and the module that shows whether it is installed.
    """

    name: str
    what: str
    holds: frozenset[Holding]
    suffixes: tuple[str, ...] = ()
    keeps: frozenset[Fact] = frozenset()
    recognise: Callable[[Head], bool] = field(default=_no)
    decode: Callable[[Path, RecordingFacts], AnnotationFile] | None = None
    encode: Callable[[Content], Iterable[bytes]] | None = None
    origin: Callable[[Path], Origin | None] | None = None
    recordings: Callable[[Path], tuple[str, ...]] | None = None
    is_notes: bool = False
    fallback: bool = False
    needs: Source = "events"
    check: Callable[[Recording, Path | None], None] = field(default=_any)
    suffix_for: Callable[[Path], str] | None = None
    extra: str = ""
    module: str = ""

    @property
    def is_output(self) -> bool:
        """Whether `detect` writes it: one recording a file, a name that tells the format."""
        return self.encode is not None and bool(self.suffixes) and self.recordings is None

    def new_suffix(self, recording: Path) -> str:
        """Return the suffix of a new file about a recording."""
        return self.suffixes[0] if self.suffix_for is None else self.suffix_for(recording)

    @property
    def extensions(self) -> frozenset[str]:
        """Its suffixes, and their last parts (``.csv`` of ``-annot.csv``)."""
        return frozenset((*self.suffixes, *(f".{s.rpartition('.')[2]}" for s in self.suffixes)))

    def require(self) -> None:
        """Refuse a format whose optional package is not installed.

        Raises
        ------
        MissingExtraError
        """
        if self.module and importlib.util.find_spec(self.module) is None:
            raise MissingExtraError(f"the format {self.name}", self.extra)


def contains(pattern: str) -> Callable[[Head], bool]:
    """Return a test whether a pattern stands in the beginning of a file, in whatever case, by lines."""
    compiled = re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    return lambda head: compiled.search(head.text) is not None


def of_path(read: Callable[[Path], AnnotationFile]) -> Callable[[Path, RecordingFacts], AnnotationFile]:
    """Return a `decode` that needs to know nothing about the recording."""
    return lambda path, _facts: read(path)


def as_text(write: Callable[[Content], str]) -> Callable[[Content], Iterable[bytes]]:
    """Return an `encode` that writes one text, in UTF-8."""
    return lambda content: (write(content).encode("utf-8"),)
