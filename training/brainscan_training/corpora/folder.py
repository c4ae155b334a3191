"""A plain folder of recordings with annotations beside them, and an optional ``index.csv`` of subjects and splits."""

from __future__ import annotations

import csv
from pathlib import Path

from brainscan.errors import InputError
from brainscan.evaluate.corpus import subject_of
from brainscan.evaluate.index import INDEX, spans_of
from brainscan.io.discover import find_recordings
from brainscan_training.corpora.item import Corpus, Gathering, Item


def indexed(root: Path) -> Corpus:
    """Return an indexed folder.

    The index has a row a file: ``file`` (relative), ``group`` (the split), ``source``, ``subject``, ``scored``
    (``all``, ``none``, or ``from-to`` in seconds) and ``licence``; only ``file`` must be there. Recordings of which
    nothing is scored are kept with an empty span, so that whoever counts them can say so.

    Raises
    ------
    InputError
        If the index cannot be read, or a patient is in two splits.
    """
    gathering = Gathering(root)
    try:
        with (root / INDEX).open(encoding="utf-8", newline="") as stream:
            for number, row in enumerate(csv.DictReader(stream), start=2):
                if not row.get("file"):
                    raise ValueError(f"line {number}: no 'file'")
                _gather(gathering, root, row, number)
    except (OSError, ValueError) as problem:
        raise InputError(
            f"the index cannot be used ({problem})",
            kind="corrupt",
            file=INDEX,
            hint="columns: file, group, source, subject, scored, licence",
        ) from problem
    return gathering.corpus("index")


def plain(root: Path) -> Corpus:
    """Return the recordings below a folder without an index; paths tell the subjects, as `evaluate` reads them."""
    gathering = Gathering(root)
    for relative in find_recordings(root, root):
        path = root / relative
        item = Item(path, gathering.name(path), source=root.name, subject=subject_of(relative), split="")
        gathering.add(item)
    return gathering.corpus("folder")


def _gather(gathering: Gathering, root: Path, row: dict[str, str], number: int) -> None:
    try:
        item = _item(root, row)
    except ValueError as problem:
        raise ValueError(f"line {number}: {problem}") from problem
    if item.path.is_file():
        gathering.add(item)
    else:
        gathering.refuse(item.name, "listed in the index and absent")


def _item(root: Path, row: dict[str, str]) -> Item:
    path = root / row["file"]
    return Item(
        path=path,
        name=row["file"],
        source=row.get("source") or root.name,
        subject=row.get("subject") or path.stem,
        split=row.get("group") or "",
        scored=spans_of(row.get("scored") or "all"),
        licence=row.get("licence") or "",
    )
