"""What a worker of a cluster runs: one task, with a job that its process keeps."""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from brainscan._version import __version__
from brainscan.analysis.job import Job, Listener
from brainscan.analysis.lazy_detector import LazyDetector
from brainscan.analysis.outcome import Outcome
from brainscan.analysis.task import Task
from brainscan.errors import UsageError
from brainscan.io.atomic import TEMPORARY_PREFIX, TEMPORARY_SUFFIX
from brainscan.scan.executor import MOST_DEATHS, Work, attempt, killer


@dataclass(frozen=True)
class Orders:
    """What every worker is told.

    Parameters
    ----------
    work : Work
    out : Path
        Folder of the scan's outputs; absolute.
    run : str
        Names one run of a scan.
    version, model : str
        Of brainscan, and the checksum of the model, as the client has them: results of others would not be resumed.
    """

    work: Work
    out: Path
    run: str
    version: str
    model: str

    @classmethod
    def of(cls, work: Work, out: Path) -> Orders:
        """Return the orders of a new run; each task on one thread, unless the user chose."""
        run = replace(work.options.run, threads=work.options.run.threads or 1)
        work = replace(work, options=replace(work.options, run=run))
        return cls(work, out, secrets.token_hex(4), __version__, LazyDetector.open(work.options).card.sha256)

    def remove_marks(self) -> None:
        """Remove what workers that died have left."""
        for mark in self.out.glob(f"{TEMPORARY_PREFIX}{self.run}-*{TEMPORARY_SUFFIX}"):
            with suppress(OSError):
                mark.unlink()


_kept = threading.local()  # a detector is not for several threads


def analyse(orders: Orders, task: Task) -> Outcome:
    """Do one task; called by a worker of the cluster.

    Raises
    ------
    UsageError, ModelError
        If this worker cannot do any: another brainscan, another model.
    """
    job = _job(orders)
    with _marked(orders, task) as n_deaths:
        if n_deaths >= MOST_DEATHS:
            return killer(task, "on the cluster")
        return attempt(job.run, task)


def _job(orders: Orders) -> Job:
    if getattr(_kept, "orders", None) != orders:
        if orders.version != __version__:
            raise UsageError(
                f"a worker of the cluster has brainscan {__version__}, and this is {orders.version}",
                hint="install the same version on all machines",
            )
        job = orders.work.job(Listener())
        if LazyDetector.open(orders.work.options).card.sha256 != orders.model:
            raise UsageError("a worker of the cluster finds another model at that path", hint="give all the same one")
        _kept.orders, _kept.job = orders, job
    held: Job = _kept.job
    return held


@contextmanager
def _marked(orders: Orders, task: Task) -> Iterator[int]:
    """Leave a mark that stays if this process dies; yield how many have stayed before."""
    name = hashlib.sha256(os.fsencode(task.path)).hexdigest()[:16]
    marks = [orders.out / f"{TEMPORARY_PREFIX}{orders.run}-{name}-{n}{TEMPORARY_SUFFIX}" for n in range(MOST_DEATHS)]
    n_deaths = sum(mark.exists() for mark in marks)
    mark = marks[min(n_deaths, MOST_DEATHS - 1)]
    if n_deaths < MOST_DEATHS:
        with suppress(OSError):  # told where the results cannot be written either
            mark.touch()
    try:
        yield n_deaths
    finally:
        with suppress(OSError):
            mark.unlink()
