"""A file is asked again only when it has changed; what could not be read is asked again in any case."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from brainscan.errors import InputError
from brainscan.io.remembered import Remembered


class Asked:
    """A question that counts how often it is put, and fails while it is told to."""

    def __init__(self) -> None:
        self.n = 0
        self.problem: Exception | None = None

    def __call__(self, path: Path) -> int:
        self.n += 1
        if self.problem is not None:
            raise self.problem
        return len(path.read_bytes())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file of three bytes."""
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    return path


def _longer(path: Path) -> None:
    path.write_bytes(b"abcd")


def _as_long_and_as_old(path: Path) -> None:
    state = path.stat()
    path.write_bytes(b"xyz")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def _another_file(path: Path) -> None:
    (path.parent / "b").write_bytes(b"12")
    (path.parent / "b").replace(path)


@pytest.mark.parametrize("change", [_longer, _as_long_and_as_old, _another_file])
def test_what_changed_is_asked_again(file: Path, change: Callable[[Path], None]) -> None:
    asked = Asked()
    length = Remembered(asked, -1)
    assert [length(file), length(file)] == [3, 3]
    assert asked.n == 1
    change(file)
    assert length(file) == len(file.read_bytes())
    assert asked.n == 2


@pytest.mark.parametrize("problem", [OSError(), InputError("is away", kind="io")])
def test_no_answer_is_not_remembered(file: Path, problem: Exception) -> None:
    asked = Asked()
    length = Remembered(asked, -1)
    asked.problem = problem
    assert [length(file), length(file)] == [-1, -1]
    asked.problem = None
    assert length(file) == 3
    asked.problem = problem  # what is known does not go with it
    assert length(file) == 3


def test_what_a_look_did_not_ask_about_is_forgotten(file: Path) -> None:
    other = file.with_name("other")
    other.write_bytes(b"12345")
    asked = Asked()
    length = Remembered(asked, -1)
    for _ in range(3):
        assert [length(file), length(other)] == [3, 5]
        length.end_look()
    assert asked.n == 2
    assert length(file) == 3
    length.end_look()
    assert [length(file), length(other)] == [3, 5]
    assert asked.n == 3  # about the other one


def test_nothing_is_said_of_what_is_not_there(tmp_path: Path) -> None:
    asked = Asked()
    assert Remembered(asked, -1)(tmp_path / "absent") == -1
    assert asked.n == 0
