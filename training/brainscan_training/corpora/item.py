"""`Item`: one recording of a corpus with its annotations, subject and split; `Corpus`: all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from brainscan.events import Annotation
from brainscan.io.annotation_file import AnnotationFile

if TYPE_CHECKING:
    from brainscan.recording import Recording
    from brainscan.simulate import SimulationConfig

Layout = Literal["index", "tusz", "chbmit", "siena", "bids", "mixed", "folder", "simulation"]


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
        ``train``, ``dev`` or ``eval``; empty where the corpus has none (`assign_splits`).
    seizures : tuple of Annotation
        Expert's seizures, seconds from the start of the recording.
    scored : tuple of (float, float) or None
        Spans that experts judged, None for all.
    licence : str
    simulation : SimulationConfig or None
        What makes the recording where it is no file.
    """

    path: Path
    name: str
    source: str
    subject: str
    split: str
    seizures: tuple[Annotation, ...] = ()
    scored: tuple[tuple[float, float], ...] | None = None
    licence: str = ""
    simulation: SimulationConfig | None = None

    def open(self) -> Recording:
        """Return the recording.

        Raises
        ------
        InputError
            If it cannot be read.
        """
        if self.simulation is not None:
            from brainscan.simulate import simulate

            return simulate(self.simulation).recording()
        from brainscan.io import read

        return read(self.path)


@dataclass(frozen=True, slots=True)
class Unusable:
    """A recording that cannot be trained on, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Corpus:
    """What was found below a folder.

    Parameters
    ----------
    layout : str
    items : tuple of Item
    unusable : tuple of Unusable
    warnings : tuple of str
        What was guessed or left out.
    """

    layout: Layout
    items: tuple[Item, ...]
    unusable: tuple[Unusable, ...] = ()
    warnings: tuple[str, ...] = ()


def seizures_of(file: AnnotationFile) -> tuple[Annotation, ...]:
    """Return a file's seizures as disjoint intervals, whatever their types and channels."""
    return tuple(Annotation(onset_s, offset_s, "seiz") for onset_s, offset_s in file.seizures)


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
            splits = " and ".join(split or "(none)" for split in (other, item.split))
            raise SplitError(f"patient {item.subject} of {item.source} is in the splits {splits}")


def assign_splits(items: Sequence[Item], held_out: float, split: str, seed: int) -> tuple[Item, ...]:
    """Put the patients of corpora without splits into ``train`` and another split.

    Patients with seizures and those without are divided alike; the order comes from a hash, so that a further
    patient moves as few others as possible.

    Parameters
    ----------
    items : sequence of Item
        Those that have a split keep it.
    held_out : float
        Share of the patients that go to `split`, 0..1. Of two or more, one at least does, unless it is 0.
    split : str
    seed : int
    """
    with_seizures = {(i.source, i.subject) for i in items if not i.split and i.seizures}
    everyone = {(i.source, i.subject) for i in items if not i.split}
    away: set[tuple[str, str]] = set()
    for group in (with_seizures, everyone - with_seizures):
        ordered = sorted(group, key=lambda who: hashlib.sha256(f"{seed} {who}".encode()).digest())
        n = round(held_out * len(ordered))
        if held_out > 0.0 and len(ordered) > 1:
            n = min(max(n, 1), len(ordered) - 1)
        away.update(ordered[:n])
    return tuple(
        item if item.split else replace(item, split=split if (item.source, item.subject) in away else "train")
        for item in items
    )
