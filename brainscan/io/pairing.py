"""Which hypothesis belongs to which reference: lists by position, folders and files by name."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from brainscan.errors import InputError, UsageError
from brainscan.io.annotations import sniff
from brainscan.io.discover import files_below
from brainscan.io.links import content_elsewhere
from brainscan.io.text_files import read_text

LIST_SUFFIXES = frozenset({".list", ".lst", ".scp"})

_EVENT_SUFFIXES = (".csv_bi", ".tsv", ".tse", ".tse_bi", ".csv")
"""In order of preference where a folder holds several files for one recording."""

_BIDS_ENDINGS = ("_events", "_eeg", "_ieeg")


@dataclass(frozen=True, slots=True)
class FilePair:
    """Event files of one recording.

    Parameters
    ----------
    ref, hyp : Path
        They need not exist.
    name : str
        Key in reports: the hypothesis' file name, or its path as given where that name occurs twice.
    """

    ref: Path
    hyp: Path
    name: str


@dataclass(frozen=True, slots=True)
class Pairing:
    """All pairs, in order, and the hypotheses that no reference claims."""

    pairs: tuple[FilePair, ...]
    unclaimed: tuple[str, ...] = ()


def pair_files(ref: Path, hyp: Path) -> Pairing:
    """Pair what two arguments name: two lists, two folders, two files, or a file and a folder.

    Raises
    ------
    UsageError
        If the arguments are of different kinds.
    InputError
        If one does not exist, a list is empty or repeats a path, or two lists differ in length.
    """
    for path in (ref, hyp):
        if not path.exists():
            raise content_elsewhere(path) or InputError("does not exist", kind="io", file=str(path))
    if ref.is_dir():
        if not hyp.is_dir():
            raise UsageError(f"{ref} is a folder and {hyp} is not", hint="give two folders, two lists or two files")
        return _pair_folders(ref, hyp)
    if hyp.is_dir():
        found = _event_files(hyp)
        mate = found.get(Path(_key(ref)))
        return Pairing(_named([(ref, mate or hyp / ref.name, ref.name)]))
    if _is_list(ref) != _is_list(hyp):
        raise UsageError(f"{ref} and {hyp}: one is a list, the other is not", hint="give two lists or two files")
    if not _is_list(ref):
        return Pairing(_named([(ref, hyp, str(hyp))]))
    refs, hyps = read_list(ref), read_list(hyp)
    if len(refs) != len(hyps):
        raise InputError(
            f"lists {len(refs)} files, {hyp.name} lists {len(hyps)}",
            kind="corrupt",
            file=ref.name,
            hint="lists pair by position: one line of each belongs to one recording",
        )
    return Pairing(_named([(a, b, text) for (a, _), (b, text) in zip(refs, hyps, strict=True)]))


def read_list(path: Path) -> list[tuple[Path, str]]:
    """Read a list file: one path a line; blank lines and lines that begin with ``#`` are passed over.

    Returns
    -------
    list of (Path, str)
        The path, and what the line says. ``~`` and ``$NAME`` are expanded; a relative path counts from the
        working directory, and where nothing is there from the list's folder.

    Raises
    ------
    InputError
        If the list is empty, cannot be read, or names a path twice.
    """
    lines = [line.strip() for line in read_text(path).splitlines()]
    texts = [line for line in lines if line and not line.startswith("#")]
    if not texts:
        raise InputError("lists no file", kind="empty", file=path.name)
    repeated = [text for text, count in Counter(texts).items() if count > 1]
    if repeated:
        raise InputError(f"lists {repeated[0]} twice", kind="corrupt", file=path.name, hint="list every file once")
    return [(_resolved(text, path.parent), text) for text in texts]


def _resolved(text: str, folder: Path) -> Path:
    given = Path(os.path.expandvars(text)).expanduser()
    beside = folder / given
    return beside if not given.exists() and beside.exists() else given


def _is_list(path: Path) -> bool:
    if path.suffix in LIST_SUFFIXES:
        return True
    return path.suffix not in _EVENT_SUFFIXES and sniff(path) is None


def _pair_folders(ref: Path, hyp: Path) -> Pairing:
    refs, hyps = _event_files(ref), _event_files(hyp)
    if not refs:
        raise InputError(
            "holds no event files", kind="empty", file=str(ref), hint=f"one of {', '.join(_EVENT_SUFFIXES)}"
        )
    by_stem: dict[str, list[Path]] = defaultdict(list)
    for key in hyps:
        by_stem[key.name].append(key)
    rows, claimed = [], set()
    for key, path in refs.items():
        mate = key if key in hyps else None
        if mate is None and len(by_stem[key.name]) == 1:
            mate = by_stem[key.name][0]
        if mate is None:
            rows.append((path, hyp / path.relative_to(ref), str(path.relative_to(ref))))
        else:
            claimed.add(mate)
            rows.append((path, hyps[mate], str(hyps[mate].relative_to(hyp))))
    return Pairing(_named(rows), tuple(str(hyps[key].relative_to(hyp)) for key in hyps if key not in claimed))


def _event_files(folder: Path) -> dict[Path, Path]:
    """Return the event files below a folder by relative path without suffix, in order."""
    found: dict[Path, Path] = {}
    for path in _walk(folder):
        key = path.relative_to(folder).parent / _key(path)
        rank = _EVENT_SUFFIXES.index(path.suffix)
        if key not in found or rank < _EVENT_SUFFIXES.index(found[key].suffix):
            found[key] = path
    return found


def _walk(folder: Path) -> Iterator[Path]:
    for path in files_below(folder):
        if path.suffix not in _EVENT_SUFFIXES:
            continue
        # Other tables (participants.tsv, montages) share these suffixes.
        if path.suffix in (".tsv", ".csv") and sniff(path) not in ("tsv", "tusz_csv", "csv_bi", "mne_csv"):
            continue
        yield path


def _key(path: Path) -> str:
    stem = path.name.removesuffix(path.suffix)
    for ending in _BIDS_ENDINGS:
        stem = stem.removesuffix(ending)
    return stem


def _named(rows: list[tuple[Path, Path, str]]) -> tuple[FilePair, ...]:
    counts = Counter(hyp.name for _, hyp, _ in rows)
    return tuple(FilePair(ref, hyp, hyp.name if counts[hyp.name] == 1 else text) for ref, hyp, text in rows)
