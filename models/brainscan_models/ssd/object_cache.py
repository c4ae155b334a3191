"""Machine code of compiled kernels on disk: only where this user may, and only if it is whole."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform != "win32":
    import fcntl

_SUFFIX = ".kernel"
_PATIENCE_S = 60.0
_LOOK_EVERY_S = 0.05


def read_object(key: str) -> tuple[str, bytes] | None:
    """Read what `write_object` wrote.

    Parameters
    ----------
    key : str
        Name of the kernel with all that its machine code depends on.

    Returns
    -------
    (symbol, code) or None
        None if there is nothing, or something damaged.
    """
    folder = cache_folder()
    if folder is None:
        return None
    try:
        content = (folder / (key + _SUFFIX)).read_bytes()
    except OSError:
        return None
    checksum, _, body = content.partition(b"\n")
    symbol, _, code = body.partition(b"\n")
    if checksum.decode("ascii", "replace") != hashlib.sha256(body).hexdigest():
        return None
    return symbol.decode("utf-8"), code


def write_object(key: str, symbol: str, code: bytes) -> None:
    """Keep machine code for the next start, if there is a place; whole or not at all.

    Parameters
    ----------
    key : str
        As for `read_object`.
    symbol : str
        Name of the function in the object file.
    code : bytes
        The object file.
    """
    folder = cache_folder()
    if folder is None:
        return
    body = symbol.encode("utf-8") + b"\n" + code
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=key, delete=False) as file:
            try:
                file.write(hashlib.sha256(body).hexdigest().encode("ascii") + b"\n" + body)
                file.close()
                Path(file.name).replace(folder / (key + _SUFFIX))
            except OSError:
                Path(file.name).unlink(missing_ok=True)
    except OSError:
        # A full or read-only disk costs time at the next start, nothing else.
        return


@contextmanager
def compiling_alone() -> Iterator[None]:
    """Let one process at a time compile: the others find what it kept (they need to look again).

    The folder itself is locked, so that no file stays behind, and the system lifts the lock when its holder ends.
    Nothing is held where there is no folder, where the system cannot lock one, or after a minute of waiting.
    """
    folder = None if sys.platform == "win32" else cache_folder()
    try:
        descriptor = None if folder is None else os.open(folder, os.O_RDONLY)
    except OSError:
        descriptor = None
    try:
        if descriptor is not None:
            _lock(descriptor)
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _lock(descriptor: int) -> None:
    # Not by a call that waits: on some network shares it would never come back.
    for _ in range(round(_PATIENCE_S / _LOOK_EVERY_S)):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOOK_EVERY_S)
        except OSError:  # a share without locks
            return
        else:
            return


def cache_folder() -> Path | None:
    """Find, and make if need be, the folder in which this user's compiled kernels may lie.

    Returns
    -------
    Path or None
        None where there is no such folder: no home or a foreign one (a service's account, ``sudo`` with
        another user's HOME), or one that others can write to. Kernels then are compiled in memory, at every
        start.
    """
    try:
        folder = _user_cache() / "brainscan" / "kernels"
        existing = folder
        while not existing.exists():
            existing = existing.parent
        if not _is_ours(existing):
            return None
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except (OSError, RuntimeError):  # RuntimeError: this user has no home
        return None
    # What others can write there would be run as ours.
    private = sys.platform == "win32" or not folder.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return folder if private and _is_ours(folder) else None


def _user_cache() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _is_ours(folder: Path) -> bool:
    return sys.platform == "win32" or folder.stat().st_uid == os.geteuid()
