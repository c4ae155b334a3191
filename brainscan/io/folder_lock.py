"""One writer a folder: a lock that the system lifts when its holder ends, however it ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from brainscan.errors import OutputError, reason_of

LOCK = ".brainscan-scan.lock"


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold a folder for the block's duration; the file that is locked goes afterwards.

    Where the file system knows no locks (some network shares), nothing is held.

    Raises
    ------
    OutputError
        If another process holds it, or nothing can be written in the folder.
    """
    path = folder / LOCK
    stream = _locked(path)
    try:
        yield
    finally:
        if os.name == "nt":
            stream.close()  # open files cannot be removed there
        with suppress(OSError):
            path.unlink()
        stream.close()


def _locked(path: Path) -> IO[bytes]:
    while True:
        try:
            stream = path.open("ab")
        except OSError as problem:
            raise OutputError(
                f"cannot be written ({reason_of(problem)})", file=str(path.parent), hint="choose another place with -o"
            ) from problem
        try:
            _lock(stream)
        except BlockingIOError:
            stream.close()
            raise OutputError(
                "another scan is writing into this folder",
                file=str(path.parent),
                hint="wait for it, or choose another -o",
            ) from None
        if _is_still(stream, path):
            return stream
        stream.close()  # whoever held it has just removed it


def _is_still(stream: IO[bytes], path: Path) -> bool:
    with suppress(OSError):
        return os.path.samestat(os.fstat(stream.fileno()), path.stat())
    return False


if sys.platform == "win32":

    def _lock(stream: IO[bytes]) -> None:
        import msvcrt

        try:
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError as problem:
            raise BlockingIOError from problem

else:

    def _lock(stream: IO[bytes]) -> None:
        import fcntl

        try:
            fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:
            return  # ENOLCK, ENOTSUP: a share without locks
