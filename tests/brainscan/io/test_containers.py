from __future__ import annotations

import os
from pathlib import Path

import pytest

from brainscan.errors import InputError
from brainscan.io import read
from brainscan.io.containers import container_of
from tests.edf_files import FakeEdf, eeg


@pytest.mark.parametrize(
    ("head", "name", "container"),
    [
        (FakeEdf(eeg(n_records=1), 1).data()[:1024], "a.bdf", "EDF"),
        (FakeEdf(eeg(n_records=1), 1, width=3).data()[:1024], "a.edf", "BDF"),
        (b"Brain Vision Data Exchange Header File Version 1.0\r\n", "a.vhdr", "BrainVision"),
        (b"\xef\xbb\xbfBrainVision Data Exchange Header File Version 2.0\n", "a", "BrainVision"),
        (b"\0\0\0\x64\0\0\0\x1f" + bytes(300), "a.fif", "FIF"),
        (b"MATLAB 5.0 MAT-file, Platform" + bytes(300), "a.set", "EEGLAB"),
        (b"\x89HDF\r\n\x1a\n" + bytes(300), "a.SET", "EEGLAB"),
    ],
)
def test_content_decides(head: bytes, name: str, container: str) -> None:
    assert container_of(head, name) == container


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"", "0 bytes"),
        (b"0       " + b" " * 92, "100 bytes"),
        (b"\x1f\x8b\x08" + bytes(500), "gzip"),
        (b"PK\x03\x04" + bytes(500), "ZIP"),
        (b"\x89PNG\r\n" + bytes(500), "PNG"),
        (b"version https://git-lfs.github.com/spec/v1\n", "LFS"),
        (b"time,Fp1,F3\n" * 100, "text"),
        (bytes(range(256)) * 4, "unknown"),
        (b"\x89HDF\r\n\x1a\n" + bytes(300), "unknown"),
        (b"Brain Vision Data Exchange Marker File, Version 1.0", ".vhdr"),
    ],
)
def test_everything_else_is_named(head: bytes, words: str) -> None:
    with pytest.raises(InputError) as caught:
        container_of(head, "a.edf")
    assert caught.value.kind == "header"
    assert words in str(caught.value)


def test_what_cannot_be_opened_is_one_line(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.edf", tmp_path):
        with pytest.raises(InputError) as caught:
            read(path)
        assert caught.value.kind == "io"
        assert "\n" not in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.edf")
    with pytest.raises(InputError, match="ordinary file"):
        read(tmp_path / "pipe.edf")
