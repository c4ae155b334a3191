"""What lies below a folder, links followed; which of it are recordings.

The one walk of all commands: what one of them finds, the others find as well.
"""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import NamedTuple

from brainscan.errors import InputError, reason_of
from brainscan.io.container_format import ContainerFormat
from brainscan.io.containers import kind_of, recording_suffixes
from brainscan.io.links import content_elsewhere, leads_into_annex

_MOST_VISITS = 32
"""Folders that link to each other crosswise have paths without number; so many to one folder are walked."""

# Files without suffix that data sets have; linked and not fetched they are no folder that is missing.
_TEXTS = frozenset({"README", "LICENSE", "LICENCE", "CHANGES", "CHANGELOG", "COPYING", "RECORDS", "AUTHORS"})


class FileId(NamedTuple):
    """What two paths to one file have in common."""

    device: int
    inode: int
    path: str = ""

    @classmethod
    def of(cls, path: Path) -> FileId:
        """Return a file's or folder's own identity, links followed.

        Raises
        ------
        OSError
            If there is nothing at the path.
        """
        status = path.stat()
        # Some file systems number nothing.
        return cls(status.st_dev, status.st_ino, "" if status.st_ino else os.path.realpath(path))


@dataclass(frozen=True, slots=True)
class Tree:
    """Everything below a folder that is not hidden.

    Parameters
    ----------
    files : tuple of Path
        Those reached by fewer links first, else by path.
    dangling : tuple of Path
        Links to nothing.
    unreadable : tuple of Path
        Folders that cannot be listed.
    loops : tuple of Path
        Links that lead back to a folder they lie in; they were not followed.
    whole : tuple of Path
        Folders that are one recording each; they were not entered.
    """

    files: tuple[Path, ...]
    dangling: tuple[Path, ...]
    unreadable: tuple[Path, ...]
    loops: tuple[Path, ...]
    whole: tuple[Path, ...] = ()


def walk(folder: Path, out: Path | None = None) -> Tree:
    """Walk a folder and what its links lead to.

    Hidden files and folders do not count (version control, other systems' side files), nor does what lies in `out`.
    A folder that several links lead to is seen under each of its names; a link that leads back is not followed.

    Parameters
    ----------
    folder : Path
    out : Path, optional
        A folder of outputs; it may lie inside, or be the folder itself, which excludes nothing.

    Raises
    ------
    InputError
        If the folder is absent or cannot be listed.
    """
    try:
        with os.scandir(folder):
            pass
        here = FileId.of(folder)
    except OSError as problem:
        raise content_elsewhere(folder) or InputError(
            f"cannot be listed ({reason_of(problem)})", kind="io", file=str(folder), hint="check the path"
        ) from None
    excluded = _id_of(out) if out is not None else None
    return _Walk(None if excluded == here else excluded).below(folder, here)


@dataclass(frozen=True, slots=True)
class _Place:
    path: Path
    links: int
    above: frozenset[FileId]


class _Walk:
    """One walk: what it has found so far, by how many links it took."""

    def __init__(self, excluded: FileId | None) -> None:
        self._excluded = excluded
        self._visits: Counter[FileId] = Counter()
        self._waiting: deque[_Place] = deque()
        self._files: list[tuple[int, Path]] = []
        self._dangling: list[Path] = []
        self._unreadable: list[Path] = []
        self._loops: list[Path] = []
        self._whole: list[Path] = []

    def below(self, folder: Path, here: FileId) -> Tree:
        """Return all below a folder."""
        self._waiting.append(_Place(folder, 0, frozenset({here})))
        while self._waiting:
            self._list(self._waiting.popleft())
        return Tree(
            tuple(path for _, path in sorted(self._files)),
            tuple(sorted(self._dangling)),
            tuple(sorted(self._unreadable)),
            tuple(sorted(self._loops)),
            tuple(sorted(self._whole)),
        )

    def _list(self, place: _Place) -> None:
        try:
            with os.scandir(place.path) as entries:
                names = sorted(entry.name for entry in entries if not entry.name.startswith("."))
        except OSError:
            self._unreadable.append(place.path)
            return
        for name in names:
            path = place.path / name
            links = place.links + path.is_symlink()
            if path.is_dir():
                self._enter(path, links, place)
            elif path.exists():
                self._files.append((links, path))
            elif path.is_symlink():
                self._dangling.append(path)

    def _enter(self, path: Path, links: int, place: _Place) -> None:
        folder = _id_of(path)
        if folder is None or folder == self._excluded:
            return
        if kind_of(path) is not None:
            self._whole.append(path)
            return
        self._visits[folder] += 1
        if folder in place.above or self._visits[folder] > _MOST_VISITS:
            self._loops.append(path)
        else:
            self._waiting.append(_Place(path, links, place.above | {folder}))


