"""What stands in for the analysis in worker processes: loudness instead of a network, and recordings that kill."""

from __future__ import annotations

import gc
import os
import signal
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from brainscan.analysis.job import Job, Listener
from brainscan.analysis.lazy_detector import LazyDetector, Loaded, no_matter
from brainscan.analysis.options import AnalysisOptions
from brainscan.analysis.outcome import Outcome
from brainscan.analysis.task import Task
from brainscan.detector import Detector
from brainscan.errors import ModelError
from brainscan.io.atomic import TEMPORARY_PREFIX, TEMPORARY_SUFFIX
from brainscan.scan.executor import Work
from tests.stand_ins import LoudnessRunner, quick


def loud() -> Detector:
    """Return a detector for which everything is ictal."""
    return Detector(LoudnessRunner(half_uv=0.0), quick(min_duration_s=0.0))


@dataclass(frozen=True)
class Moody:
    """A job whose recordings' names say what they do to whoever opens them; each attempt leaves a mark beside them."""

    job: Job

    def run(self, task: Task) -> Outcome:
        if task.path.stem == "writing":
            outcome = self.job.run(task)
            _mark(task.path)
            time.sleep(1.0)
            return outcome
        word = task.path.stem.rstrip("0123456789")
        first = _mark(task.path)
        if word == "once" and first:  # dies while it writes
            (task.files[0].parent / f"{TEMPORARY_PREFIX}0{TEMPORARY_SUFFIX}").touch()
        if word == "segfault" or (word == "once" and first):
            os.kill(os.getpid(), signal.SIGSEGV)
        if word == "dozing":
            time.sleep(0.3)
        if word == "greedy":
            raise MemoryError
        if word == "refused":
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate ...")
        if word == "defect":
            raise ZeroDivisionError
        if word == "model":
            raise ModelError("is damaged", file="weights")
        if word == "detecting":
            for at_s in range(10_000):
                self.job.listener.progress(task.shown, float(at_s), 10_000.0)
                time.sleep(0.01)
        return self.job.run(task)


@dataclass(frozen=True, slots=True)
class LoudWork(Work):
    """Work without a network, for children that shall start quickly."""

    options: AnalysisOptions = field(default_factory=AnalysisOptions)

    def job(self, listener: Listener, model: LazyDetector | None = None, loaded: Loaded = no_matter) -> Any:
        return Moody(Work.job(self, listener, LazyDetector.ready(loud())))


def let_go() -> None:
    """Collect the sockets that servers and clients of third parties leave open."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def _mark(path: Path) -> bool:
    """Leave a mark; return whether it is the first."""
    before = len(attempts(path))
    (path.parent / f".{path.name}.{before}").write_text(str(os.getpid()), encoding="ascii")
    return not before


def attempts(path: Path) -> list[int]:
    """Return the process of each attempt at a recording."""
    marks = sorted(path.parent.glob(f".{path.name}.*"))
    return [int(mark.read_text("ascii") or 0) for mark in marks]
