"""`Item`: one recording of a corpus with its annotations, subject and split."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from brainscan.events import Annotation


@dataclass(frozen=True, slots=True)
class Item:
    """One recording of a corpus.

    Parameters
    ----------
    path : Path
    name : str
        Unique within the corpus: the path relative to its root.
    source : str
        Collection, hospital or device; backgrounds are drawn by source.
    subject : str
        Never in two splits.
    split : str
        ``train``, ``dev`` or ``eval``.
    seizures : tuple of Annotation
        Expert's seizures, seconds from the start of the recording.
    scored : tuple of (float, float) or None
        Spans that experts judged, None for all.
    licence : str
    """

    path: Path
    name: str
    source: str
    subject: str
    split: str
    seizures: tuple[Annotation, ...] = ()
    scored: tuple[tuple[float, float], ...] | None = None
    licence: str = ""


class SplitError(ValueError):
    """A patient appears in two splits."""


def check_splits(items: Iterable[Item]) -> None:
    """Make sure that no patient is in two splits.

    Raises
    ------
    SplitError
        Naming the patient and the splits.
    """
    seen: dict[tuple[str, str], str] = {}
    for item in items:
        key = (item.source, item.subject)
        other = seen.setdefault(key, item.split)
        if other != item.split:
            raise SplitError(f"patient {item.subject} of {item.source} is in the splits {other} and {item.split}")
