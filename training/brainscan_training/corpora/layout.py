"""From paths on a command line to recordings: which corpus a folder is, and all of them together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from brainscan.errors import InputError, UsageError
from brainscan.evaluate.index import find_index
from brainscan_training.config import DataConfig
from brainscan_training.corpora import bids, folder, simulated, tusz
from brainscan_training.corpora.item import Corpus, Item, Unusable, assign_splits
from brainscan_training.corpora.lists import CHBMIT, SIENA


def read_corpus(root: Path) -> Corpus:
    """Return the corpus in a folder, its layout found from what lies there.

    An ``index.csv`` in it or above it that lists it stands above everything; then the layouts of TUSZ,
    CHB-MIT, Siena and BIDS; else it is a plain folder of recordings.

    Raises
    ------
    InputError
        If the folder is absent, its index cannot be used, or a patient is in two splits.
    """
    if not root.is_dir():
        raise InputError("no such folder", kind="io", file=str(root), hint="--data takes a folder, or simulation")
    index, _ = find_index(root)
    if index is not None:
        return folder.indexed(root, index)
    if tusz.base_of(root) is not None:
        return tusz.corpus(root)
    for listed in (CHBMIT, SIENA):
        if listed.lists_below(root):
            return listed.corpus(root)
    return bids.corpus(root) if bids.is_bids(root) else folder.plain(root)


def gather(data: DataConfig, seed: int) -> tuple[Corpus, ...]:
    """Return all corpora of a run, with splits, names that are unique over all, and without excluded patients.

    Raises
    ------
    UsageError
        If no data were given.
    InputError
        As `read_corpus`; if there is no recording to train on; or if nothing in training is annotated as a
        seizure, which means that annotations were not found or not understood.
    """
    if not data.paths:
        raise UsageError(
            "no data", hint="give --data PATH (TUSZ, CHB-MIT, Siena, BIDS, or EDF with CSV_bi), or --data simulation"
        )
    corpora = []
    for number, path in enumerate(data.paths, start=1):
        if path == simulated.NAME:
            corpus = simulated.corpus(data.simulation, data.validation_split)
        else:
            corpus = read_corpus(Path(path).expanduser().resolve())
        items = assign_splits(corpus.items, data.held_out, data.validation_split, seed)
        items = tuple(i for i in items if i.split != "train" or i.subject not in data.exclude)
        prefix = f"{number}:" if len(data.paths) > 1 else ""
        corpora.append(
            replace(
                corpus,
                items=tuple(replace(i, name=prefix + i.name) for i in items),
                unusable=tuple(Unusable(prefix + u.name, u.reason) for u in corpus.unusable),
            )
        )
    _check_labels([item for corpus in corpora for item in corpus.items if item.split == "train"], tuple(corpora))
    return tuple(corpora)


def _check_labels(train: list[Item], corpora: tuple[Corpus, ...]) -> None:
    unusable = [one for corpus in corpora for one in corpus.unusable]
    why = f" ({len(unusable)} unusable, the first: {unusable[0].name}: {unusable[0].reason})" if unusable else ""
    if not train:
        raise InputError(f"no recording to train on{why}", kind="empty", hint="`brainscan train --dry-run` lists them")
    if not any(item.seizures for item in train):
        raise InputError(
            f"all {len(train)} recordings of the training split are background: no seizure is annotated{why}",
            kind="empty",
            hint="check that the annotation files lie where their corpus has them",
        )
