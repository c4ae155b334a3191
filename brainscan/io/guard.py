"""What is never written over, whatever an option says: a recording, and what the same command reads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from brainscan.errors import OutputError, UsageError
from brainscan.io.containers import content_of, kind_of, main_of
from brainscan.io.links import real_path

_FIXED_BYTES = 256
_LABEL_BYTES = 16
_ANNOTATIONS = (b"EDF Annotations", b"BDF Annotations")


def _never(_path: Path) -> bool:
    return False


def protect(path: Path, inputs: Iterable[Path] = (), replaces: Callable[[Path], bool] = _never) -> None:
    """Refuse to write over a recording or over an input of the same command. No option lifts this.

    Links are followed, and names that a file system takes for one (case) are one.

    Parameters
    ----------
    path : Path
        What would be written; it need not exist.
    inputs : iterable of Path
        What the command reads.
    replaces : callable
        ``path -> bool``: which recordings may be written over; by default none.

    Raises
    ------
    UsageError
        If it is one of the inputs.
    OutputError
        If it is a recording of any kind that we recognise, or one of its files.
    """
    for given in inputs:
        if same_file(path, given):
            raise UsageError(
                "is read by this command and would be overwritten", file=str(path), hint="choose another -o"
            )
    what = recording_in(path)
    if what and not replaces(path):
        raise OutputError(
            f"is {what}; a recording is never overwritten", file=str(path), hint="choose another place with -o"
        )


def check_place(path: Path) -> None:
    """Refuse a place where no file can be written, before any work.

    Raises
    ------
    OutputError
        If the path is a folder, or something above it is none or is not writable.
    """
    if path.is_dir():
        raise OutputError("is a folder", file=str(path), hint="name a file")
    if path.exists() and not path.is_file():
        return  # a device or a pipe is written in place
    for folder in path.absolute().parents:
        if folder.is_dir():
            if not os.access(folder, os.W_OK):
                raise _cannot(path, "permission denied")
            return
        if folder.exists():
            raise _cannot(path, f"{folder.name} is no folder")


def _cannot(path: Path, why: str) -> OutputError:
    return OutputError(f"cannot be written ({why})", file=str(path), hint="choose another place with -o")


def same_file(path: Path, other: Path) -> bool:
    """Whether two paths lead to one file, by whatever links; also where none of them is there yet."""
    try:
        return path.samefile(other)
    except OSError:
        return real_path(path) == real_path(other)


def recording_in(path: Path) -> str:
    """Return what recording a file is or belongs to, for a message; empty for anything else."""
    target = real_path(path)
    for folder in target.parents:
        kind = kind_of(folder) if folder.suffix else None
        if kind is not None and kind.folder:  # others may be named like a file: `ward.edf/`
            return f"part of the recording {folder.name}"
    if not target.is_file():
        return ""
    main = main_of(target)
    if main is not None:
        return f"part of the recording {main.name}"
    found = content_of(target)
    if found is None or (found.name in {"EDF", "BDF"} and _only_annotations(target)):
        return ""
    return f"a recording ({found.name})"


def _only_annotations(path: Path) -> bool:
    """Whether an EDF+ holds no signal: such files are event files, and `convert` writes them."""
    try:
        with path.open("rb") as stream:
            fixed = stream.read(_FIXED_BYTES)
            n_signals = int(fixed[252:256])
            labels = stream.read(_LABEL_BYTES * max(0, n_signals))
    except (OSError, ValueError):
        return False
    found = [labels[at : at + _LABEL_BYTES].strip() for at in range(0, len(labels), _LABEL_BYTES)]
    return len(found) == n_signals > 0 and all(label in _ANNOTATIONS for label in found)
