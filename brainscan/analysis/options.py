"""What may be chosen for an analysis, for Python; `brainscan.cli.options` spells it for the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from brainscan.analysis.span import quiet_stretch, span_of
from brainscan.errors import UsageError
from brainscan.examine import DetectOptions
from brainscan.model.run_config import RunConfig
from brainscan.recording import Recording


@dataclass(frozen=True, slots=True)
class AnalysisOptions:
    """Which model decides how about which part of a recording, and on what it runs.

    Parameters
    ----------
    model : str
        A name of `brainscan.model.names`, a file or a folder.
    on, off : float or None
        Thresholds instead of the card's.
    operating_point : str
        Of the card, instead of thresholds; empty for none.
    start, stop : str
        Part to analyse: seconds from the start of a recording, or its clock time; empty for its ends.
    channel_map : mapping of str to str or None
        Label in the file to electrode.
    max_missing : int
        Up to this many unusable electrodes are interpolated.
    baseline : str
        A stretch known to be quiet, ``FROM-TO`` in the form of `start`, or the file of another recording of the same
        person that is quiet throughout; empty for none.
    run : RunConfig
    """

    model: str = "default"
    on: float | None = None
    off: float | None = None
    operating_point: str = ""
    start: str = ""
    stop: str = ""
    channel_map: Mapping[str, str] | None = None
    max_missing: int = 3
    baseline: str = ""
    run: RunConfig = field(default_factory=RunConfig)

    def __post_init__(self) -> None:
        """Refuse options that contradict each other.

        Raises
        ------
        UsageError
        """
        if self.operating_point and (self.on is not None or self.off is not None):
            raise UsageError("--operating-point sets both thresholds", hint="give it, or --on and --off")

    def for_recording(
        self, recording: Recording, *, curves: bool = False, trends: bool = False
    ) -> tuple[DetectOptions, tuple[str, ...]]:
        """Return the options on one recording's clock, and which moments its clock times were taken for.

        Parameters
        ----------
        recording : Recording
        curves : bool
            Whether the probability curves are wanted.
        trends : bool
            Whether the trends are.

        Raises
        ------
        UsageError
            If start and stop are no times, out of order, or nothing is recorded from the start on; if `baseline` is no
            stretch of a minute or more within the recording.
        InputError
            If it is a file that cannot be read.
        """
        span = span_of(self.start, self.stop, recording)
        options = DetectOptions(
            start_s=span.start_s,
            stop_s=span.stop_s,
            channel_map=self.channel_map,
            max_missing=self.max_missing,
            keep_probabilities=curves,
            keep_trends=trends,
            quiet=quiet_stretch(self.baseline, recording) if self.baseline else None,
            remarks=span.warnings,
        )
        return options, span.said
