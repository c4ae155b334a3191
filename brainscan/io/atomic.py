"""Write a file or a folder whole or not at all: temporary one in the same folder, fsync, rename."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from brainscan.errors import OutputError, reason_of
from brainscan.io.guard import protect
from brainscan.io.links import real_path

TEMPORARY_PREFIX = ".brainscan-"
"""Names of unfinished files begin so; a restart may remove what a killed run left."""
TEMPORARY_SUFFIX = ".tmp"


def _never(_path: Path) -> bool:
    return False


@contextmanager
def atomic_write(path: Path, replaces: Callable[[Path], bool] = _never) -> Iterator[BinaryIO]:
    """Open a temporary file beside `path` that takes its name once the block ends well.

    Parameters
    ----------
    path : Path
        The file to be. If the block raises, it stays as it was and the temporary file goes.
    replaces : callable
        ``path -> bool``: which recordings may be written over; by default none, whoever asks.

    Yields
    ------
    binary file, open for writing; its `name` is a path, for libraries that open files themselves

    Raises
    ------
    OutputError
        If the folder is missing or not writable, the disk is full, or `path` is a folder or a recording.
    """
    temporary: Path | None = None
    try:
        # Resolve first: a symbolic link keeps pointing where it did, and the rename stays on one disk.
        target = real_path(path)
        if target.is_dir():
            raise OutputError("is a folder", file=str(path), hint="name a file")
        if target.exists() and not target.is_file():
            # Devices and pipes (/dev/null) are written in place: a rename would replace the device.
            with target.open("wb") as stream:
                yield stream
            return
        if not replaces(target):
            protect(path)
        temporary = _temporary_beside(target)
        # Not `tempfile`: its files are private (0600), and outputs shall follow the umask as others do.
        with temporary.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        with suppress(OSError):
            temporary.chmod(target.stat().st_mode & 0o777)
        temporary.replace(target)
        temporary = None
        _sync_folder(target.parent)
    except OSError as problem:
        raise OutputError(
            f"cannot be written ({reason_of(problem)})",
            file=str(path),
            hint=("make the folder, or " if isinstance(problem, FileNotFoundError) else "")
            + "choose another place with -o",
        ) from problem
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink()


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """Make a temporary folder beside `folder` that takes its name, and its place, once the block ends well.

    Parameters
    ----------
    folder : Path
        The folder to be. What is there goes only once the new one is whole; if the block raises, it stays.

    Yields
    ------
    Path
        The temporary folder.

    Raises
    ------
    OutputError
        If the folder above cannot be made or written, or `folder` is a file.
    """
    target = real_path(folder)
    if target.exists() and not target.is_dir():
        raise OutputError("is a file", file=str(folder), hint="name a folder")
    make_folder(target.parent)
    temporary, before = _temporary_beside(target), _temporary_beside(target)
    try:
        temporary.mkdir()
        yield temporary
        if target.exists():
            target.replace(before)
        temporary.replace(target)
        _sync_folder(target.parent)
    except OSError as problem:
        raise OutputError(
            f"cannot be written ({reason_of(problem)})", file=str(folder), hint="choose another place"
        ) from problem
    finally:
        if before.exists() and not target.exists():
            before.replace(target)  # the second rename failed
        for rest in (temporary, before):
            shutil.rmtree(rest, ignore_errors=True)


def make_folder(folder: Path) -> None:
    """Create an output folder with its parents.

    Raises
    ------
    OutputError
        If that is not possible.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise OutputError(
            f"the folder cannot be made ({reason_of(problem)})", file=str(folder), hint="choose another place with -o"
        ) from problem


def write_bytes(path: Path, data: bytes) -> None:
    """Write bytes atomically; see `atomic_write`."""
    with atomic_write(path) as stream:
        stream.write(data)


def write_text(path: Path, text: str) -> None:
    """Write text atomically as UTF-8 with the line ends it has; see `atomic_write`."""
    write_bytes(path, text.encode("utf-8"))


def remove_unfinished(out: Path) -> None:
    """Remove the temporary files that a killed run left."""
    for folder, _, names in os.walk(out):  # of a million results in a second
        for name in names:
            if name.startswith(TEMPORARY_PREFIX) and name.endswith(TEMPORARY_SUFFIX):
                with suppress(OSError):
                    Path(folder, name).unlink()


def _temporary_beside(target: Path) -> Path:
    return target.parent / f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}{TEMPORARY_SUFFIX}"


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable where folders can be opened (not on Windows)."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
