"""Answers about files that are asked for again and again: a file is opened anew only when it has changed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from brainscan.errors import InputError

Answer = TypeVar("Answer")


class Stamp(NamedTuple):
    """What changes with a file: its size, its times, and which file it is at all."""

    n_bytes: int
    modified_ns: int
    changed_ns: int
    inode: int

    @classmethod
    def of(cls, state: os.stat_result) -> Stamp:
        """Take it: the time of the last change of the inode cannot be set back, as that of its content can."""
        return cls(state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino)


class Remembered(Generic[Answer]):
    """A question about a file's content, with the answers it got.

    Parameters
    ----------
    ask : callable
        ``path -> answer``; an `InputError` or `OSError` is no answer, and is asked again.
    unknown : Answer
        What is said of a file that cannot be read.
    """

    def __init__(self, ask: Callable[[Path], Answer], unknown: Answer) -> None:
        self._ask, self._unknown = ask, unknown
        self._told: dict[Path, tuple[Stamp, Answer]] = {}
        self._before: dict[Path, tuple[Stamp, Answer]] = {}

    def __call__(self, path: Path) -> Answer:
        """Return the answer."""
        try:
            stamp = Stamp.of(path.stat())  # before it is opened: what changes meanwhile is asked again
            told = self._told.get(path) or self._before.get(path)
            answer = told[1] if told is not None and told[0] == stamp else self._ask(path)
        except (InputError, OSError):
            return self._unknown
        self._told[path] = stamp, answer
        return answer

    def end_look(self) -> None:
        """Forget the files that nobody asked about since this was last called: they are gone."""
        self._before, self._told = self._told, {}
