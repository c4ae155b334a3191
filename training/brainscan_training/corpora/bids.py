"""BIDS-EEG with HED-SCORE events: ``sub-*/[ses-*/]eeg/*_eeg.*`` and ``*_events.tsv``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from brainscan_training.corpora.item import Corpus, Gathering, Item

_SUFFIXES = frozenset({".edf", ".bdf", ".vhdr", ".set", ".fif"})
_ENDING = "_eeg"


def is_bids(root: Path) -> bool:
    """Whether a folder is laid out so."""
    return next(_recordings(root), None) is not None


def corpus(root: Path) -> Corpus:
    """Return the data set; it has no splits of its own."""
    gathering = Gathering(root)
    for path in _recordings(root):
        item = Item(path, gathering.name(path), source=root.name, subject=path.relative_to(root).parts[0], split="")
        gathering.add(item, path.with_name(path.stem.removesuffix(_ENDING) + "_events.tsv"))
    return gathering.corpus("bids")


def _recordings(root: Path) -> Iterator[Path]:
    for pattern in ("sub-*/eeg/*", "sub-*/ses-*/eeg/*"):
        for path in sorted(root.glob(pattern)):
            if path.suffix.lower() in _SUFFIXES and path.stem.endswith(_ENDING):
                yield path
