"""`Detector`: a model, ready for recordings; and `detect`, for one in one line."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from brainscan.card import Card, DecisionConfig
from brainscan.cohort import age_warning
from brainscan.detection import Detection
from brainscan.errors import UsageError
from brainscan.events import Probabilities
from brainscan.examine import DetectOptions, Progress, allowed_missing, examine, nothing_scored, rates_of, with_notes
from brainscan.io.reading import as_recording
from brainscan.recording import Recording
from brainscan.session import Session, SessionConfig
from brainscan.signal.montage import ElectrodePlan

if TYPE_CHECKING:
    from mne.io import BaseRaw

    from brainscan.model.inference import WindowRunner
    from brainscan.model.onnx_runner import OnnxRunner
    from brainscan.model.run_config import RunConfig

__all__ = ["DetectOptions", "Detector", "detect"]


class Detector:
    """A model, ready for recordings.

    Parameters
    ----------
    runner : WindowRunner or OnnxRunner
        Network, card and device.
    decision : DecisionConfig, optional
        Instead of the card's.
    notes : tuple of str
        What every detection shall say of that decision, among its warnings.

    Examples
    --------
    >>> import brainscan
    >>> detector = brainscan.Detector.from_pretrained("default")
    >>> detection = detector.detect("examples/sample.edf")
    >>> [(round(e.onset_s), round(e.offset_s)) for e in detection.events]  # doctest: +SKIP
    """

    def __init__(
        self, runner: WindowRunner | OnnxRunner, decision: DecisionConfig | None = None, notes: tuple[str, ...] = ()
    ) -> None:
        self._runner = runner
        self._notes = notes
        self.decision = decision or runner.card.decision

    @classmethod
    def from_pretrained(cls, name_or_path: str | Path = "default", *, run: RunConfig | None = None) -> Self:
        """Load a model: a shipped one's name, a file, a folder in the hub's layout, or an ONNX export.

        Raises
        ------
        ModelError
            If the model is absent, damaged or does not fit.
        MissingExtraError
            If the model needs PyTorch and it is not installed.
        UsageError
            If device or backend cannot be used.
        """
        from brainscan.model.runner import open_runner

        return cls(open_runner(str(name_or_path), run))

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the model into a folder in the hub's layout.

        Raises
        ------
        OutputError
            If the folder cannot be written.
        UsageError
            If the model is an ONNX export, which cannot be turned back.
        """
        from brainscan.model import checkpoint
        from brainscan.model.onnx_runner import OnnxRunner

        if not isinstance(self._runner, OnnxRunner):
            checkpoint.save_folder(Path(folder), self._runner.network, self.card)
        elif self._runner.source is None:
            raise UsageError("an ONNX export cannot be turned back into a checkpoint", file=self.card.name)
        else:
            checkpoint.copy_folder(Path(folder), self._runner.source)

    def __repr__(self) -> str:
        decision = self.decision
        return (
            f"<Detector {self.card.name!r}: {self.backend}, {self.precision},"
            f" on at {decision.enter:g}, off below {decision.leave:g}>"
        )

    @property
    def card(self) -> Card:
        """The model's card."""
        return self._runner.card

    @property
    def runner(self) -> WindowRunner | OnnxRunner:
        """What turns windows into probabilities."""
        return self._runner

    @property
    def backend(self) -> str:
        """What computes the network: ``native``, ``torch``, ``mamba_ssm`` or ``onnx``."""
        return self._runner.backend

    @property
    def place(self) -> str:
        """Where it is computed, for people: ``cuda``, or ``cpu`` with its threads."""
        return self._runner.place

    @property
    def precision(self) -> str:
        """In what matrix products and convolutions are computed, for people."""
        return self._runner.precision

    def with_decision(self, decision: DecisionConfig, notes: tuple[str, ...] = ()) -> Detector:
        """Return the same model with another decision, and what is to be said of it."""
        return Detector(self._runner, decision, notes)

    def probabilities(
        self, recording: Recording | str | os.PathLike[str] | BaseRaw, options: DetectOptions | None = None
    ) -> tuple[Probabilities, ...]:
        """Return the probability curve of each segment; NaN where unscored.

        Raises
        ------
        TypeError, InputError
            As `detect`.
        """
        return self.detect(recording, replace(_as_options(options), keep_probabilities=True)).probabilities

    def detect(
        self,
        recording: Recording | str | os.PathLike[str] | BaseRaw,
        options: DetectOptions | None = None,
        progress: Progress | None = None,
    ) -> Detection:
        """Find the seizures of a recording.

        Parameters
        ----------
        recording : Recording, path-like or mne.io.Raw
            A path is read as `brainscan.read` does, a ``Raw`` as `brainscan.from_raw` does.
        options : DetectOptions, optional
        progress : callable, optional
            Called with the seconds of the recording that are done.

        Raises
        ------
        TypeError
            If it is none of these.
        InputError
            If it cannot be read, its labels lack too many electrodes, or no window of it can be scored.
        UsageError
            If the asked-for part lies outside the recording.
        """
        opened, chosen = as_recording(recording), _as_options(options)
        detection = examine(self._runner, self.decision, opened, chosen, progress)
        if not detection.analysed_s:
            raise nothing_scored(detection)
        return self.noted(detection, opened)

    def noted(self, detection: Detection, recording: Recording) -> Detection:
        """Return a detection with what is to be said of this model and this recording."""
        return with_notes(detection, age_warning(recording.age_years, self.card.provenance.trained), *self._notes)

    def session(
        self, plan: ElectrodePlan, recording: Recording, options: DetectOptions, *, start_s: float = 0.0
    ) -> Session:
        """Return the states for one segment of a recording, for whoever feeds it block by block."""
        kept, trends = options.keep_probabilities, options.keep_trends
        config = SessionConfig(self.decision, allowed_missing(plan, options), kept, trends=trends)
        return Session(self._runner, plan, rates_of(recording, plan), config, start_s)


def detect(
    recording: Recording | str | os.PathLike[str] | BaseRaw,
    options: DetectOptions | None = None,
    *,
    model: str | Path = "default",
    run: RunConfig | None = None,
) -> Detection:
    """Find the seizures of one recording, in one line.

    The model is loaded each time: whoever has many recordings keeps a `Detector`.

    Parameters
    ----------
    recording : Recording, path-like or mne.io.Raw
    options : DetectOptions, optional
    model : str or Path
        As `Detector.from_pretrained` takes it.
    run : RunConfig, optional
        Device, backend, threads.

    Raises
    ------
    TypeError, BrainscanError
        As `Detector.from_pretrained` and `Detector.detect`; the recording is opened before the model is loaded.

    Examples
    --------
    >>> import brainscan
    >>> brainscan.detect("examples/sample.edf").events  # doctest: +SKIP
    """
    opened, chosen = as_recording(recording), _as_options(options)
    return Detector.from_pretrained(model, run=run).detect(opened, chosen)


def _as_options(options: DetectOptions | None) -> DetectOptions:
    if options is None:
        return DetectOptions()
    if not isinstance(options, DetectOptions):
        raise TypeError(f"options must be brainscan.DetectOptions, got {type(options).__name__}")
    return options