@dataclass(frozen=True, slots=True)
class Found:
    """The recordings below a folder; all paths are relative to it.

    Parameters
    ----------
    recordings : tuple of PurePath
        Sorted. Links to nothing that may have been a recording, and folders that cannot be listed, are among them:
        whoever opens them fails, and says so.
    others : tuple of PurePath
        Files that are none.
    twice : tuple of (PurePath, PurePath)
        Further paths to a recording, each with the path that it counts by.
    loops : tuple of PurePath
        Links that were not followed, because they lead back.
    unread : tuple of (PurePath, ContainerFormat)
        Recordings of a kind that we know and do not read, each once although it may be several files. Sorted.
    """

    recordings: tuple[PurePath, ...]
    others: tuple[PurePath, ...] = ()
    twice: tuple[tuple[PurePath, PurePath], ...] = ()
    loops: tuple[PurePath, ...] = ()
    unread: tuple[tuple[PurePath, ContainerFormat], ...] = ()

    def notes(self, shown: Callable[[PurePath], str] = PurePath.as_posix) -> tuple[str, ...]:
        """Return what a user has to know of links and of what is not read, one line each.

        Parameters
        ----------
        shown : callable
            How a path is shown.
        """
        notes = []
        if self.twice:
            again, first = self.twice[0]
            n = len(self.twice)
            what = "a further path leads" if n == 1 else f"{n} further paths lead"
            notes.append(
                f"{what} to recordings that are here already ({shown(again)} is {shown(first)}): each is taken once"
            )
        if self.loops:
            n = len(self.loops)
            what = "a link leads" if n == 1 else f"{n} links lead"
            notes.append(f"{what} back to a folder above ({shown(self.loops[0])}): not followed")
        for kind in dict.fromkeys(kind for _, kind in self.unread):
            names = [shown(path) for path, of_kind in self.unread if of_kind == kind]
            what = "1 recording is" if len(names) == 1 else f"{len(names)} recordings are"
            notes.append(f"{what} {kind.name}, which brainscan does not read ({_few(names)}): {kind.way_out}")
        return tuple(notes)


def search(folder: Path, out: Path) -> Found:
    """Find the recordings below a folder.

    A file counts if its suffix says so or its content does. One that several links or names lead to counts once, by
    the path with the fewest links.

    Parameters
    ----------
    folder : Path
    out : Path
        Where outputs go; it may lie inside, or be the folder itself.

    Raises
    ------
    InputError
        If the folder is absent or cannot be listed.
    """
    tree = walk(folder, out)
    first: dict[FileId, PurePath] = {}
    recordings = [path.relative_to(folder) for path in tree.unreadable]
    recordings += [path.relative_to(folder) for path in tree.dangling if _may_be_recordings(path)]
    others, twice, unread = [], [], []
    for path in (*tree.files, *tree.whole):
        name, kind = path.relative_to(folder), kind_of(path)
        if kind is None:
            others.append(name)
            continue
        file = _id_of(path)
        if file is not None and file in first:
            twice.append((name, first[file]))
            continue
        if file is not None:
            first[file] = name
        if kind.read is None:
            unread.append((name, kind))
        else:
            recordings.append(name)
    return Found(
        recordings=tuple(sorted(recordings)),
        others=tuple(sorted(others)),
        twice=tuple(twice),
        loops=tuple(path.relative_to(folder) for path in tree.loops),
        unread=tuple(sorted(unread, key=lambda pair: pair[0])),
    )


def find_recordings(folder: Path, out: Path) -> tuple[PurePath, ...]:
    """Return the recordings below a folder, relative to it and sorted; see `search`."""
    return search(folder, out).recordings


def files_below(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder in order of path; links to nothing that have a file's name are among them.

    Raises
    ------
    InputError
        If the folder is absent or cannot be listed.
    """
    tree = walk(folder)
    yield from sorted((*tree.files, *(path for path in tree.dangling if path.suffix)))


def is_recording(path: Path) -> bool:
    """Say whether a file is a recording that can be read, by its suffix or else its content."""
    kind = kind_of(path)
    return kind is not None and kind.read is not None


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def _may_be_recordings(link: Path) -> bool:
    """Whether a link to nothing was one to a recording, or to a folder of them."""
    if link.suffix.lower() in recording_suffixes():
        return True
    # git-annex links no folders.
    return not link.suffix and link.name.upper() not in _TEXTS and not leads_into_annex(link)


def _id_of(path: Path) -> FileId | None:
    try:
        return FileId.of(path)
    except OSError:
        return None
