"""SHA-256 of a file's bytes, and notes of those that cost much to compute."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from contextlib import suppress
from pathlib import Path

from brainscan.errors import InputError
from brainscan.io.atomic import write_bytes
from brainscan.io.containers import unreadable
from brainscan.io.remembered import Stamp

_KEY_LENGTH = 32


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes; of a folder that is a recording, of all names and bytes in it.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        if path.is_dir():
            whole = hashlib.sha256()
            for part in sorted(entry for entry in path.rglob("*") if entry.is_file()):
                whole.update(os.fsencode(part.relative_to(path).as_posix()) + b"\0" + sha256_of(part).encode())
            return whole.hexdigest()
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as problem:
        raise unreadable(path.name, problem) from problem


def noted_sha256(path: Path, folder: Path) -> str:
    """Return the SHA-256 of a file's bytes; while size and times of change stay, it is not read again.

    Parameters
    ----------
    path : Path
    folder : Path
        Where checksums are kept, under a digest of the path.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    try:
        if path.is_dir():
            return sha256_of(path)
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            # Opening a pipe would wait for whoever writes to it.
            raise InputError("is no ordinary file", kind="io", file=path.name)
        place = hashlib.sha256(os.fsencode(os.path.realpath(path))).hexdigest()[:_KEY_LENGTH]
    except OSError as problem:
        raise unreadable(path.name, problem) from problem
    stamp = list(Stamp.of(state))
    note = folder / f"{place}.stamp"
    with suppress(OSError, ValueError, KeyError, TypeError):
        held = json.loads(note.read_text(encoding="utf-8"))
        if held["stamp"] == stamp:
            return str(held["sha256"])
    sha256 = sha256_of(path)
    write_bytes(note, json.dumps({"stamp": stamp, "sha256": sha256}).encode("utf-8"))
    return sha256
