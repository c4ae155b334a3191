"""What the two arguments of ``score`` name: pairs of event files, from lists by position, from folders by name."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from brainscan.errors import InputError, UsageError
from brainscan.io.discover import files_below
from brainscan.io.event_formats import sniff, table_suffixes, tables
from brainscan.io.links import content_elsewhere
from brainscan.io.pairing import TEMPLE, bare_name, few, match, stem_of
from brainscan.io.text_files import read_text

LIST_SUFFIXES = frozenset({".list", ".lst", ".scp"})

_ROLES = frozenset({"annotation", "annotations", "events", "hyp", "hypothesis", "ref", "reference", "truth"})
"""Names that say what a file is and not of which recording."""

_SHARED = frozenset({".tsv", ".csv", ".json"})


@dataclass(frozen=True, slots=True)
class FilePair:
    """Event files of one recording.

    Parameters
    ----------
    ref, hyp : Path
        They need not exist.
    name : str
        Key in reports: the hypothesis' file name, or its path as given where that name occurs twice. No two pairs
        have the same.
    missing : str
        Why no hypothesis was found; empty if one was, or if the files were named one by one.
    undecided : bool
        Whether there is one that may be meant, so that "nothing detected" would be wrong.
    """

    ref: Path
    hyp: Path
    name: str
    missing: str = ""
    undecided: bool = False


@dataclass(frozen=True, slots=True)
class Pairing:
    """All pairs, in order.

    Parameters
    ----------
    pairs : tuple of FilePair
    by_position : bool
        Whether two lists named them, as the official tool has it; else they were found by name, or named one by one.
    unclaimed : tuple of str
        Hypotheses that belong to no reference.
    warnings : tuple of str
        What was guessed or passed over.
    """

    pairs: tuple[FilePair, ...]
    by_position: bool = False
    unclaimed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


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
        return _paired(ref.parent, [ref.relative_to(ref.parent)], hyp)
    if _is_list(ref) != _is_list(hyp):
        raise UsageError(f"{ref} and {hyp}: one is a list, the other is not", hint="give two lists or two files")
    if not _is_list(ref):
        unlike = (
            f"{ref.name} and {hyp.name} are called differently: scored as one recording, as they were given together"
        )
        return Pairing((FilePair(ref, hyp, hyp.name),), warnings=(unlike,) if _unlike(ref, hyp) else ())
    refs, hyps = read_list(ref), read_list(hyp)
    if len(refs) != len(hyps):
        raise InputError(
            f"lists {len(refs)} files, {hyp.name} lists {len(hyps)}",
            kind="corrupt",
            file=ref.name,
            hint="lists pair by position: one line of each belongs to one recording",
        )
    names = _names([(path.name, text) for path, text in hyps])
    pairs = (FilePair(a, b, name) for (a, _), (b, _), name in zip(refs, hyps, names, strict=True))
    return Pairing(
        tuple(pairs), by_position=True, warnings=_out_of_order([path for path, _ in refs], [p for p, _ in hyps])
    )


def _unlike(ref: Path, hyp: Path) -> bool:
    """Whether two files are called after different recordings; ``night_truth`` is called after ``night``."""
    one, other = sorted((bare_name(ref), bare_name(hyp)), key=len)
    rest = other.removeprefix(one)
    return not (_ROLES & {one, other} or one == other or (rest != other and not rest[0].isalnum()))


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
    found = [(_resolved(text, path.parent), text) for text in texts]
    seen: dict[str, str] = {}
    for file, text in found:
        place = os.path.abspath(file)  # noqa: PTH100 - a link is another file until it is known where it leads
        if place in seen:
            first = seen[place]
            again = "" if first == text else f" (as {text} too)"
            raise InputError(f"lists {first} twice{again}", kind="corrupt", file=path.name, hint="list every file once")
        seen[place] = text
    return found


def _resolved(text: str, folder: Path) -> Path:
    given = Path(os.path.expandvars(text)).expanduser()
    beside = folder / given
    return beside if not given.exists() and beside.exists() else given


def _out_of_order(refs: Sequence[Path], hyps: Sequence[Path]) -> tuple[str, ...]:
    """Say how many references have a hypothesis of their name in another line than their own."""
    lines = {tail: number for number, path in enumerate(hyps) for tail in _tails(path)}
    odd = []
    for number, (ref, hyp) in enumerate(zip(refs, hyps, strict=True)):
        mine = set(_tails(hyp))
        better = (lines[tail] for tail in _tails(ref) if tail not in mine and tail in lines)
        # The longest name decides: of many files called alike the folders tell which is which.
        if (other := next(better, None)) is not None:
            odd.append(f"line {number + 1} is {ref.name} with {hyp.name}, line {other + 1} has {hyps[other]}")
    if not odd:
        return ()
    return (f"lists pair by position, and {len(odd)} references have a hypothesis of their name elsewhere ({odd[0]})",)


def _tails(path: Path) -> list[tuple[str, ...]]:
    """Return a file's bare name with three, two, one and none of its folders."""
    parts = (*(part.casefold() for part in path.parent.parts[-3:]), bare_name(path))
    return [parts[at:] for at in range(len(parts))]


