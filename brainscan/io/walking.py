"""What lies below a folder, links followed or left for later."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from brainscan.errors import InputError, reason_of
from brainscan.io.containers import kind_of
from brainscan.io.links import content_elsewhere

_MOST_VISITS = 32
"""Folders that link to each other crosswise have paths without number; so many to one folder are walked."""


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
    here, excluded = ends(folder, out)
    return Walk(excluded).below(folder, here)


def ends(folder: Path, out: Path | None) -> tuple[FileId, FileId | None]:
    """Return a folder's identity and that of the folder inside it that does not count."""
    try:
        with os.scandir(folder):
            pass
        here = FileId.of(folder)
    except OSError as problem:
        raise content_elsewhere(folder) or InputError(
            f"cannot be listed ({reason_of(problem)})", kind="io", file=str(folder), hint="check the path"
        ) from None
    excluded = _id_of(out) if out is not None else None
    return here, None if excluded == here else excluded


@dataclass(frozen=True, slots=True)
class _Place:
    path: Path
    links: int
    above: frozenset[FileId]


class Walk:
    """One walk: what it has found so far, by how many links it took.

    Parameters
    ----------
    excluded : FileId or None
        A folder that does not count.
    """

    def __init__(self, excluded: FileId | None) -> None:
        self._excluded = excluded
        self._visits: Counter[FileId] = Counter()
        self._waiting: deque[_Place] = deque()
        self._files: list[tuple[int, Path]] = []
        self._dangling: list[Path] = []
        self._unreadable: list[Path] = []
        self._loops: list[Path] = []
        self._whole: list[Path] = []
        self._links: list[tuple[Path, _Place]] | None = None  # None: they are followed as they come

    def without_links(self, folder: Path, here: FileId) -> Iterator[Tree]:
        """Yield what lies in each folder, in order of path, links left for `by_links`."""
        self._links = []
        places = [_Place(folder, 0, frozenset({here}))]
        while places:
            self._list(places.pop())
            below, self._waiting = self._waiting, deque()
            places += reversed(below)
            yield self._taken()

    def by_links(self) -> Tree:
        """Return what only links lead to."""
        links, self._links = self._links or [], None
        for path, place in links:
            self._follow(path, 1, place)
        while self._waiting:
            self._list(self._waiting.popleft())
        return self._taken()

    def _taken(self) -> Tree:
        """Return what was found since the last call."""
        tree = self._tree()
        self._files, self._dangling, self._unreadable, self._loops, self._whole = [], [], [], [], []
        return tree

    def below(self, folder: Path, here: FileId) -> Tree:
        """Return all below a folder."""
        self._waiting.append(_Place(folder, 0, frozenset({here})))
        while self._waiting:
            self._list(self._waiting.popleft())
        return self._tree()

    def _tree(self) -> Tree:
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
            is_link = path.is_symlink()
            if is_link and self._links is not None:
                self._links.append((path, place))
            else:
                self._follow(path, place.links + is_link, place)

    def _follow(self, path: Path, links: int, place: _Place) -> None:
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


def _id_of(path: Path) -> FileId | None:
    try:
        return FileId.of(path)
    except OSError:
        return None
