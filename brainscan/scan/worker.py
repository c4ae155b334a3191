"""A process that analyses what it is sent: loads the network once, reports, and outlives no parent."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING

from brainscan.errors import BrainscanError

if TYPE_CHECKING:
    from brainscan.scan.executor import Work

OUT_OF_MEMORY = 77
"""Exit code of a worker that was refused memory: what it holds by then may be anything."""

_TELL_S = 0.2


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a worker is in a recording."""

    file: str
    at_s: float
    duration_s: float


@dataclass(frozen=True, slots=True)
class Note:
    """What is to be said to the user."""

    text: str


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker has begun to listen."""


@dataclass(frozen=True, slots=True)
class Useless:
    """The worker cannot work at all."""

    error: BrainscanError


def main(connection: Connection, work: Work) -> None:
    """Do what arrives until nothing does.

    Parameters
    ----------
    connection : Connection
        Tasks come in; `Ready`, `Progress`, `Note`, `Useless` and, once a task, an `Outcome` or None go out.
    work : Work
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent's to handle
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        _serve(connection, work)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        os._exit(1)  # nobody listens any more
    except MemoryError:
        os._exit(OUT_OF_MEMORY)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _serve(connection: Connection, work: Work) -> None:
    from brainscan.analysis.job import Listener
    from brainscan.scan.executor import Stopped, attempt

    told_at = 0.0

    def progress(file: str, at_s: float, duration_s: float) -> None:
        nonlocal told_at
        if connection.poll():
            raise Stopped  # detecting; what is being written hears of no progress, and so gets finished
        now = time.monotonic()
        if now - told_at >= _TELL_S or not at_s:
            told_at = now
            connection.send(Progress(file, at_s, duration_s))

    listener = Listener(progress, lambda text: connection.send(Note(text)))
    try:
        job = work.job(listener)
    except BrainscanError as error:
        connection.send(Useless(error))
        return
    connection.send(Ready())
    while (task := connection.recv()) is not None:
        try:
            outcome = attempt(job.run, task)
        except Stopped:
            connection.send(None)
            continue
        except BrainscanError as error:
            connection.send(Useless(error))
            return
        connection.send(outcome)
