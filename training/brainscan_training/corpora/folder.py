"""A plain folder of recordings with annotations beside them, and an optional ``index.csv`` of subjects and splits."""

from __future__ import annotations

from pathlib import Path, PurePath

from brainscan.evaluate.corpus import subject_of
from brainscan.evaluate.index import Index
from brainscan.io.discover import find_recordings
from brainscan_training.corpora.item import Corpus, Gathering, Item


def indexed(root: Path, index: Index) -> Corpus:
    """Return a folder whose recordings an index lists, as `evaluate` reads it.

    The index' ``group`` is the split. Recordings of which nothing is scored are kept with an empty span, so that
    whoever counts them can say so.

    Raises
    ------
    InputError
        If a patient is in two splits.
    """
    gathering = Gathering(root)
    for name, row in index.below(root).items():
        item = Item(
            path=root / name,
            name=name,
            source=row.source or root.name,
            subject=row.subject or PurePath(name).stem,
            split=row.group,
            scored=row.scored,
            licence=row.licence,
        )
        if item.path.is_file():
            gathering.add(item)
        else:
            gathering.refuse(item.name, "listed in the index and absent")
    return gathering.corpus("index")


def plain(root: Path) -> Corpus:
    """Return the recordings below a folder without an index; paths tell the subjects, as `evaluate` reads them."""
    gathering = Gathering(root)
    for relative in find_recordings(root, root):
        path = root / relative
        item = Item(path, gathering.name(path), source=root.name, subject=subject_of(relative), split="")
        gathering.add(item)
    return gathering.corpus("folder")
