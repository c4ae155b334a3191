"""Who does the tasks of a scan: one interface, whether here, in processes beside us or on other machines."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from brainscan.analysis.fetch import at_hand
from brainscan.analysis.job import Job
from brainscan.analysis.job import Listener as JobListener
from brainscan.analysis.lazy_detector import LazyDetector, Loaded, no_matter
from brainscan.analysis.options import AnalysisOptions
from brainscan.analysis.outcome import Outcome
from brainscan.analysis.task import Task
from brainscan.errors import BrainscanError, InputError

MOST_DEATHS = 2
"""A recording that so many workers died of is not tried again in that run."""


@dataclass(frozen=True, slots=True)
class Work:
    """How every recording of a scan is analysed: what a worker is told once, wherever it is.

    Parameters
    ----------
    options : AnalysisOptions
    anonymous, force, keep_patient : bool
        As of `brainscan.analysis.job.Job`.
    n_recordings : int or None
        How many there are, where that is known: more workers would have nothing to do.
    """

    options: AnalysisOptions
    anonymous: bool = False
    force: bool = False
    keep_patient: bool = False
    n_recordings: int | None = None

    def job(self, listener: JobListener, model: LazyDetector | None = None, loaded: Loaded = no_matter) -> Job:
        """Return the job; the network is loaded for the first recording that needs it, and then kept."""
        return Job(
            options=self.options,
            model=model or LazyDetector.open(self.options, listener.note, loaded),
            anonymous=self.anonymous,
            force=self.force,
            keep_patient=self.keep_patient,
            resume=True,
            listener=listener,
        )


@dataclass(frozen=True, slots=True)
class Ended:
    """A task that is over.

    Parameters
    ----------
    task : Task
    outcome : Outcome or None
        None: whoever did it died of it, or with it.
    cause : str
        How it died.
    """

    task: Task
    outcome: Outcome | None
    cause: str = ""


class Executor(Protocol):
    """Does tasks; not for several threads at once."""

    @property
    def places(self) -> int:
        """How many tasks may be with it at a time."""

    def submit(self, task: Task) -> None:
        """Take a task.

        Raises
        ------
        BrainscanError
            What concerns every recording: a model that cannot be loaded, workers that cannot be started.
        """

    def ended(self, timeout_s: float) -> Sequence[Ended]:
        """Wait until a task has ended, but not longer than so many seconds, and return those that have.

        Raises
        ------
        BrainscanError
            As `submit`.
        """

    def finish(self) -> Sequence[Ended]:
        """Stop as soon as what is being written is whole; return the tasks that have ended so."""

    def close(self) -> None:
        """Let go of all workers, whatever they do."""


Start = Callable[[Work, JobListener], Executor]
"""Makes an executor ready."""


@dataclass(slots=True)
class Here:
    """Does the tasks in this very process, one after the other; what kills it ends the scan."""

    job: Job
    places: int = 1
    _ended: list[Ended] = field(default_factory=list)

    def submit(self, task: Task) -> None:
        """Do the task now."""
        self._ended.append(Ended(task, done(self.job.run, task)))

    def ended(self, timeout_s: float) -> Sequence[Ended]:
        """Return what was done since the last call."""
        ended, self._ended = self._ended, []
        return ended

    def finish(self) -> Sequence[Ended]:
        """Return what was done since the last call: the rest was interrupted."""
        return self.ended(0.0)

    def close(self) -> None:
        """There is nothing to let go of."""


class Stopped(Exception):
    """Nobody wants the result any more."""


class DefectError(BrainscanError):
    """A defect of ours that one recording met."""


def attempt(run: Callable[[Task], Outcome], task: Task) -> Outcome:
    """Do one task; a defect of ours fails that recording alone.

    Raises
    ------
    MemoryError
        If memory was refused, by Python or by PyTorch.
    Stopped, BrainscanError
        As `run` does.
    """
    try:
        return done(run, task)
    except (BrainscanError, Stopped, MemoryError):
        raise
    except Exception as problem:
        if isinstance(problem, RuntimeError) and "allocate memory" in str(problem):
            raise MemoryError from problem
        return _defect(task, problem)


def _defect(task: Task, problem: Exception) -> Outcome:
    traceback.print_exception(problem, file=sys.stderr)
    error = DefectError(
        f"a defect of brainscan ({type(problem).__name__})",
        file=task.shown,
        hint="please report it with the lines that were printed; the other recordings are not touched by it",
    )
    return Outcome(task.shown, "failed", error=error)


def killer(task: Task, cause: str) -> Outcome:
    """Return the outcome of a recording that workers died of."""
    error = InputError(
        f"{MOST_DEATHS} worker processes died of it ({cause})",
        kind="io",
        file=task.shown,
        hint="run `brainscan detect` on it alone, with enough memory, and please report it if that dies, too",
    )
    return Outcome(task.shown, "failed", error=error)


def done(run: Callable[[Task], Outcome], task: Task) -> Outcome:
    """Do one task, wherever its recording is; return an outcome that a scan can keep and send thousands of."""
    try:
        with at_hand(task) as local:
            return replace(run(local), detection=None)
    except InputError as error:  # of fetching; those of the analysis are outcomes
        error.file = task.shown
        return Outcome(task.shown, "failed", error=error)
