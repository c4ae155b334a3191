"""From paths on a command line to recordings: what each folder holds, and all of them together."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePath

from brainscan.corpora.members import Member, find_members, with_patients
from brainscan.corpora.references import ReferenceFolder, require_foreign
from brainscan.errors import InputError, UsageError
from brainscan.io.annotation_file import AnnotationFile
from brainscan.io.annotations import RecordingFacts, read_annotations
from brainscan.io.links import content_elsewhere
from brainscan_training.config import DataConfig
from brainscan_training.corpora import simulated
from brainscan_training.corpora.item import (
    Corpus,
    Item,
    Layout,
    SplitError,
    Unusable,
    assign_splits,
    check_splits,
    seizures_of,
)


def read_corpus(root: Path) -> Corpus:
    """Return the corpus in a folder: recordings, patients and annotations as `evaluate` finds them.

    Differently from an evaluation, a recording whose annotation is absent or unsound is left out with its reason;
    one of which nothing is scored stays, so that whoever counts them can say so.

    Raises
    ------
    InputError
        If the folder is absent, its index cannot be used, the content of a recording is not here (a training on
        what happens to be fetched is none on the corpus), or a patient is in two splits.
    """
    if not root.is_dir():
        raise content_elsewhere(root) or InputError(
            "no such folder", kind="io", file=str(root), hint="--data takes a folder, or simulation"
        )
    found = find_members(root)
    _require_content(root, found.members)
    members, guesses = with_patients(root, found.members)
    references = ReferenceFolder(root, [member.name for member in members], found.recordings)
    items, warnings = [], [*found.warnings, *guesses, *references.warnings]
    unusable = [Unusable(name, "listed in the index and absent") for name in found.absent]
    remarks = []
    for member in members:
        try:
            file = _truth(root, member, references)
        except InputError as problem:
            unusable.append(Unusable(member.name, str(problem)))
            continue
        remarks += [f"{file.name}: {text}" for text in file.warnings]
        items.append(_item(root, member, file))
    if remarks:
        n = len(remarks)
        warnings.append(remarks[0] if n == 1 else f"{remarks[0]} (and {n - 1} more such remarks on annotations)")
    try:
        check_splits(items)
    except SplitError as problem:
        raise InputError(
            str(problem), kind="corrupt", file=str(root), hint="a patient belongs to one split"
        ) from problem
    layout = "index" if found.index else _layout_of(members)
    return Corpus(layout, tuple(items), tuple(unusable), tuple(warnings))


def _require_content(root: Path, members: Sequence[Member]) -> None:
    absent = [(m.name, problem) for m in members if (problem := content_elsewhere(root / m.name)) is not None]
    if absent:
        name, problem = absent[0]
        more = f" (and {len(absent) - 1} more of {len(members)} recordings)" if len(absent) > 1 else ""
        raise InputError(
            f"{problem.message}{more}",
            kind="io",
            file=name,
            hint=f"{problem.hint}; an index.csv that lists the others alone leaves it out",
        )


def _truth(root: Path, member: Member, references: ReferenceFolder) -> AnnotationFile:
    """Return the annotation of a recording.

    Raises
    ------
    InputError
        If there is none, it cannot be used, or it is brainscan's own output.
    """
    path = references.find(PurePath(member.name))
    if path is None:
        why = references.reason(PurePath(member.name))
        raise InputError(f"no annotation file beside it, and no list names it ({why})", kind="io")
    if path != root / member.name:
        require_foreign([path])
    return read_annotations(path, facts=RecordingFacts(name=PurePath(member.name).name))


def _item(root: Path, member: Member, file: AnnotationFile) -> Item:
    place, row = member.place, member.row
    return Item(
        path=root / member.name,
        name=member.name,
        source=row.source or (place.source if place else "") or root.name,
        subject=member.subject,
        split=member.split,
        seizures=seizures_of(file),
        scored=row.scored,
        licence=row.licence or (place.licence if place else ""),
    )


def _layout_of(members: Sequence[Member]) -> Layout:
    layouts = {member.place.layout for member in members if member.place is not None}
    if len(layouts) > 1:
        return "mixed"
    return next((layout for layout in layouts if layout is not None), "folder")


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
            corpus = read_corpus(Path(os.path.realpath(Path(path).expanduser())))
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
        held_back = sorted({item.split for corpus in corpora for item in corpus.items})
        if held_back:
            why = f" (all are of the split {', '.join(held_back)}){why}"
        raise InputError(f"no recording to train on{why}", kind="empty", hint="`brainscan train --dry-run` lists them")
    if not any(item.seizures for item in train):
        raise InputError(
            f"all {len(train)} recordings of the training split are background: no seizure is annotated{why}",
            kind="empty",
            hint="check that the annotation files lie where their corpus has them",
        )
