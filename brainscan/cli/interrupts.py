"""What ends a command: Ctrl-C, and SIGTERM as a scheduler or ``timeout`` sends it."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from brainscan.cli.entry import end_at_once

_IMPORTS = "<frozen importlib._bootstrap>"
_USUAL = {signal.SIGINT: (signal.default_int_handler, end_at_once), signal.SIGTERM: (signal.SIG_DFL,)}


@contextmanager
def interruptible() -> Iterator[None]:
    """Let both end a command the same way: tables written, all tidy.

    An interrupt that falls into an import waits for its end: libraries turn it into errors of their own there, or lose
    it. A second one does not wait. A handler that is neither Python's nor ours is somebody's
    choice and stays; only the main thread may set one.

    Raises
    ------
    KeyboardInterrupt
    """
    unclaimed = [number for number, usual in _USUAL.items() if signal.getsignal(number) in usual]
    if threading.current_thread() is not threading.main_thread():
        unclaimed = []
    patient = _Patient()
    before = {number: signal.signal(number, patient) for number in unclaimed}
    tracer = sys.gettrace()
    try:
        yield
        if patient.waits:
            raise KeyboardInterrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if sys.gettrace() is not tracer:
            sys.settrace(tracer)


class _Patient:
    """A handler that raises `KeyboardInterrupt`, but not in the middle of an import.

    Attributes
    ----------
    waits : bool
        Whether one is still to be raised.
    """

    def __init__(self) -> None:
        self.waits = False

    def __call__(self, _number: int, frame: FrameType | None) -> None:
        importer = _importer(frame)
        if importer is None or self.waits:
            self._raise()
        else:
            self.waits = True
            # Whoever imports is watched, and nobody else: what it does next is done after the import. Python forgets
            # a tracer that raises.
            importer.f_trace = self._heard
            sys.settrace(_unwatched)

    def _heard(self, frame: FrameType, _event: str, _fact: object) -> None:
        frame.f_trace = None
        self._raise()

    def _raise(self) -> NoReturn:
        self.waits = False
        raise KeyboardInterrupt


def _unwatched(_frame: FrameType, _event: str, _fact: object) -> None:
    """Trace nothing of a call."""


def _importer(frame: FrameType | None) -> FrameType | None:
    """Return who began the outermost import that is under way, or None if none is."""
    found = None
    while frame is not None:
        if frame.f_code.co_filename == _IMPORTS:
            found = frame.f_back
        frame = frame.f_back
    return found
