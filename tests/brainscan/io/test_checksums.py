"""Checksums: of the bytes, kept while a file stays as it is, and never waiting."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from brainscan.errors import InputError
from brainscan.io.checksums import noted_sha256, sha256_of


def test_a_recording_is_read_again_only_when_it_was_touched(tmp_path: Path) -> None:
    path = tmp_path / "a.edf"
    path.write_bytes(b"first")
    first = noted_sha256(path, tmp_path)
    assert first == sha256_of(path) == hashlib.sha256(b"first").hexdigest()
    (note,) = tmp_path.glob("*.stamp")
    note.write_text(note.read_text("utf-8").replace(first, "as noted"), "utf-8")
    assert noted_sha256(path, tmp_path) == "as noted"
    state = path.stat()
    path.write_bytes(b"other")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))  # as `touch -r` leaves it
    assert noted_sha256(path, tmp_path) not in {first, "as noted"}


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "pipe.edf"
    os.mkfifo(path)
    with pytest.raises(InputError, match="no ordinary file"):
        noted_sha256(path, tmp_path)


def test_a_lost_file_is_an_input_error(tmp_path: Path) -> None:
    for ask in (sha256_of, lambda path: noted_sha256(path, tmp_path)):
        with pytest.raises(InputError, match="cannot be read"):
            ask(tmp_path / "gone.edf")
