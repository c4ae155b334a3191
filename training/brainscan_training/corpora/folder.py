"""A plain folder of recordings with CSV_bi beside them, and an optional ``index.csv`` of subjects and splits."""

from __future__ import annotations

import csv
from pathlib import Path

from brainscan.io.csv_bi import read_csv_bi
from brainscan_training.corpora.item import Item, check_splits

INDEX = "index.csv"


def items(root: Path) -> tuple[Item, ...]:
    """Return the recordings of an indexed folder, in the order of its index.

    The index has a row a file: ``file`` (relative), ``group`` (the split), ``source``, ``subject``, ``scored``
    (``all``, ``none``, or ``from-to`` in seconds) and ``licence``. Recordings of which nothing is scored are kept
    with an empty span, so that whoever counts them can say so.

    Raises
    ------
    ValueError
        If a scored span cannot be read, or a patient is in two splits.
    InputError
        If an annotation file cannot be used.
    """
    with (root / INDEX).open(encoding="utf-8", newline="") as stream:
        found = tuple(_item(root, row) for row in csv.DictReader(stream))
    check_splits(found)
    return found


def _item(root: Path, row: dict[str, str]) -> Item:
    path = root / row["file"]
    annotations = read_csv_bi(path.with_suffix(".csv_bi")).annotations
    return Item(
        path=path,
        name=row["file"],
        source=row["source"],
        subject=row["subject"],
        split=row["group"],
        seizures=tuple(a for a in annotations if a.label == "seiz"),
        scored=_spans(row.get("scored", "all")),
        licence=row.get("licence", ""),
    )


def _spans(text: str) -> tuple[tuple[float, float], ...] | None:
    if text in {"", "all"}:
        return None
    if text == "none":
        return ()
    spans = []
    for part in text.split(";"):
        first, dash, last = part.strip().partition("-")
        if not dash:
            raise ValueError(f"a scored span is all, none or from-to in seconds, got {text!r}")
        spans.append((float(first), float(last)))
    return tuple(spans)
