"""The options that commands share, each spelled once, and what they become."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brainscan.cli import console
from brainscan.electrodes import N_ELECTRODES
from brainscan.errors import UsageError
from brainscan.io import event_formats
from brainscan.model import names

if TYPE_CHECKING:
    from brainscan.analysis.lazy_detector import LazyDetector
    from brainscan.analysis.options import AnalysisOptions
    from brainscan.detector import DetectOptions, Detector
    from brainscan.model.run_config import RunConfig
    from brainscan.scan.cluster import ClusterConfig

MOST_MISSING = N_ELECTRODES - 4
"""Four electrodes are the fewest that others can be interpolated from."""


def within(option: str, least: int, most: int | None = None) -> Callable[[int | None], int | None]:
    """Return a check of a number, if there is one, that says the option, what was typed, and the bounds."""
    bounds = f"at least {least}" if most is None else f"{least} to {most}"

    def check(value: int | None) -> int | None:
        if value is None:
            return None
        if value < least or (most is not None and value > most):
            raise UsageError(f"{option} {value} is out of range", hint=f"it takes whole numbers, {bounds}")
        return value

    return check


def named(text: str) -> Path:
    """Return the path that an argument names; one that is empty would mean the current folder.

    Raises
    ------
    UsageError
    """
    if not text:
        raise UsageError("an empty path was given", hint="look whether a variable of the shell is set")
    return Path(text)


Formats = Annotated[
    list[str],
    typer.Option(
        "--format",
        metavar="NAME",
        help=f"{event_formats.names(event_formats.outputs())} (scan: {event_formats.names(event_formats.resumable())});"
        " repeatable. Default: by the suffix of -o, or csv_bi.",
    ),
]
Model = Annotated[str, typer.Option("--model", help=f"{names.ALL}, a .safetensors file or a folder.")]
On = Annotated[float | None, typer.Option("--on", help="Threshold that starts an event (0..1); default: the card's.")]
Off = Annotated[float | None, typer.Option("--off", help="Threshold that ends it; default with --on: on - 0.08.")]
OperatingPoint = Annotated[
    str,
    typer.Option(
        "--operating-point",
        metavar="faN",
        help="Thresholds for N FA/24h that the card has from `calibrate`; `info MODEL` lists them.",
    ),
]
Start = Annotated[
    str,
    typer.Option(
        "--start",
        metavar="TIME",
        help="Analyse from here: seconds from the start of the recording (5400), or its clock time, HH:MM or HH:MM:SS "
        "(the first such moment; with YYYY-MM-DD before it, that of the day).",
    ),
]
Stop = Annotated[str, typer.Option("--stop", metavar="TIME", help="Analyse up to here; written as --start.")]
Baseline = Annotated[
    str,
    typer.Option(
        "--baseline",
        metavar="FROM-TO|FILE",
        help="A minute or more known to be quiet, of the recording (written as --start) or another one of the same"
        " person: thresholds rise by what it reads above calm background.",
    ),
]
ChannelMap = Annotated[
    str,
    typer.Option("--channel-map", metavar="MAP", help="NAME=ELECTRODE,... or a YAML file, for labels we do not know."),
]
MaxMissing = Annotated[
    int,
    typer.Option(
        "--max-missing",
        metavar="N",
        callback=within("--max-missing", 0, MOST_MISSING),
        help=f"Interpolate up to N unusable electrodes (0 to {MOST_MISSING}).",
    ),
]
Device = Annotated[str, typer.Option("--device", help="auto, cpu or cuda.")]
Backend = Annotated[
    str,
    typer.Option("--backend", help="auto (the fastest that is installed), torch, native (compiled kernels) or onnx."),
]
Precision = Annotated[
    str, typer.Option("--precision", help="float32, bfloat16 (of matrix products) or auto (bfloat16 where it gains).")
]
Threads = Annotated[
    int, typer.Option("--threads", callback=within("--threads", 0), help="CPU threads; 0: as many as sensible.")
]
BatchSize = Annotated[
    int,
    typer.Option(
        "--batch-size", callback=within("--batch-size", 1), help="Windows at a time; on a CPU no result depends on it."
    ),
]
AnonymousNames = Annotated[bool, typer.Option("--anonymous-names", help="Replace file names in outputs by their hash.")]
Force = Annotated[
    bool, typer.Option("--force", help="Replace files that brainscan did not write, or wrote with other settings.")
]
KeepPatient = Annotated[
    bool,
    typer.Option("--keep-patient-info", help="Let copies of recordings (--format edf) say whose they are."),
]
Cluster = Annotated[
    str,
    typer.Option(
        "--cluster", metavar="ADDRESS", help="Dask scheduler whose workers do it: tcp://HOST:PORT, tls://, or its file."
    ),
]
TlsCa = Annotated[str, typer.Option("--tls-ca", metavar="PEM", help="Certificate that a tls:// cluster is known by.")]
TlsCert = Annotated[str, typer.Option("--tls-cert", metavar="PEM", help="Our certificate for it.")]
TlsKey = Annotated[str, typer.Option("--tls-key", metavar="PEM", help="The key of that.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Say what is used.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No messages, no table, only errors.")]


@dataclass(frozen=True, slots=True)
class Channels:
    """How labels become electrodes."""

    channel_map: ChannelMap = ""
    max_missing: MaxMissing = 3

    def mapping(self) -> Mapping[str, str] | None:
        """Return the map as a mapping.

        Raises
        ------
        UsageError
            If it cannot be read.
        """
        from brainscan.io.channel_map import parse_channel_map

        return parse_channel_map(self.channel_map) if self.channel_map else None

    def detect_options(self) -> DetectOptions:
        """Return the options of a detector that follow from it."""
        from brainscan.detector import DetectOptions

        return DetectOptions(channel_map=self.mapping(), max_missing=self.max_missing)


@dataclass(frozen=True, slots=True)
class Running:
    """On what a network runs."""

    device: Device = "auto"
    backend: Backend = "auto"
    precision: Precision = "float32"
    threads: Threads = 0
    batch_size: BatchSize = 8

    def config(self) -> RunConfig:
        """Return it as the model takes it."""
        from brainscan.model.run_config import RunConfig

        return RunConfig(self.device, self.batch_size, self.threads, self.backend, self.precision)


@dataclass(frozen=True, slots=True)
class Deciding:
    """Which model decides, with which thresholds, about which part."""

    model: Model = "default"
    on: On = None
    off: Off = None
    operating_point: OperatingPoint = ""
    start: Start = ""
    stop: Stop = ""
    baseline: Baseline = ""


@dataclass(frozen=True, slots=True)
class Clustering:
    """Other machines, by a Dask scheduler."""

    cluster: Cluster = ""
    tls_ca: TlsCa = ""
    tls_cert: TlsCert = ""
    tls_key: TlsKey = ""

    def config(self) -> ClusterConfig | None:
        """Return where the scheduler is; None where none is asked for.

        Raises
        ------
        UsageError
            If there are certificates for none.
        """
        from brainscan.scan.cluster import ClusterConfig

        if not self.cluster:
            if self.tls_ca or self.tls_cert or self.tls_key:
                raise UsageError("certificates are for a cluster", hint="--cluster tls://HOST:PORT")
            return None
        return ClusterConfig(self.cluster, self.tls_ca, self.tls_cert, self.tls_key)


@dataclass(frozen=True, slots=True)
class Talking:
    """What is said, and where."""

    as_json: AsJson = False
    verbose: Verbose = False
    quiet: Quiet = False


@dataclass(frozen=True, slots=True)
class Analysing:
    """Everything that `detect` and `scan` share."""

    formats: Formats = field(default_factory=list)
    deciding: Deciding = Deciding()
    channels: Channels = Channels()
    running: Running = Running()
    anonymous_names: AnonymousNames = False
    force: Force = False
    keep_patient: KeepPatient = False
    talking: Talking = Talking()

    def options(self) -> AnalysisOptions:
        """Return the options of the analysis.

        Raises
        ------
        UsageError
            If some contradict each other, or the channel map cannot be read.
        """
        from brainscan.analysis.options import AnalysisOptions

        chosen = self.deciding
        return AnalysisOptions(
            model=chosen.model,
            on=chosen.on,
            off=chosen.off,
            operating_point=chosen.operating_point,
            start=chosen.start,
            stop=chosen.stop,
            baseline=chosen.baseline,
            channel_map=self.channels.mapping(),
            max_missing=self.channels.max_missing,
            run=self.running.config(),
        )

    def model(self, options: AnalysisOptions) -> LazyDetector:
        """Return the model, to be loaded when it is needed; then said, where that was asked for.

        Raises
        ------
        UsageError
            If a threshold is out of range.
        ModelError
            If there is no such model, or it has no such operating point.
        """
        from brainscan.analysis.lazy_detector import LazyDetector

        def loaded(detector: Detector) -> None:
            if self.talking.verbose:
                _say(detector, options)

        return LazyDetector.open(options, console.message, loaded)


def _say(detector: Detector, options: AnalysisOptions) -> None:
    """Say what was chosen where the user left the choice open."""
    card, decision = detector.card, detector.decision
    given = options.on is not None or options.off is not None
    point = f"operating point {options.operating_point}" if options.operating_point else "the card's defaults"
    console.message(
        f"model {card.name} ({card.sha256[:12]}), device {detector.place}, "
        f"backend {detector.backend}, {detector.precision}"
    )
    console.message(f"thresholds on {decision.enter:g}, off {decision.leave:g} ({'as given' if given else point})")
