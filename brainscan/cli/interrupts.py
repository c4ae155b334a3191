"""What ends a command: Ctrl-C, and SIGTERM as a scheduler or ``timeout`` sends it."""

from __future__ import annotations

import _thread
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from brainscan.cli.entry import end_at_once

_IMPORTS = "<frozen importlib._bootstrap>"
_RING_S = 0.05
_MOST_RINGS = 200
_USUAL = {signal.SIGINT: (signal.default_int_handler, end_at_once), signal.SIGTERM: (signal.SIG_DFL,)}


@contextmanager
def interruptible() -> Iterator[None]:
    """Let both end a command the same way: tables written, all tidy.

    An interrupt that falls into an import waits for its end: libraries turn it into errors of their own there, or lose
    it. A second one, or ten seconds, and it does not wait. A handler that is neither Python's nor ours is somebody's
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
    try:
        yield
        if patient.waits:
            raise KeyboardInterrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Patient:
    """A handler that raises `KeyboardInterrupt`, but not in the middle of an import.

    Attributes
    ----------
    waits : bool
        Whether one is still to be raised.
    """

    def __init__(self) -> None:
        self.waits = False
        self._rung = False
        self._n_rings = 0

    def __call__(self, _number: int, frame: FrameType | None) -> None:
        rung, self._rung = self._rung, False
        if _is_importing(frame) and self._n_rings < _MOST_RINGS and rung == self.waits:
            self.waits = True
            self._n_rings += 1
            _thread.start_new_thread(self._ring, ())  # takes no lock, as `threading` would, that an import may hold
            return
        self.waits = False
        raise KeyboardInterrupt

    def _ring(self) -> None:
        time.sleep(_RING_S)
        if self.waits:
            self._rung = True
            _thread.interrupt_main(signal.SIGTERM)


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == _IMPORTS:
            return True
        frame = frame.f_back
    return False
