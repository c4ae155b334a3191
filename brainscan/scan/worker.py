"""A process that analyses what it is sent: loads the network once, reports, and outlives no parent."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING

from brainscan.errors import BrainscanError

if TYPE_CHECKING:
    from brainscan.analysis.outcome import Outcome
    from brainscan.analysis.task import Task
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


class Stopped(Exception):
    """The parent wants no more."""


class _Defect(BrainscanError):
    """A defect of ours that one recording met."""


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


def attempt(run: Callable[[Task], Outcome], task: Task) -> Outcome:
    """Do one task; a defect of ours fails that recording alone.

    Raises
    ------
    MemoryError
        If memory was refused, by Python or by PyTorch.
    Stopped, BrainscanError
        As `run` does.
    """
    from brainscan.scan.executor import without_detection

    try:
        return without_detection(run(task))
    except (BrainscanError, Stopped, MemoryError):
        raise
    except Exception as problem:
        if isinstance(problem, RuntimeError) and "allocate memory" in str(problem):
            raise MemoryError from problem
        return _defect(task, problem)


def _defect(task: Task, problem: Exception) -> Outcome:
    from brainscan.analysis.outcome import Outcome

    traceback.print_exception(problem, file=sys.stderr)
    error = _Defect(
        f"a defect of brainscan ({type(problem).__name__})",
        file=task.shown,
        hint="please report it with the lines that were printed; the other recordings are not touched by it",
    )
    return Outcome(task.shown, "failed", error=error)
