"""Processes beside this one that share nothing but the output folder; one that dies costs its recording alone."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from brainscan.analysis.capacity import Division
from brainscan.analysis.job import Listener
from brainscan.analysis.outcome import Outcome
from brainscan.analysis.task import Task
from brainscan.errors import BrainscanError
from brainscan.scan import worker
from brainscan.scan.executor import Ended, Work
from brainscan.scan.worker import Note, Progress, Ready, Useless

_PATIENCE_S = 60.0
"""For a worker that was asked to stop: far more than any recording takes to be written."""
DEATHS_IN_VAIN = 10
"""So many deaths a worker, and nothing ever done: then it is not the recordings."""
_KILLED = 9  # Windows has no name for it
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class WorkersError(BrainscanError):
    """Worker processes cannot be started or do not stay alive."""

    exit_code = 2
    kind = "usage"


@dataclass(slots=True)
class _Worker:
    process: SpawnProcess
    connection: Connection
    task: Task | None = None
    ready: bool = False


class Processes:
    """So many worker processes, each with so many threads; started when there is work for them.

    Parameters
    ----------
    work : Work
    listener : Listener
    division : Division
    """

    def __init__(self, work: Work, listener: Listener, division: Division) -> None:
        run = replace(work.options.run, threads=division.threads)
        self._work = replace(work, options=replace(work.options, run=run))
        self._listener = listener
        self._division = division
        self._workers: list[_Worker] = []
        self._deaths = 0
        self._ever_done = False

    @property
    def places(self) -> int:
        """One task a worker."""
        return self._division.workers

    def submit(self, task: Task) -> None:
        """Hand a task to a worker that has none."""
        idle = next((w for w in self._workers if w.task is None), None)
        if idle is None:
            idle = self._started()
        idle.task = task
        with suppress(OSError):  # it died, which `ended` will see
            idle.connection.send(task)

    def ended(self, timeout_s: float) -> Sequence[Ended]:
        """Hear what workers say, until one has ended its task or the time is over."""
        found: list[Ended] = []
        ready = wait([w.connection for w in self._workers], timeout_s)
        for one in [w for w in self._workers if w.connection in ready]:
            found += self._heard(one)
        return found

    def finish(self) -> Sequence[Ended]:
        """Ask all to stop, and wait for what is being written."""
        found: list[Ended] = []
        for one in list(self._workers):
            if not one.ready and not _has_spoken(one.connection):  # it is still importing, and would take long to hear
                one.process.kill()
                one.process.join(_PATIENCE_S)
                one.connection.close()
                self._workers.remove(one)
                continue
            with suppress(OSError):
                one.connection.send(None)
        while self._workers:
            ready = wait([w.connection for w in self._workers], _PATIENCE_S)
            if not ready:
                break
            for one in [w for w in self._workers if w.connection in ready]:
                found += [ended for ended in self._heard(one) if ended.outcome is not None]
        return found

    def close(self) -> None:
        """End every worker: kindly if it is idle."""
        for one in self._workers:
            with suppress(OSError):
                one.connection.send(None)
            if one.task is not None:
                one.process.kill()
        for one in self._workers:
            one.process.join(_PATIENCE_S)
            if one.process.is_alive():
                one.process.kill()
                one.process.join()
            one.connection.close()
        self._workers = []

    def _heard(self, one: _Worker) -> Iterator[Ended]:
        """Take one message of a worker, or its end."""
        try:
            said = one.connection.recv()
        except (EOFError, OSError):
            yield from self._buried(one)
            return
        if isinstance(said, Progress):
            self._listener.progress(said.file, said.at_s, said.duration_s)
        elif isinstance(said, Note):
            self._listener.note(said.text)
        elif isinstance(said, Ready):
            one.ready = True
        elif isinstance(said, Useless):
            raise said.error
        else:
            task, one.task = one.task, None
            self._ever_done = True
            if isinstance(said, Outcome) and task is not None:
                yield Ended(task, said)

    def _buried(self, one: _Worker) -> Iterator[Ended]:
        one.process.join(_PATIENCE_S)
        one.connection.close()
        self._workers.remove(one)
        if one.task is None:
            return
        self._deaths += 1
        if not one.ready or (not self._ever_done and self._deaths >= DEATHS_IN_VAIN * self.places):
            what = "die whatever they are given" if one.ready else "cannot be started"
            raise WorkersError(
                f"worker processes {what} ({_cause(one.process.exitcode)})",
                hint="--workers 0 works in this process and shows why; fewer --workers take less memory",
            )
        yield Ended(one.task, None, _cause(one.process.exitcode))

    def _started(self) -> _Worker:
        context = get_context("spawn")  # torch's threads do not survive a fork
        ours, theirs = context.Pipe()
        process = context.Process(target=worker.main, args=(theirs, self._work), daemon=True)
        started = _Worker(process, ours)
        with _no_interrupts(), _environment(self._division.threads):
            process.start()
            theirs.close()  # so that its end is heard
            self._workers.append(started)
        return started


def _has_spoken(connection: Connection) -> bool:
    """Say whether there is a message; on Windows, asking raises where the other end is closed."""
    try:
        return connection.poll()
    except OSError:
        return False


def _cause(code: int | None) -> str:
    if code is None:
        return "it hangs"
    if code == worker.OUT_OF_MEMORY:
        return "out of memory"
    if code == -_KILLED:
        return "killed, perhaps out of memory"
    if code < 0:
        with suppress(ValueError):
            return f"ended by {signal.Signals(-code).name}"
    return f"exit code {code}"


@contextmanager
def _no_interrupts() -> Iterator[None]:
    """Start a child deaf to Ctrl-C, which a terminal sends to all: it could not yet refuse it by itself.

    Here it is heard afterwards: between the start of a child and what it is told, it would leave the child without.
    """
    if not hasattr(signal, "pthread_sigmask") or threading.current_thread() is not threading.main_thread():
        yield
        return
    resource_tracker.ensure_running()  # started within, it would end the blocking
    came: list[int] = []
    # A blocked signal may reach another thread, and then Python's handler runs in this one all the same.
    handlers = {
        number: signal.signal(number, lambda number, _frame: came.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
        if callable(signal.getsignal(number))
    }
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if came:
        signal.raise_signal(came[0])


@contextmanager
def _environment(threads: int) -> Iterator[None]:
    """Let a child's libraries begin with as many threads as it shall have; later they would not listen."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, str(threads)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
