"""From corpora to preprocessed recordings in the cache, and what had to be left out."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from brainscan.errors import InputError
from brainscan_training import cache
from brainscan_training.config import TrainConfig
from brainscan_training.corpora.item import Corpus, Item, Unusable
from brainscan_training.journal import Watcher

_FEW = 8
"""Below so many recordings, starting processes costs more than it saves."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Recordings that are in the cache, and those that could not be used.

    Parameters
    ----------
    train, validation : tuple of Item
    unusable : tuple of Unusable
    """

    train: tuple[Item, ...]
    validation: tuple[Item, ...]
    unusable: tuple[Unusable, ...]


def cache_folder(config: TrainConfig, run: Path) -> Path:
    """Return where a run's preprocessed recordings lie."""
    return Path(config.data.cache).expanduser() if config.data.cache else run / "cache"


def not_validated(config: TrainConfig) -> str:
    """Return what a run means that has no recording to validate on, and what to do."""
    split = config.data.validation_split
    return (
        "no recording to validate on: the last weights will be kept, whether or not earlier ones were better, and"
        f" thresholds are not fitted; give patients the group {split} in an index.csv, or set data.held_out above 0"
        " (of two patients or more, one is then held out)"
    )


def prepare(config: TrainConfig, corpora: tuple[Corpus, ...], folder: Path, watcher: Watcher) -> Prepared:
    """Bring the recordings of training and validation into the cache.

    Raises
    ------
    InputError
        If none of training can be used, or nothing usable of it is ictal.
    """
    wanted = ("train", config.data.validation_split)
    items = [item for corpus in corpora for item in corpus.items if item.split in wanted]
    unusable = [one for corpus in corpora for one in corpus.unusable]
    usable = []
    workers = 1 if len(items) < _FEW else max(1, (os.cpu_count() or 1) - 1)
    for number, (item, reason) in enumerate(cache.build(items, folder, config.filter, workers), start=1):
        if reason:
            unusable.append(Unusable(item.name, reason))
        else:
            usable.append(item)
        watcher.progress("preprocessing", number, len(items))
    train, validation = (tuple(i for i in usable if i.split == split) for split in wanted)
    if not any(item.seizures for item in train):
        raise InputError(
            f"no recording with a seizure is left in the training split ({len(train)} of it can be used)",
            kind="empty",
            hint=f"the first that cannot: {unusable[0].name}: {unusable[0].reason}" if unusable else "",
        )
    return Prepared(train, validation, tuple(unusable))
