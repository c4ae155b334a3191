"""Text files, read as what they are: UTF-8, with clear errors."""

from __future__ import annotations

from pathlib import Path

from brainscan.errors import InputError, reason_of
from brainscan.io.links import content_elsewhere, pointer


def read_text(path: Path, *, drop_bom: bool = True) -> str:
    """Return a text file's content, line ends as they are.

    Parameters
    ----------
    path : Path
    drop_bom : bool
        Leave out a byte order mark at the start.

    Raises
    ------
    InputError
        If it cannot be opened, is empty, or is no UTF-8 text.
    """
    data = read_bytes(path)
    if not data.strip():
        raise InputError("is empty", kind="empty", file=path.name)
    try:
        return data.decode("utf-8-sig" if drop_bom else "utf-8")
    except UnicodeDecodeError as problem:
        raise InputError(
            f"is no UTF-8 text (byte {problem.start})", kind="corrupt", file=path.name, hint="save it as UTF-8"
        ) from problem


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes, as long as they are here.

    Raises
    ------
    InputError
        If it cannot be opened, or only points to a content that lies elsewhere.
    """
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise content_elsewhere(path) or InputError(
            f"cannot be read ({reason_of(problem)})", kind="io", file=path.name
        ) from problem
    if absent := pointer(data, path.name):
        raise absent
    return data
