"""What lies below a folder, links followed; which of it are recordings.

The one walk of all commands: what one of them finds, the others find as well.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePath
from typing import Any

from brainscan.io.container_format import ContainerFormat
from brainscan.io.containers import kind_of, recording_suffixes
from brainscan.io.links import leads_into_annex
from brainscan.io.walking import FileId, Tree, Walk, ends, walk

# Files without suffix that data sets have; linked and not fetched they are no folder that is missing.
_TEXTS = frozenset({"README", "LICENSE", "LICENCE", "CHANGES", "CHANGELOG", "COPYING", "RECORDS", "AUTHORS"})


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
    return joined(tuple(explore(folder, out)))


def joined(parts: Sequence[Found]) -> Found:
    """Return what several folders hold as one."""

    def all_of(name: str) -> list[Any]:
        return list(chain.from_iterable(getattr(part, name) for part in parts))

    return Found(
        recordings=tuple(sorted(all_of("recordings"))),
        others=tuple(sorted(all_of("others"))),
        twice=tuple(all_of("twice")),
        loops=tuple(all_of("loops")),
        unread=tuple(sorted(all_of("unread"), key=lambda pair: pair[0])),
    )


def explore(folder: Path, out: Path, kind: Callable[[Path], ContainerFormat | None] = kind_of) -> Iterator[Found]:
    """Find as `search` does, folder by folder: the first is there at once, and nothing but numbers is kept.

    Parameters
    ----------
    folder, out : Path
    kind : callable
        As `brainscan.io.containers.kind_of`.

    Yields
    ------
    Found
        Of each folder, in order of path, what is there without following links; at last, what links lead to.

    Raises
    ------
    InputError
        As `search`.
    """
    here, excluded = ends(folder, out)
    walk_, seen = Walk(excluded), _Seen(folder, kind)
    for tree in walk_.without_links(folder, here):
        yield seen.told(tree, by_links=False)
    yield seen.told(walk_.by_links(), by_links=True)


class _Seen:
    """Which files were seen, of a million of them: eight bytes each, and the paths of those that have several names."""

    def __init__(self, folder: Path, kind: Callable[[Path], ContainerFormat | None]) -> None:
        self._folder, self._kind = folder, kind
        self._marks = array("Q")
        self._first: dict[FileId, PurePath] = {}

    def told(self, tree: Tree, *, by_links: bool) -> Found:
        """Return which of the files are recordings, and remember them."""
        recordings = [path.relative_to(self._folder) for path in tree.unreadable]
        recordings += [path.relative_to(self._folder) for path in tree.dangling if _may_be_recordings(path)]
        others, twice, unread = [], [], []
        marks = set(self._marks) if by_links and (tree.files or tree.whole) else None
        for path in (*tree.files, *tree.whole):
            name, kind = path.relative_to(self._folder), self._kind(path)
            if kind is None:
                others.append(name)
                continue
            first = self._before(path, name, marks)
            if first is not None:
                twice.append((name, first))
            elif kind.read is None:
                unread.append((name, kind))
            else:
                recordings.append(name)
        return Found(
            recordings=tuple(sorted(recordings)),
            others=tuple(others),
            twice=tuple(twice),
            loops=tuple(path.relative_to(self._folder) for path in tree.loops),
            unread=tuple(unread),
        )

    def _before(self, path: Path, name: PurePath, marks: set[int] | None) -> PurePath | None:
        """Return the path by which a file was met before; else remember this one.

        `marks` are those of files that were met without a link; None while these are being met.
        """
        try:
            file, n_names = FileId.of(path), path.stat().st_nlink
        except OSError:
            return None
        if marks is None and n_names == 1:
            self._marks.append(_mark(file))
            return None
        if file not in self._first:
            met = marks is not None and _mark(file) in marks
            self._first[file] = self._straight(path, name) if met else name
            return self._first[file] if met else None
        return self._first[file]

    def _straight(self, path: Path, name: PurePath) -> PurePath:
        """Return the path without links of a file that was met by it."""
        try:
            return Path(os.path.realpath(path)).relative_to(os.path.realpath(self._folder))
        except ValueError:
            return name


def _mark(file: FileId) -> int:
    return hash(file) & 0xFFFF_FFFF_FFFF_FFFF


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
