"""The Temple seizure corpus, v2: ``edf/{train,dev,eval}/<subject>/<session>/<montage>/<name>.edf``."""

from __future__ import annotations

from pathlib import Path

from brainscan_training.corpora.item import Corpus, Gathering, Item

SPLITS = ("train", "dev", "eval")
_LEVELS = 5  # split, subject, session, montage, file


def base_of(root: Path) -> Path | None:
    """Return the folder of the splits: the root, or ``edf`` below it; None if this is no such corpus."""
    for base in (root / "edf", root):
        if any(next((base / split).glob("*/*/*/*.edf"), None) for split in SPLITS if (base / split).is_dir()):
            return base
    return None


def corpus(root: Path) -> Corpus:
    """Return the corpus with the splits of its makers.

    Annotations are the ``.csv_bi`` beside a recording, else its ``.csv`` by channel (their union).

    Raises
    ------
    InputError
        If a patient is in two splits.
    """
    gathering = Gathering(root)
    base = base_of(root) or root
    for split in SPLITS:
        for path in sorted((base / split).rglob("*.edf")):
            parts = path.relative_to(base).parts
            if len(parts) != _LEVELS:
                gathering.refuse(gathering.name(path), "not at <split>/<subject>/<session>/<montage>/")
                continue
            gathering.add(
                Item(
                    path,
                    gathering.name(path),
                    source="tusz",
                    subject=parts[1],
                    split=split,
                    licence="TUH EEG terms (NEDC)",
                )
            )
    return gathering.corpus("tusz")
