"""Which files below a folder are recordings."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePath

from brainscan.errors import InputError, reason_of
from brainscan.io.containers import container_of, read_head

SUFFIXES = frozenset({".edf", ".bdf", ".rec", ".vhdr", ".fif", ".set"})
"""Files named so are recordings whatever they hold; a damaged one is a failure, not an absence."""


def find_recordings(folder: Path, out: Path) -> tuple[PurePath, ...]:
    """Return the recordings below a folder, relative to it and sorted.

    A file counts if its suffix says so or its content does. Hidden files and folders do not count (version
    control, other systems' side files), nor does what lies below `out`. Links to folders are not followed.

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
    try:
        with os.scandir(folder):
            pass
    except OSError as problem:
        raise InputError(
            f"cannot be listed ({reason_of(problem)})", kind="io", file=str(folder), hint="check the path"
        ) from None
    return tuple(sorted(path.relative_to(folder) for path in _files(folder, out) if _is_recording(path)))


def _files(folder: Path, out: Path) -> Iterator[Path]:
    excluded = None if out.resolve() == folder.resolve() else out.resolve()
    unreadable: list[Path] = []
    for place, folders, names in os.walk(folder, onerror=lambda problem: unreadable.append(Path(problem.filename))):
        here = Path(place)
        folders[:] = [name for name in folders if not name.startswith(".") and (here / name).resolve() != excluded]
        yield from (here / name for name in names if not name.startswith("."))
    yield from unreadable


def _is_recording(path: Path) -> bool:
    if path.suffix.lower() in SUFFIXES:
        return True
    if path.is_dir():
        return True  # only a folder that cannot be listed comes here: a failure to report, like a file's
    if not path.is_file():
        return False
    try:
        # MATLAB files of any content share EEGLAB's container; those are known by their suffix only.
        return container_of(read_head(path), path.name) != "EEGLAB"
    except InputError:
        return False
