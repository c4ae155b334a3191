"""``brainscan stream``: the events of a recording while it grows."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brainscan.cli import console, options
from brainscan.cli.spread import spread
from brainscan.errors import UsageError
from brainscan.mapping import finite

if TYPE_CHECKING:
    from brainscan.analysis.job import Job
    from brainscan.analysis.outcome import Outcome
    from brainscan.analysis.task import Task
    from brainscan.live.messages import Message
    from brainscan.live.source import Source

STDIN = "-"


@dataclass(frozen=True, slots=True)
class _Deciding:
    model: options.Model = "default"
    on: options.On = None
    off: options.Off = None
    operating_point: options.OperatingPoint = ""


@dataclass(frozen=True, slots=True)
class _Running:
    device: options.Device = "auto"
    backend: options.Backend = "auto"
    precision: options.Precision = "float32"
    threads: options.Threads = 0


@dataclass(frozen=True, slots=True)
class _Pacing:
    follow: Annotated[bool, typer.Option("--follow", help="Go on while the file is written (EDF, BDF).")] = False
    idle: Annotated[
        float,
        typer.Option(
            min=0.0, metavar="SECONDS", help="A followed file without growth for so long has ended; 0: never."
        ),
    ] = 300.0
    latency: Annotated[
        float,
        typer.Option(
            min=0.0,
            metavar="SECONDS",
            help="Look at the newest minute so often, and open events provisionally; 0: never.",
        ),
    ] = 0.0
    max_lag: Annotated[
        float,
        typer.Option(
            min=0.0,
            metavar="SECONDS",
            help="Skip windows when more waits than this and it does not become less; 0: never.",
        ),
    ] = 120.0


@dataclass(frozen=True, slots=True)
class _Writing:
    formats: options.Formats = field(default_factory=list)
    anonymous_names: options.AnonymousNames = False
    force: options.Force = False
    keep_patient: options.KeepPatient = False


@spread
def stream(
    source: Annotated[
        str, typer.Argument(metavar="FILE|-", help="A recording, or - for samples on stdin (docs/live.md).")
    ],
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE|DIR|-", help="Where the table goes at the end, as of detect.")
    ] = "",
    pacing: _Pacing = _Pacing(),
    deciding: _Deciding = _Deciding(),
    channels: options.Channels = options.Channels(),
    running: _Running = _Running(),
    writing: _Writing = _Writing(),
    talking: options.Talking = options.Talking(),
) -> None:
    """Tell of seizures in a recording while it grows.

    Each event opens, grows and closes; what is closed is final, and is what `brainscan detect` finds in the finished
    recording. At the end (Ctrl-C is one) the table is written as by detect. With --json, stdout gets a JSON object a
    line. Research use, not a medical device: no alarm may rest on it.

    Examples
    --------
    brainscan stream night.edf --follow
    brainscan stream night.edf --follow --latency 5 --json -o results/
    recorder | brainscan stream - --json
    """
    console.set_quiet(talking.quiet)
    from brainscan.analysis.job import Job
    from brainscan.analysis.lazy_detector import LazyDetector
    from brainscan.analysis.options import AnalysisOptions
    from brainscan.analysis.task import STDOUT, OutputChoice
    from brainscan.live.job import options_of, run_stream
    from brainscan.live.pace import Pace
    from brainscan.live.stream import Ears, StreamConfig
    from brainscan.model.run_config import RunConfig

    if talking.as_json and output == STDOUT:
        raise UsageError("--json and -o - both claim stdout", hint="give one of them")
    chosen = AnalysisOptions(
        model=deciding.model,
        on=deciding.on,
        off=deciding.off,
        operating_point=deciding.operating_point,
        channel_map=channels.mapping(),
        max_missing=channels.max_missing,
        # A window at a time: none waits for others.
        run=RunConfig(running.device, 1, running.threads, running.backend, running.precision),
    )
    choice = OutputChoice(output, tuple(writing.formats), anonymous=writing.anonymous_names)
    job = Job(
        options=chosen,
        model=LazyDetector.open(chosen, console.message),
        anonymous=writing.anonymous_names,
        force=writing.force,
        keep_patient=writing.keep_patient,
        stream=sys.stdout.buffer,
    )
    display = _Display(as_json=talking.as_json, to_stderr=output == STDOUT, quiet=talking.quiet)
    with _ending_on_signals() as stop:
        opened, task = _opened(source, pacing, choice, job, stop)
        config = StreamConfig(options_of(job, task), pacing.latency or None)
        outcome = run_stream(job, task, opened, config, Ears(display.message, console.message), Pace(pacing.max_lag))
        display.end(outcome)
    if stop.is_set():
        raise KeyboardInterrupt


def _opened(source: str, pacing: _Pacing, choice: Any, job: Job, stop: threading.Event) -> tuple[Source, Task]:
    """Return the source that is meant, and what is to be written about it, once nothing stands in its way."""
    from brainscan.io import read
    from brainscan.live.edf_tail import EdfTail, Following
    from brainscan.live.feed import FeedSource
    from brainscan.live.job import check_outputs, check_without_file
    from brainscan.live.pipe import PipeFeed
    from brainscan.live.source import RecordingSource

    if source == STDIN:
        if pacing.follow:
            raise UsageError("--follow is for files", hint="a pipe is followed until it is closed")
        feed = PipeFeed(sys.stdin.fileno(), stop)
        task = choice.tasks([Path(feed.facts.name)])[0]
        check_without_file(task, "a pipe")
        check_outputs(job, task, None)
        return FeedSource(feed, stop, console.message), task
    path = Path(source)
    task = choice.tasks([path])[0]
    recording = None if pacing.follow else read(path)
    check_outputs(job, task, recording)
    if recording is None:
        return EdfTail(path, Following(idle_s=pacing.idle), stop, console.message), task
    return RecordingSource(recording), task


@contextmanager
def _ending_on_signals() -> Iterator[threading.Event]:
    """Let the first Ctrl-C or SIGTERM end a stream with its table written, and a second one at once."""
    stop = threading.Event()

    def end(_number: int, _frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Display:
    """Lines on stdout: JSON, or for people."""

    def __init__(self, *, as_json: bool, to_stderr: bool, quiet: bool) -> None:
        self._as_json = as_json
        self._to_stderr = to_stderr
        self._quiet = quiet

    def message(self, message: Message) -> None:
        """Print one message."""
        if self._as_json:
            self._print(json.dumps(finite(message.as_mapping()), ensure_ascii=False))
        elif not self._quiet:
            self._print(_line(message))

    def end(self, outcome: Outcome) -> None:
        """Print what became of it."""
        for text in outcome.warnings:
            console.warning(f"{outcome.file}: {text}")
        detection = outcome.detection
        assert detection is not None
        if self._as_json:
            from brainscan.io.detection_json import as_mapping

            outputs = [str(path) for path in outcome.outputs]
            mapping = {"kind": "end", **as_mapping(detection), "warnings": list(outcome.warnings), "outputs": outputs}
            self._print(json.dumps(finite(mapping), ensure_ascii=False))
        elif not self._quiet:
            n_events = console.count(len(detection.events), "event")
            self._print(f"{outcome.file}: {n_events} in {detection.analysed_s:.1f} s analysed")
            if outcome.outputs:
                self._print(f"written: {', '.join(map(str, outcome.outputs))}")

    def _print(self, line: str) -> None:
        place = sys.stderr if self._to_stderr else sys.stdout
        place.write(line + "\n")
        place.flush()


def _line(message: Message) -> str:
    """Return a message for people."""
    from brainscan.live.messages import EventMessage, Lag, Started, Unscored

    match message:
        case EventMessage():
            clock = "" if message.clock is None else f" ({message.clock:%H:%M:%S})"
            lasting = f"{message.until_s - message.onset_s:.1f} s"
            what = {"open": "seizure?" if message.provisional else "seizure", "update": "goes on", "close": "ended"}
            said = what.get(message.kind, "withdrawn")
            return (
                f"{console.elapsed(message.at_s)}  {said:9s}  onset {console.elapsed(message.onset_s)}{clock}"
                f"  {lasting}  confidence {message.confidence:.2f}  {message.id}"
            )
        case Unscored():
            why = ", the machine could not keep up" if message.skipped else ""
            return f"not scored: {console.elapsed(message.start_s)} to {console.elapsed(message.stop_s)}{why}"
        case Lag():
            return f"{message.behind_s:.0f} s behind: " + (
                "windows are skipped" if message.skipping else "windows are scored again"
            )
        case Started():
            return (
                f"stream {message.stream}, model {message.model}: an event opens within {message.opens_within_s:.0f} s"
                f" of its onset, closes within {message.closes_within_s:.0f} s of its end (seconds of recording)"
            )
