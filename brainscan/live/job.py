"""One stream from source to files: what is checked first, what is written at the end."""

from __future__ import annotations

from brainscan.analysis.job import Job
from brainscan.analysis.outcome import Outcome
from brainscan.analysis.task import Task
from brainscan.errors import OutputError, UsageError
from brainscan.examine import DetectOptions, provenance
from brainscan.io.guard import check_place, protect
from brainscan.io.origin import Origin
from brainscan.io.outputs import guard
from brainscan.live.pace import Pace
from brainscan.live.source import Source
from brainscan.live.stream import Ears, Stream, StreamConfig
from brainscan.recording import Recording


def options_of(job: Job, task: Task) -> DetectOptions:
    """Return how the windows of a stream are made."""
    asked = job.options
    return DetectOptions(
        channel_map=asked.channel_map,
        max_missing=asked.max_missing,
        keep_probabilities=task.wants_curves,
        keep_trends=task.wants_trends,
    )


def check_outputs(job: Job, task: Task, finished: Recording | None) -> None:
    """Refuse, before any work, outputs that could not be written at the end.

    Parameters
    ----------
    job : Job
    task : Task
    finished : Recording or None
        Where it does not grow; its results of the same settings may be written again.

    Raises
    ------
    OutputError
        If a place cannot be written, or holds something that must not be replaced.
    UsageError
        If it is an input.
    """
    for file in task.files:
        protect(file, task.inputs)
        check_place(file)
    if finished is not None:
        job.check(task, finished)
    if job.force:
        return
    sha256 = "" if finished is None or finished.sha256 is None else finished.sha256()
    wanted = Origin(sha256, provenance(job.model.card, job.model.decision, options_of(job, task)))
    for file in task.files:
        guard(file, wanted)


def check_without_file(task: Task, what: str) -> None:
    """Refuse formats that hold the recording itself, where nothing keeps its samples.

    Raises
    ------
    UsageError
    """
    for target in task.targets:
        if "recording" in target.format.holds:
            raise UsageError(
                f"--format {target.format.name} is a copy of a recording, and a feed ({what}) leaves none",
                hint="edf-annotations holds the events alone",
            )


def run_stream(job: Job, task: Task, source: Source, config: StreamConfig, ears: Ears, pace: Pace) -> Outcome:
    """Follow a source to its end, then write what `detect` writes.

    Raises
    ------
    BrainscanError
        If the source, the model or an output cannot be used.
    """
    detection = Stream(job.model.detector(), source, config, ears, pace).run()
    recording = _at_hand(source, task)
    if not job.force:
        wanted = Origin(detection.sha256, provenance(job.model.card, job.model.decision, config.options))
        for file in task.files:
            guard(file, wanted)
    return job.deliver(task, detection, recording)


def _at_hand(source: Source, task: Task) -> Recording | None:
    """Return the finished recording for formats that hold or draw its samples; None where they are gone."""
    finished = source.finished()
    if finished.sha256 is not None:
        return finished
    for target in task.targets:
        if "recording" in target.format.holds:
            raise OutputError(
                f"cannot be copied into {target.format.name}: it was not whole when the stream ended",
                file=finished.name,
                hint="`brainscan detect` makes the copy once it is",
            )
    return None
