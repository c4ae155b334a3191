"""Who does the tasks of a scan: one interface, whether here, in processes beside us or on other machines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from brainscan.analysis.job import Job
from brainscan.analysis.job import Listener as JobListener
from brainscan.analysis.lazy_detector import LazyDetector, Loaded, no_matter
from brainscan.analysis.options import AnalysisOptions
from brainscan.analysis.outcome import Outcome
from brainscan.analysis.task import Task


@dataclass(frozen=True, slots=True)
class Work:
    """How every recording of a scan is analysed: what a worker is told once, wherever it is.

    Parameters
    ----------
    options : AnalysisOptions
    anonymous, force, keep_patient : bool
        As of `brainscan.analysis.job.Job`.
    """

    options: AnalysisOptions
    anonymous: bool = False
    force: bool = False
    keep_patient: bool = False

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
        self._ended.append(Ended(task, without_detection(self.job.run(task))))

    def ended(self, timeout_s: float) -> Sequence[Ended]:
        """Return what was done since the last call."""
        ended, self._ended = self._ended, []
        return ended

    def finish(self) -> Sequence[Ended]:
        """Return what was done since the last call: the rest was interrupted."""
        return self.ended(0.0)

    def close(self) -> None:
        """There is nothing to let go of."""


def without_detection(outcome: Outcome) -> Outcome:
    """Return an outcome that a scan can keep thousands of, and that is quickly sent."""
    return replace(outcome, detection=None)
