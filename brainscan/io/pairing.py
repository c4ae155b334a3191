"""Which file belongs to which recording: the one rule for hypotheses, annotations and references in all commands.

A file belongs to a recording if it lies at the mirrored place under the recording's name, else if that name is given
to one recording and one file only, wherever they lie, and neither has a mate yet. What is then left has none, and the
reason is told. No file belongs to two recordings.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from brainscan.io.containers import recording_suffixes
from brainscan.io.links import real_path

TEMPLE = frozenset({".csv_bi", ".csv", ".tse", ".tse_bi"})
"""The Temple corpora give one truth in all of these."""

BIDS_ENDINGS = ("_events", "_eeg", "_ieeg")
"""The last word of a BIDS name, in which a recording and its events differ."""

Preference = Callable[[PurePath], int]
"""Rank of a file among several of one name; the lowest is taken."""


@dataclass(frozen=True, slots=True)
class Match:
    """What belongs to each recording.

    Parameters
    ----------
    mates : mapping of path to path
        The file of each recording that has one.
    reasons : mapping of path to str
        Why each of the others has none.
    undecided : set of path
        Those of the latter for which there is a file that may be theirs.
    unclaimed : tuple of path
        Files that belong to no recording, in order.
    passed_over : mapping of path to path
        Files that are not used since another of the same name and place is, and that other.
    elsewhere : tuple of path
        Recordings whose file was taken by name alone, from a folder that is none of theirs.
    """

    mates: Mapping[PurePath, PurePath]
    reasons: Mapping[PurePath, str]
    undecided: frozenset[PurePath] = frozenset()
    unclaimed: tuple[PurePath, ...] = ()
    passed_over: Mapping[PurePath, PurePath] = field(default_factory=dict)
    elsewhere: tuple[PurePath, ...] = ()

    def warnings(self, *, one_truth: Collection[str] = ()) -> tuple[str, ...]:
        """Say what was guessed or passed over.

        Parameters
        ----------
        one_truth : collection of str
            Suffixes of formats that come together by custom: one is passed over for another without a word.
        """
        found = []
        passed = {
            file: other
            for file, other in self.passed_over.items()
            if not {file.suffix.lower(), other.suffix.lower()} <= set(one_truth)
        }
        if passed:
            file, other = next(iter(passed.items()))
            found.append(
                f"files passed over, as another of the same name counts: {len(passed)} ({file}; {other} counts)"
            )
        if self.elsewhere:
            name = self.elsewhere[0]
            found.append(
                f"files taken by name alone, from another folder: {len(self.elsewhere)} ({self.mates[name]} for {name})"
            )
        return tuple(found)


def match(
    wanted: Iterable[PurePath],
    offered: Iterable[PurePath],
    preference: Preference = lambda _: 0,
    *,
    others: Iterable[PurePath] = (),
    root: Path | None = None,
    anywhere: bool = True,
) -> Match:
    """Find the file of each recording.

    Parameters
    ----------
    wanted : iterable of path
        The recordings (or their references), relative to their folder.
    offered : iterable of path
        All files, relative to theirs.
    preference : callable, optional
        Of several files of one name, which is taken.
    others : iterable of path
        Further recordings, that are not asked for: a name that one of them has too tells nothing.
    root : Path, optional
        Folder of the files, to see through links: a link to another of the files is that file.
    anywhere : bool
        Whether a name counts elsewhere than at the mirrored place.
    """
    files = tuple(dict.fromkeys(offered))
    asked = tuple(dict.fromkeys(wanted))
    everyone = tuple(dict.fromkeys((*asked, *others)))
    search = _Search(asked, everyone, files, preference, {} if root is None else _links(root, files))
    # Files before links to them: a link never takes a file from the recording beside whose own place it lies.
    for with_links in (False, True):
        for key in _AT_PLACE:
            search.at_place(*key, with_links=with_links)
        search.unique(_folded_place)
    if anywhere:
        search.unique(lambda path: (bare_name(path),))
    return search.result()


def stem_of(path: PurePath) -> str:
    """Return a file's name without suffix and without BIDS' last word."""
    return _without_bids(path.stem)


def bare_name(path: PurePath) -> str:
    """Return what a recording and all files about it are called, whatever the suffixes, case and Unicode form.

    >>> [bare_name(PurePath(p)) for p in ("p1/EEG.edf", "eeg.edf.csv_bi", "EEG_events.tsv")]
    ['eeg', 'eeg', 'eeg']
    """
    inner = PurePath(path.stem)
    return _folded(_without_bids(inner.stem if inner.suffix.lower() in recording_suffixes() else path.stem))


def few(paths: Collection[PurePath], most: int = 3) -> str:
    """Return the first of some paths, for messages."""
    listed = ", ".join(path.as_posix() for path in tuple(paths)[:most])
    return f"{listed} ..." if len(paths) > most else listed


def _without_bids(stem: str) -> str:
    for ending in BIDS_ENDINGS:
        stem = stem.removesuffix(ending)
    return stem


def _folded(text: str) -> str:
    # File systems differ in case and in how they spell accents; names that differ only so are one name to people.
    return unicodedata.normalize("NFC", text).casefold()


def _folded_place(path: PurePath) -> tuple[str, ...]:
    return (*map(_folded, path.parent.parts), bare_name(path))


def _name(path: PurePath) -> str:
    return path.name


def _stem(path: PurePath) -> str:
    return path.stem


_Label = Callable[[PurePath], str]
_AT_PLACE: tuple[tuple[_Label, _Label], ...] = ((_name, _stem), (_stem, _stem), (stem_of, stem_of))
"""What of a recording's name and of a file's have to be equal, the surest first: ``a.edf.csv_bi`` is of ``a.edf``."""


def _links(root: Path, files: Collection[PurePath]) -> dict[PurePath, PurePath]:
    """Return the files that are links to others of them.

    Links to anywhere else are files of their own: stores that keep equal content once (git-annex) link to it.
    """
    base, known = real_path(root), set(files)
    links = {}
    for path in files:
        resolved = real_path(base / path)
        real = resolved.relative_to(base) if resolved.is_relative_to(base) else path
        if real != path and real in known:
            links[path] = real
    return links


@dataclass(slots=True)
class _Search:
    """The state of one search; every step takes away what it finds."""

    wanted: tuple[PurePath, ...]
    everyone: tuple[PurePath, ...]
    """Those, and all whose names count."""
    offered: tuple[PurePath, ...]
    preference: Preference
    links: Mapping[PurePath, PurePath]
    mates: dict[PurePath, PurePath] = field(default_factory=dict)
    owners: dict[PurePath, PurePath] = field(default_factory=dict)
    """The recording that each file, seen through links, belongs to."""
    refused: dict[PurePath, str] = field(default_factory=dict)
    passed_over: dict[PurePath, PurePath] = field(default_factory=dict)
    """Files of a name of which another was taken, and that other."""
    elsewhere: list[PurePath] = field(default_factory=list)

    def at_place(self, of_recording: _Label, of_file: _Label, *, with_links: bool) -> None:
        """Give what is left at each place to the only recording that is left there with that name."""
        found: dict[tuple[PurePath, str], list[PurePath]] = defaultdict(list)
        for file in self.offered:
            if file not in self.passed_over and (with_links or file not in self.links):
                found[file.parent, of_file(file)].append(file)
        left = [path for path in self.wanted if path not in self.mates and path not in self.refused]
        keys = {path: (path.parent, of_recording(path)) for path in left}
        alone = Counter(keys.values())
        chosen = {path: found[key] for path, key in keys.items() if alone[key] == 1 and key in found}
        self._take(chosen)

    def unique(self, key: Callable[[PurePath], tuple[str, ...]]) -> None:
        """Match by a key that no two recordings share, nor files of two places, whether they have a mate or not."""
        found: dict[tuple[str, ...], list[PurePath]] = defaultdict(list)
        for file in self.offered:
            if file not in self.links:
                found[key(file)].append(file)
        counts = Counter(map(key, self.everyone))
        chosen = {}
        for path in self.wanted:
            files = found.get(key(path), [])
            free = counts[key(path)] == 1 and path not in self.mates and path not in self.refused
            if free and len({(file.parent, stem_of(file)) for file in files}) == 1:
                chosen[path] = files
        for path in self._take(chosen):
            if _elsewhere(path.parent, self.mates[path].parent):
                self.elsewhere.append(path)

    def _take(self, chosen: Mapping[PurePath, Sequence[PurePath]]) -> list[PurePath]:
        """Give each recording the best of its files; return those that got one."""
        best = {p: min(files, key=lambda f: (self.preference(f), f.as_posix())) for p, files in chosen.items()}
        shared = Counter(self._real(file) for file in best.values())
        got = []
        for recording, file in best.items():
            real = self._real(file)
            if real in self.owners or shared[real] > 1:
                if file in self.links:
                    other = self.owners.get(real, "more recordings than one")
                    self.refused[recording] = f"{file} is a link to {real}, which belongs to {other}"
                continue
            self.mates[recording] = file
            self.owners[real] = recording
            self.passed_over.update({f: file for f in chosen[recording] if self._real(f) != real})
            got.append(recording)
        return got

    def _real(self, file: PurePath) -> PurePath:
        return self.links.get(file, file)

    def result(self) -> Match:
        """Return what was found, and say what was not and why."""
        reasons = {path: self._reason(path) for path in self.wanted if path not in self.mates}
        left = tuple(f for f in self.offered if f not in self.passed_over and self._real(f) not in self.owners)
        names = set(map(bare_name, left))
        undecided = frozenset(path for path in reasons if path in self.refused or bare_name(path) in names)
        return Match(self.mates, reasons, undecided, left, self.passed_over, tuple(self.elsewhere))

    def _reason(self, recording: PurePath) -> str:
        if recording in self.refused:
            return self.refused[recording]
        name = bare_name(recording)
        files = [path for path in self.offered if bare_name(path) == name]
        if not files:
            return "no file has its name"
        here = [path for path in files if path.parent == recording.parent and path not in self.mates.values()]
        rivals = [path for path in self.everyone if bare_name(path) == name]
        if here:
            return f"{few(here)} may belong to any of {few(rivals)}"
        if len(rivals) > 1:
            return f"{len(rivals)} recordings have its name, and at its place lies no file ({few(files)} elsewhere)"
        return f"{len(files)} files have its name ({few(files)}), none at its place"


def _elsewhere(wanted: PurePath, found: PurePath) -> bool:
    """Say whether two folders are of different trees: neither's parts stand, in order, among the other's."""
    one, other = (tuple(map(_folded, folder.parts)) for folder in (wanted, found))
    return bool(other) and not (_within(other, one) or (bool(one) and _within(one, other)))


def _within(parts: Sequence[str], others: Sequence[str]) -> bool:
    rest = iter(others)
    return all(part in rest for part in parts)