def _is_list(path: Path) -> bool:
    if path.suffix.lower() in LIST_SUFFIXES:
        return True
    return path.suffix.lower() not in table_suffixes() and sniff(path) is None


def _pair_folders(ref: Path, hyp: Path) -> Pairing:
    groups: dict[PurePath, list[PurePath]] = defaultdict(list)
    for path in _event_files(ref):
        groups[path.parent / stem_of(path)].append(path)
    if not groups:
        raise InputError(
            "holds no event files", kind="empty", file=str(ref), hint=f"one of {', '.join(table_suffixes())}"
        )
    refs = [min(paths, key=lambda path: (_rank(path), path)) for paths in groups.values()]
    # Several files of one truth are nothing to wonder about in the Temple corpora, whose formats differ in detail only.
    mixed = [paths for paths in groups.values() if len(paths) > 1 and not {p.suffix.lower() for p in paths} <= TEMPLE]
    pairing = _paired(ref, refs, hyp)
    if not mixed:
        return pairing
    said = f"references of several formats: {len(mixed)} ({few(mixed[0])}; {min(mixed[0], key=_rank)} counts)"
    return replace(pairing, warnings=(said, *pairing.warnings))


def _paired(ref: Path, refs: Sequence[PurePath], hyp: Path) -> Pairing:
    """Pair references, relative to their folder, with what lies below another folder."""
    found = match(refs, _event_files(hyp), _rank, root=hyp)
    mates = [found.mates.get(path, path) for path in refs]
    names = _names([(mate.name, str(mate)) for mate in mates])
    pairs = (
        FilePair(ref / path, hyp / mate, name, found.reasons.get(path, ""), path in found.undecided)
        for path, mate, name in zip(refs, mates, names, strict=True)
    )
    return Pairing(tuple(pairs), False, tuple(map(str, found.unclaimed)), found.warnings())


def _event_files(folder: Path) -> list[PurePath]:
    """Return the event files below a folder, relative to it and in order."""
    return [PurePath(path.relative_to(folder)) for path in files_below(folder) if _is_events(path)]


def _is_events(path: Path) -> bool:
    suffix = path.suffix.lower()
    if suffix not in table_suffixes():
        return False
    # Other tables (participants.tsv, montages) and side files share these suffixes; what is called as no other is.
    return suffix not in _SHARED or sniff(path) in {row.name for row in tables()}


def _rank(path: PurePath) -> int:
    return table_suffixes().index(path.suffix.lower())


def _names(rows: Sequence[tuple[str, str]]) -> list[str]:
    """Return a key a pair: the file name where no other pair has it, else the path, else its number too."""
    counts = Counter(name for name, _ in rows)
    keys = [name if counts[name] == 1 else text for name, text in rows]
    again = Counter(keys)
    return [key if again[key] == 1 else f"{key} ({number})" for number, key in enumerate(keys, 1)]
