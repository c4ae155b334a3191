"""The options that `detect` and `scan` share, and what they become."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from brainscan.cli import console
from brainscan.electrodes import N_ELECTRODES
from brainscan.errors import ModelError, UsageError

if TYPE_CHECKING:
    from brainscan.card import Card, DecisionConfig
    from brainscan.detector import DetectOptions, Detector
    from brainscan.model.inference import RunConfig
    from brainscan.recording import Recording

MOST_MISSING = N_ELECTRODES - 4
"""Four electrodes are the fewest that others can be interpolated from."""


def _within(option: str, least: int, most: int | None = None) -> Callable[[int], int]:
    """Return a check of a number that says the option, what was typed, and the bounds."""
    bounds = f"at least {least}" if most is None else f"{least} to {most}"

    def check(value: int) -> int:
        if value < least or (most is not None and value > most):
            raise UsageError(f"{option} {value} is out of range", hint=f"it takes whole numbers, {bounds}")
        return value

    return check


Formats = Annotated[
    list[str],
    typer.Option(
        "--format", metavar="NAME", help="csv_bi or json; repeatable. Default: as the suffix of -o says, or csv_bi."
    ),
]
Model = Annotated[
    str, typer.Option("--model", help="default, v3-hybrid, v3-lite, v3, a .safetensors file or a folder.")
]
On = Annotated[float | None, typer.Option("--on", help="Threshold that starts an event (0..1); default: the card's.")]
Off = Annotated[float | None, typer.Option("--off", help="Threshold that ends it; default with --on: on - 0.08.")]
OperatingPoint = Annotated[
    str, typer.Option("--operating-point", metavar="fa1|fa5|fa10", help="Thresholds of the card for that many FA/24h.")
]
Start = Annotated[
    str,
    typer.Option(
        "--start",
        metavar="TIME",
        help="Analyse from here: seconds from the start of the recording (5400), or its clock time, HH:MM or HH:MM:SS "
        "(the first such moment).",
    ),
]
Stop = Annotated[str, typer.Option("--stop", metavar="TIME", help="Analyse up to here; written as --start.")]
ChannelMap = Annotated[
    str,
    typer.Option("--channel-map", metavar="MAP", help="NAME=ELECTRODE,... or a YAML file, for labels we do not know."),
]
MaxMissing = Annotated[
    int,
    typer.Option(
        "--max-missing",
        metavar="N",
        callback=_within("--max-missing", 0, MOST_MISSING),
        help=f"Interpolate up to N unusable electrodes (0 to {MOST_MISSING}).",
    ),
]
Device = Annotated[str, typer.Option("--device", help="auto, cpu or cuda.")]
Backend = Annotated[str, typer.Option("--backend", help="auto, torch, native (compiled kernels) or onnx.")]
Precision = Annotated[
    str, typer.Option("--precision", help="float32, bfloat16 (of matrix products) or auto (bfloat16 where it gains).")
]
Threads = Annotated[
    int, typer.Option("--threads", callback=_within("--threads", 0), help="CPU threads; 0: as many as sensible.")
]
BatchSize = Annotated[
    int,
    typer.Option(
        "--batch-size", callback=_within("--batch-size", 1), help="Windows at a time; on a CPU no result depends on it."
    ),
]
AnonymousNames = Annotated[bool, typer.Option("--anonymous-names", help="Replace file names in outputs by their hash.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite files that brainscan did not write.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Say what is used.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No messages, no table, only errors.")]

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class DetectorChoice:
    """Which model, with which thresholds, runs how."""

    model: str
    on: float | None
    off: float | None
    device: str
    threads: int
    batch_size: int
    operating_point: str = ""
    backend: str = "auto"
    precision: str = "float32"

    def load(self, *, verbose: bool = False) -> Detector:
        """Return the detector.

        Raises
        ------
        UsageError
            If a number is out of range, options contradict each other, the operating point finds too little to be
            offered, or device or backend cannot be used.
        MissingExtraError
            If the backend is not installed.
        ModelError
            If the model cannot be used, or has no such operating point.
        """
        if self.operating_point and (self.on is not None or self.off is not None):
            raise UsageError("--operating-point sets both thresholds", hint="give it, or --on and --off")
        from brainscan.detector import Detector
        from brainscan.model.inference import RunConfig

        run = RunConfig(self.device, self.batch_size, self.threads, self.backend, self.precision)
        self.announce_export()
        detector = Detector.from_pretrained(self.model, run=run)
        try:
            decision, note = self._at_point(detector.card) if self.operating_point else (detector.decision, "")
            detector = detector.with_decision(decision.with_thresholds(self.on, self.off), (note,) if note else ())
        except ValueError as problem:
            raise UsageError(str(problem), hint="--on and --off take 0 to 1, --off not above --on") from None
        if verbose:
            self._say(detector, run)
        return detector

    def _say(self, detector: Detector, run: RunConfig) -> None:
        """Say what was chosen where the user left the choice open."""
        from brainscan.model.runner import place_of_work

        card, decision = detector.card, detector.decision
        given = self.on is not None or self.off is not None
        point = f"operating point {self.operating_point}" if self.operating_point else "the card's defaults"
        console.message(
            f"model {card.name} ({card.sha256[:12]}), device {place_of_work(run, detector.backend)}, "
            f"backend {detector.backend}, {detector.precision}"
        )
        console.message(f"thresholds on {decision.enter:g}, off {decision.leave:g} ({'as given' if given else point})")

    def announce_export(self) -> None:
        """Say so if the model will be exported to ONNX first, which takes its time.

        Raises
        ------
        ModelError, MissingExtraError
            If it cannot be.
        """
        if self.backend != "onnx":
            return
        from brainscan.model.runner import must_export

        if must_export(self.model, self.backend):
            console.message("exporting the model to ONNX, once: half a minute for the default, several for v3 ...")

    def _at_point(self, card: Card) -> tuple[DecisionConfig, str]:
        try:
            return card.at_operating_point(self.operating_point)
        except KeyError:
            known = ", ".join(card.operating_points) or "none"
            raise ModelError(
                f"the model {card.name} has no operating point {self.operating_point} (it has: {known})",
                hint="`brainscan calibrate MODEL CORPUS` writes operating points, or choose --on",
            ) from None
        except ValueError as problem:
            others = ", ".join(f"{name} ({point.sensitivity:.0%})" for name, point in card.offered.items())
            raise UsageError(
                f"--operating-point {self.operating_point}: {problem}",
                hint=f"this model offers {others or 'no other'}; without the option its own thresholds hold,"
                f" on {card.decision.enter:g} and off {card.decision.leave:g}",
            ) from None


def known_formats(names: list[str]) -> list[str]:
    """Return the formats that a user gave, each once.

    Raises
    ------
    UsageError
        If there is no such format.
    """
    from brainscan.io.outputs import FORMATS

    for name in names:
        if name not in FORMATS:
            raise UsageError(f"no such format: {name}", hint=f"--format takes {', '.join(FORMATS)}")
    return list(dict.fromkeys(names))


def format_of(output: str) -> str:
    """Return the format that the suffix of an output's name means; empty if it means none."""
    from brainscan.io.outputs import FORMATS

    return next((name for name, form in FORMATS.items() if output.lower().endswith(form.suffix)), "")


