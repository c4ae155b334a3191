"""One analysis: check, read, detect, write, say what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from brainscan.analysis.lazy_detector import LazyDetector
from brainscan.analysis.options import AnalysisOptions
from brainscan.analysis.outcome import Outcome
from brainscan.analysis.task import Target, Task
from brainscan.detection import Detection
from brainscan.detector import DetectOptions, Detector
from brainscan.errors import BrainscanError, InputError
from brainscan.examine import provenance
from brainscan.io import read
from brainscan.io.annotations import losses
from brainscan.io.atomic import make_folder
from brainscan.io.content import Content
from brainscan.io.event_formats import origin_of
from brainscan.io.guard import check_place, protect
from brainscan.io.origin import Origin
from brainscan.io.outputs import anonymised, guard, is_copy_of, pieces, write
from brainscan.recording import Recording


def _no_progress(file: str, at_s: float, duration_s: float) -> None:
    return None


def _no_note(text: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Listener:
    """Who hears of an analysis' course.

    Parameters
    ----------
    progress : callable
        ``(file, at_s, duration_s)`` within a recording.
    note : callable
        ``(text)``: what was understood, such as the moment that a clock time means.
    """

    progress: Callable[[str, float, float], None] = field(default=_no_progress)
    note: Callable[[str], None] = field(default=_no_note)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A recording that can be analysed, and may be: nothing stands in the way of its outputs."""

    recording: Recording
    options: DetectOptions
    replaced: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """How recordings are analysed; every recording is a `Task` of its own.

    Parameters
    ----------
    options : AnalysisOptions
    model : LazyDetector
        Loaded for the first recording that nothing stands in the way of.
    anonymous : bool
        Outputs and messages carry hashes instead of names.
    force : bool
        Replace files that brainscan did not write for this recording with these settings.
    resume : bool
        Skip what is done, and do again what was made with other settings, which is refused otherwise.
    keep_patient : bool
        Copies of recordings say whose they are.
    stream : binary file or None
        For targets without a file.
    listener : Listener
    """

    options: AnalysisOptions
    model: LazyDetector
    anonymous: bool = False
    force: bool = False
    resume: bool = False
    keep_patient: bool = False
    stream: BinaryIO | None = None
    listener: Listener = field(default_factory=Listener)

    def run(self, task: Task) -> Outcome:
        """Analyse one recording.

        Returns
        -------
        Outcome
            A failure where the recording or its outputs cannot be used.

        Raises
        ------
        ModelError, UsageError, MissingExtraError
            If the model cannot be loaded, which concerns every recording.
        """
        try:
            prepared = self._prepare(task)
        except BrainscanError as error:
            return self._failed(task, error)
        if isinstance(prepared, Outcome):
            return prepared
        detector = self.model.detector()
        try:
            return self._finish(task, prepared, detector)
        except BrainscanError as error:
            return self._failed(task, error)

    def _prepare(self, task: Task) -> Prepared | Outcome:
        """Check whatever can be checked without the network."""
        recording = read(task.path)
        self.check(task, recording)
        options, said = self.options.for_recording(recording, curves=task.wants_curves, trends=task.wants_trends)
        options = replace(options, place=bool(task.targets))
        for text in said:
            self.listener.note(f"{task.shown}: {text}")
        existing = [file for file in task.files if file.is_file()]
        if self.force or not existing:
            return Prepared(recording, options)
        wanted = Origin(_sha256(recording), provenance(self.model.card, self.model.decision, options))
        origins = {file: origin_of(file) for file in existing}
        same = {file for file, origin in origins.items() if origin is not None and origin.same_analysis(wanted)}
        if self.resume and same == set(existing):
            with suppress(InputError):  # a damaged one is ours to write again
                if (done := _done_already(task, same)) is not None:
                    return done
        for file in existing:
            guard(file, wanted, any_settings=self.resume)
        return Prepared(recording, options, tuple(file for file in existing if file not in same))

    def _finish(self, task: Task, prepared: Prepared, detector: Detector) -> Outcome:
        """Detect and write."""
        recording, tell = prepared.recording, self.listener.progress
        if not task.checksum:
            recording = replace(recording, sha256=None)
        tell(task.shown, 0.0, recording.duration_s)
        detection = detector.detect(
            recording, prepared.options, lambda at_s: tell(task.shown, at_s, recording.duration_s)
        )
        replaced: tuple[str, ...] = ()
        if prepared.replaced:
            replaced = (f"replaced, made with other settings: {', '.join(path.name for path in prepared.replaced)}",)
        return self.deliver(task, detection, recording, replaced)

    def check(self, task: Task, recording: Recording) -> None:
        """Refuse outputs that this recording cannot have, or that would be written over an input.

        Raises
        ------
        OutputError, UsageError
        """
        task.require(recording)
        for target in task.targets:
            target.format.check(recording, target.path)
        for file in task.files:
            protect(file, task.inputs or (task.path,), lambda path: is_copy_of(path, _sha256(recording)))
            check_place(file)

    def deliver(
        self, task: Task, detection: Detection, recording: Recording | None, remarks: tuple[str, ...] = ()
    ) -> Outcome:
        """Write what was found in every format that is asked for.

        Parameters
        ----------
        task : Task
        detection : Detection
        recording : Recording or None
            For formats that hold its samples, or draw them.
        remarks : tuple of str
            What else is to be said of writing it.

        Raises
        ------
        OutputError
            If a file cannot be written, or its format cannot express it.
        """
        if self.anonymous:
            detection = anonymised(detection)
        content = Content.of(detection, recording, keep_patient=self.keep_patient)
        wanted = [target for target in task.targets if detection.events or not target.if_events]
        for target in wanted:
            self._write(content, target)
        for target in task.targets:
            if target.path is not None and target not in wanted:
                target.path.unlink(missing_ok=True)  # of other settings, which found some
        lost = [text for target in wanted for text in losses(content.file, target.format.name)]
        kept = detection if task.keep_curves else without_curves(detection)
        return Outcome.done(task.shown, _paths(wanted), kept, (*lost, *remarks))

    def _write(self, content: Content, target: Target) -> None:
        if target.path is not None:
            if target.path.parent != Path():
                make_folder(target.path.parent)
            write(content, target.path, target.format)
        elif self.stream is not None:
            self.stream.writelines(pieces(content, target.format))
            self.stream.flush()

    def _failed(self, task: Task, error: BrainscanError) -> Outcome:
        """Return a failure that calls the recording by the name that results have for it."""
        return Outcome(task.shown, "failed", error=task.named(error, anonymous=self.anonymous))


def _paths(targets: Iterable[Target]) -> tuple[Path, ...]:
    return tuple(target.path for target in targets if target.path is not None)


def _done_already(task: Task, there: set[Path]) -> Outcome | None:
    """Return the outcome of an earlier run, None if a file of it is missing.

    Raises
    ------
    InputError
        If the first file is damaged.
    """
    always = [target for target in task.targets if not target.if_events]
    if not there.issuperset(_paths(always)):
        return None
    outcome = Outcome.skipped(task.shown, _paths(always), tuple(target.format.name for target in always))
    if not outcome.events or len(always) == len(task.targets):
        return outcome
    return Outcome.skipped(task.shown, task.files, task.formats) if there.issuperset(task.files) else None


def _sha256(recording: Recording) -> str:
    return recording.sha256() if recording.sha256 else ""


def without_curves(detection: Detection) -> Detection:
    """Return a detection that a scan can keep thousands of."""
    return replace(detection, probabilities=(), trends=None)
