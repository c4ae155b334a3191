"""Which recordings a folder of them holds as a corpus, and whose they are: evaluation and training ask here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from brainscan.corpora.index import Index, IndexRow, find_index
from brainscan.corpora.patients import Place, place
from brainscan.corpora.table import SPLITS, is_copy, is_eeg
from brainscan.io.discover import search


@dataclass(frozen=True, slots=True)
class Member:
    """One recording of a corpus, its truth not yet looked for.

    Parameters
    ----------
    name : str
        Relative to the corpus, with forward slashes.
    row : IndexRow
        What the index says of it; only the name where there is no index.
    place : Place or None
        What its path says; None where the index says everything.
    """

    name: str
    row: IndexRow
    place: Place | None = None

    @property
    def subject(self) -> str:
        """Patient, unique within the source."""
        return self.row.subject or (self.place.patient if self.place else "")

    @property
    def group(self) -> str:
        """Group of the index, else the corpus' own split as its folder is called."""
        return self.row.group or (self.place.group if self.place else "")

    @property
    def split(self) -> str:
        """The split that training knows the group as; the group itself where it knows none."""
        return self.row.group or SPLITS.get(self.group.lower(), "")


@dataclass(frozen=True, slots=True)
class Members:
    """What a folder holds.

    Parameters
    ----------
    members : tuple of Member
        In the order of the index, else of their names.
    absent : tuple of str
        Names that the index lists and that are not there.
    warnings : tuple of str
    index : str
        Name of the index; empty where there is none.
    recordings : tuple of str
        Names of all recordings below the folder, also of those that are left out.
    """

    members: tuple[Member, ...]
    absent: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    index: str = ""
    recordings: tuple[str, ...] = ()


def find_members(folder: Path, out: Path | None = None) -> Members:
    """Return the recordings of a corpus.

    An ``index.csv`` in the folder or above it that lists recordings of the folder decides which belong to the
    corpus, and names group, source, subject and scored part. Without one every recording below the folder counts
    (in BIDS only EEG, no copies); whose it is, and in which split, its path tells (`brainscan.corpora.patients`).

    Raises
    ------
    InputError
        If the folder cannot be listed or its index is damaged.
    """
    found = search(folder, out or folder)
    everything = tuple(name.as_posix() for name in found.recordings)
    index, remarks = find_index(folder)
    if index is not None:
        return _indexed(folder, everything, index, remarks)
    names = [name for name in found.recordings if is_eeg(name) and not is_copy(name)]
    warnings = [*remarks, *found.notes()]
    if n := len(found.recordings) - len(names):
        warnings.append(f"{n} recordings are of other signals than EEG or lie in derivatives/ or sourcedata/: left out")
    places = place(folder, names, headers=False).places
    return Members(
        tuple(Member(name.as_posix(), IndexRow(name.as_posix()), places[name]) for name in names),
        warnings=tuple(warnings),
        recordings=everything,
    )


def with_patients(folder: Path, found: Sequence[Member]) -> tuple[tuple[Member, ...], tuple[str, ...]]:
    """Return the recordings that are used with their patients, and what was guessed of those.

    Apart from `find_members` because only those that are used count, and their headers are looked at.
    """
    names = [PurePath(member.name) for member in found if not member.row.subject]
    placement = place(folder, names)
    told = tuple(
        member
        if member.row.subject
        else Member(member.name, member.row, _again(member.place, placement.places[PurePath(member.name)]))
        for member in found
    )
    return told, placement.warnings


def _again(before: Place | None, now: Place) -> Place:
    # Whether a folder is a split is only seen beside the others.
    return now if before is None else Place(now.patient, before.group, now.layout, now.source, now.licence, now.rule)


def _indexed(folder: Path, found: Sequence[str], index: Index, remarks: Sequence[str]) -> Members:
    """Return the recordings that an index lists."""
    rows = index.below(folder)
    unlisted = [name for name in found if name not in rows]
    warnings = (f"{len(unlisted)} recordings are not in {index.path.name} and left out",) if unlisted else ()
    there = {
        name: row for name, row in sorted(rows.items()) if (folder / name).is_file() or (folder / name).is_symlink()
    }
    return Members(
        tuple(Member(name, row) for name, row in there.items()),
        tuple(name for name in rows if name not in there),
        (*remarks, *warnings),
        index.path.name,
        tuple(dict.fromkeys((*found, *rows))),
    )
