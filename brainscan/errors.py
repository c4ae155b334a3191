"""What can go wrong through no fault of ours: one tree, each with hint, kind and exit code.

Pure functions raise ``ValueError``; whatever a *user* can cause becomes a `BrainscanError` at the edge.
The command line catches only this tree, so a traceback always means a defect of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

InputKind = Literal["header", "empty", "corrupt", "no_eeg", "electrodes", "calibration", "signal", "io"]


class BrainscanError(Exception):
    """Base of every error that a user can cause.

    Parameters
    ----------
    message : str
        One line: cause, and in brackets what was seen. No patient fields.
    hint : str
        One line: what to do.
    file : str
        The file in question, as it shall be shown; empty if there is none.
    """

    exit_code: int = 1
    kind: str = "defect"
    reported: bool = False
    """Whether the command has printed its own JSON document about it."""

    def __init__(self, message: str, *, hint: str = "", file: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.file = file

    def __str__(self) -> str:
        """Return the line a terminal shows, without the leading ``error:``."""
        where = f"{self.file}: " if self.file else ""
        what = f"{where}{self.message}"
        stop = "" if what.endswith(("?", "!", ".")) else "."
        line = f"{what}{stop} hint: {self.hint}" if self.hint else what
        return printable(" ".join(line.split()))

    def as_mapping(self) -> dict[str, str]:
        """Return the fixed JSON form of docs/definitions.md."""
        where = f"{self.file}: " if self.file else ""
        return {"kind": self.kind, "message": f"{where}{self.message}", "hint": self.hint}

    def __reduce__(self) -> tuple[Any, ...]:
        """Let errors pass between processes, although their constructors take keywords."""
        return _restored, (type(self), dict(self.__dict__))


def _restored(kind: type[BrainscanError], state: dict[str, Any]) -> BrainscanError:
    error = kind.__new__(kind, state["message"])
    error.__dict__.update(state)
    return error


class UsageError(BrainscanError):
    """The command was called in a way that cannot work."""

    exit_code = 2
    kind = "usage"


class MissingExtraError(BrainscanError):
    """A command or option needs an optional package that is not installed."""

    exit_code = 2
    kind = "extra"

    def __init__(self, what: str, extra: str, *, file: str = "") -> None:
        super().__init__(f"{what} needs the extra '{extra}'", hint=f'pip install "brainscan[{extra}]"', file=file)


class InputError(BrainscanError):
    """An input file cannot be used.

    Parameters
    ----------
    kind : str
        One of the ``error_kind`` words: header, empty, corrupt, no_eeg, electrodes, calibration, signal, io.
    """

    exit_code = 3

    def __init__(self, message: str, *, kind: InputKind, hint: str = "", file: str = "") -> None:
        super().__init__(message, hint=hint, file=file)
        self.kind = kind


class ModelError(BrainscanError):
    """A checkpoint is absent, damaged or does not fit."""

    exit_code = 4
    kind = "model"


class OutputError(BrainscanError):
    """An output cannot be written, or would overwrite something."""

    exit_code = 5
    kind = "output"


class PartialFailureError(BrainscanError):
    """Several inputs, and at least one failed; the others are done."""

    exit_code = 6
    kind = "partial"


@dataclass(frozen=True, slots=True)
class Failure:
    """One of several inputs that could not be used, and why; the others are.

    Parameters
    ----------
    file : str
        As it is shown.
    error : BrainscanError
    facts : mapping
        What else is to be told of it, as plain JSON values.
    """

    file: str
    error: BrainscanError
    facts: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def message(self) -> str:
        """What went wrong, with the file that it went wrong with."""
        return self.error.as_mapping()["message"]

    def as_mapping(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"file": self.file, **self.facts, **self.error.as_mapping()}


def printable(text: str) -> str:
    """Return a text without control characters: file names and labels may hold some, and a terminal must not obey."""
    return "".join(c if c.isprintable() else "?" for c in text)


def reason_of(problem: OSError) -> str:
    """Return what the system says of a failure, for the brackets of a message: ``permission denied``."""
    return (problem.strerror or type(problem).__name__).lower()