def detect_options(channel_map: str, max_missing: int, *, keep_probabilities: bool = False) -> DetectOptions:
    """Return what the user chose, but for start and stop, which may need a recording's clock (`with_span`).

    Raises
    ------
    UsageError
        If the map cannot be read.
    """
    from brainscan.detector import DetectOptions
    from brainscan.io.channel_map import parse_channel_map

    mapped = parse_channel_map(channel_map) if channel_map else None
    return DetectOptions(channel_map=mapped, max_missing=max_missing, keep_probabilities=keep_probabilities)


def with_span(
    options: DetectOptions, start: str, stop: str, recording: Recording, *, anonymous: bool = False
) -> DetectOptions:
    """Return the options with start and stop on the recording's clock; a stop behind its end brings a warning.

    Raises
    ------
    UsageError
        If they are no times, out of order, or nothing is recorded from the start on.
    """
    from dataclasses import replace

    from brainscan.io.outputs import anonymous_name

    start_s, stop_s = seconds_of(start, "--start", recording), seconds_of(stop, "--stop", recording)
    if ":" in stop and start_s is not None and stop_s is not None and stop_s <= start_s:
        stop_s += DAY_S  # the first such moment behind the start
    asked = " ".join(f"{name} {text}" for name, text in (("--start", start), ("--stop", stop)) if text)
    if start_s is not None and start_s >= recording.duration_s:
        raise UsageError(
            f"nothing recorded from {_shown(start, start_s)} on (the recording has {recording.duration_s:g} s)",
            file=recording.name,
            hint="choose --start within the recording; a clock time is its first such moment",
        )
    if start_s is not None and stop_s is not None and stop_s <= start_s:
        raise UsageError(f"stop must lie behind start, got {asked}", file=recording.name)
    if stop_s is not None and stop_s > recording.duration_s:
        name = anonymous_name(recording.name) if anonymous else recording.name
        console.warning(
            f"{name}: --stop {_shown(stop, stop_s)} lies behind the recording's end at "
            f"{recording.duration_s:g} s: analysed to there"
        )
    return replace(options, start_s=start_s, stop_s=stop_s)


def _shown(text: str, at_s: float) -> str:
    return f"{text} ({at_s:g} s)" if ":" in text else f"{text} s"


def seconds_of(text: str, option: str, recording: Recording) -> float | None:
    """Return a time that a user gave, in seconds from the start of the recording; None for none.

    Raises
    ------
    UsageError
        If it is neither seconds nor a clock time, or the recording has no clock.
    """
    if not text:
        return None
    hint = "give seconds from the start of the recording (5400) or its clock time (01:30 or 01:30:00)"
    if ":" not in text:
        try:
            at_s = float(text)
        except ValueError:
            raise UsageError(f"{option} {text} is not a time", hint=hint) from None
        if not 0.0 <= at_s < float("inf"):
            raise UsageError(f"{option} {text} is not a time within a recording", hint=hint)
        return at_s
    parts = text.split(":")
    numbers = [float(part) for part in parts if part.replace(".", "", 1).isdecimal()]
    if len(numbers) != len(parts) or len(parts) not in (2, 3) or numbers[0] >= 24 or max(numbers[1:]) >= 60:
        raise UsageError(f"{option} {text} is not a time", hint=hint)
    if recording.start is None:
        raise UsageError(
            f"{option} {text}: the header has no valid start time, so clock times mean nothing",
            file=recording.name,
            hint="give seconds",
        )
    of_day = sum(number * unit for number, unit in zip(numbers, (3600.0, 60.0, 1.0), strict=False))
    start = recording.start
    begun = start.hour * 3600 + start.minute * 60 + start.second + start.microsecond / 1e6
    # A clock time is the first such moment at or after the start: nights pass midnight.
    return (of_day - begun) % DAY_S
