"""Files whose content is somewhere else: dangling links, and the pointers of git-annex and Git LFS."""

from __future__ import annotations

import os
import re
from pathlib import Path

from brainscan.errors import InputError, InputKind, reason_of

_MOST_BYTES = 32768
"""Pointers are short; git-annex allows this much (git-annex.branchable.com/internals/pointer_file)."""

# A pointer of git-annex begins with the place of its key; where the system has no links, Git writes a link's target.
_ANNEX = re.compile(rb"(?:\.\.?[/\\])*(?:\.git(?:[/\\][\w.-]+)*)?[/\\]annex[/\\]objects[/\\][\w.=+%&,-]")
_LFS = (b"version https://git-lfs", b"version http://git-media.io/v/")


class AbsentContentError(InputError):
    """A file is named here and its content is not here."""


def real_path(path: Path) -> Path:
    """Return an absolute path with links followed; of one that leads to itself the path of the link.

    `Path.resolve` raises RuntimeError for such a link in Python 3.11 and 3.12, which no caller expects of a path.

    Raises
    ------
    InputError
        If the path is relative and the folder that the process is in was removed.
    """
    try:
        return Path(os.path.realpath(path))
    except OSError as problem:
        raise InputError(
            f"cannot be found ({reason_of(problem)})",
            kind="io",
            file=str(path),
            hint="the folder that you are in may have been removed: change to one that is there",
        ) from problem


def content_elsewhere(path: Path) -> AbsentContentError | None:
    """Return the error for a file whose content is not on this machine; None where it is.

    Parameters
    ----------
    path : Path
        It need not exist. Only short files are opened.
    """
    if path.is_symlink() and not path.exists():
        return _dangling(path)
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return None
        with path.open("rb") as stream:
            return pointer(stream.read(256), path.name)
    except OSError:
        return None  # told where it is read


def pointer(head: bytes, name: str) -> AbsentContentError | None:
    """Return the error for a file that begins as a pointer does; None for any other.

    Parameters
    ----------
    head : bytes
        Its first bytes; 64 are enough.
    name : str
        For the message.
    """
    if _ANNEX.match(head):
        return _unfetched_annex(name, "header")
    if head.startswith(_LFS):
        return AbsentContentError(
            "content is not fetched (a Git LFS pointer, not the file itself)",
            kind="header",
            file=name,
            hint="`git lfs pull` in its repository fetches it",
        )
    return None


def leads_into_annex(link: Path) -> bool:
    """Whether a link's target is the content of a file that git-annex keeps."""
    try:
        return "annex/objects/" in link.readlink().as_posix()
    except OSError:
        return False


def _dangling(path: Path) -> AbsentContentError:
    if leads_into_annex(path):
        return _unfetched_annex(path.name, "io")
    return AbsentContentError(
        "is a link to something that is not there",
        kind="io",
        file=path.name,
        hint="copy the data that it leads to beside it, mount their disk, or remove the link",
    )


def _unfetched_annex(name: str, kind: InputKind) -> AbsentContentError:
    return AbsentContentError(
        "content is not fetched (git-annex holds only its name here)",
        kind=kind,
        file=name,
        hint="`git annex get FILE` in its data set fetches it (DataLad: `datalad get FILE`)",
    )
