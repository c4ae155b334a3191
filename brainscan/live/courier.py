"""Delivers what waits in an outbox, beside the stream: a webhook that is down holds nothing up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from brainscan.errors import OutputError
from brainscan.live.outbox import Outbox

Send = Callable[[str, Mapping[str, Any]], str]
"""``(name, document) -> problem``: empty where it was delivered; raises `RefusedError` where it never will be."""

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0


class RefusedError(Exception):
    """The receiver will not take this document, however often it is sent."""


class Courier:
    """A thread that delivers, in order, each document until it is taken.

    Parameters
    ----------
    outbox : Outbox
    send : callable
    note : callable
        Hears of what cannot be delivered, once a trouble.
    first_pause_s : float
        Before the second try; each further pause is twice as long, up to a minute.
    """

    def __init__(
        self, outbox: Outbox, send: Send, note: Callable[[str], None], first_pause_s: float = FIRST_PAUSE_S
    ) -> None:
        self._outbox = outbox
        self._send = send
        self._note = note
        self._first_pause_s = first_pause_s
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="brainscan-courier", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Say that there is something to deliver."""
        self._wake.set()

    def close(self, within_s: float) -> int:
        """Deliver what can be delivered in so many seconds; return how much waits on disk then."""
        until = time.monotonic() + within_s
        while self._outbox.waiting() and self._thread.is_alive() and time.monotonic() < until:
            time.sleep(0.05)
        self._closing.set()
        self._wake.set()
        self._thread.join(timeout=max(until - time.monotonic(), 0.0) + 1.0)
        return len(self._outbox.waiting())

    def _run(self) -> None:
        pause_s, trouble = self._first_pause_s, ""
        try:
            while not self._closing.is_set():
                waiting = self._outbox.waiting()
                if not waiting:
                    self._wake.wait()
                    self._wake.clear()
                    continue
                problem = self._deliver(*waiting[0])
                if not problem:
                    pause_s, trouble = self._first_pause_s, ""
                    continue
                if problem != trouble:
                    trouble = problem
                    self._note(f"{problem}: {len(waiting)} wait, tried again")
                self._closing.wait(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        except OutputError as error:  # a full disk: the stream goes on, and what waits is sent by its next start
            self._note(f"{error}: nothing more is delivered")

    def _deliver(self, name: str, document: Mapping[str, Any]) -> str:
        try:
            problem = self._send(name, document)
        except RefusedError as refusal:
            self._note(f"{refusal}: {name} is given up")
            problem = ""
        if not problem:
            self._outbox.done(name)
        return problem
