"""``brainscan stream``: the events of a recording while it grows."""

from __future__ import annotations

import importlib.util
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brainscan.cli import console, options
from brainscan.cli.live_lines import Display
from brainscan.cli.spread import spread
from brainscan.errors import InputError, MissingExtraError, UsageError

if TYPE_CHECKING:
    from brainscan.analysis.job import Job
    from brainscan.analysis.task import OutputChoice, Task
    from brainscan.live.dispatch import Dispatch
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
            min=0.0, metavar="SECONDS", help="What does not grow for so long has ended (followed files, LSL); 0: never."
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
class _Telling:
    on_event: Annotated[
        str, typer.Option(metavar="COMMAND", help="Run for each event that opens or ends, its JSON on standard input.")
    ] = ""
    webhook: Annotated[
        str, typer.Option(metavar="URL", help="POST the same JSON there; what is not taken waits on disk.")
    ] = ""
    label: Annotated[str, typer.Option(help="Stands in what command and webhook get, such as a bed.")] = ""
    state: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where undelivered events wait; default: the user's cache.")
    ] = None


@dataclass(frozen=True, slots=True)
class _Writing:
    formats: options.Formats = field(default_factory=list)
    anonymous_names: options.AnonymousNames = False
    force: options.Force = False
    keep_patient: options.KeepPatient = False


@spread
def stream(
    source: Annotated[
        str, typer.Argument(metavar="[FILE|-]", help="A recording, or - for samples on stdin (docs/live.md).")
    ] = "",
    lsl: Annotated[
        str, typer.Option("--lsl", metavar="NAME", help="Instead: the stream of this name, by Lab Streaming Layer.")
    ] = "",
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE|DIR|-", help="Where the table goes at the end, as of detect.")
    ] = "",
    pacing: _Pacing = _Pacing(),
    deciding: _Deciding = _Deciding(),
    telling: _Telling = _Telling(),
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
    brainscan stream --lsl bed3 --latency 5
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
    dispatch = _dispatch(telling)
    display = Display(as_json=talking.as_json, to_stderr=output == STDOUT, quiet=talking.quiet)
    with _ending_on_signals() as stop:
        opened, task = _opened(source, lsl, pacing, choice, job, stop)
        config = StreamConfig(options_of(job, task), pacing.latency or None, dispatch.begin)

        def hear(message: Message) -> None:
            dispatch.message(message)
            display.message(message)

        try:
            outcome = run_stream(job, task, opened, config, Ears(hear, console.message), Pace(pacing.max_lag))
            display.end(outcome)
        finally:
            dispatch.end()
    if stop.is_set():
        raise KeyboardInterrupt


def _dispatch(telling: _Telling) -> Dispatch:
    """Return who is told of events."""
    from brainscan.io.user_cache import user_cache
    from brainscan.live.command import Command
    from brainscan.live.dispatch import Dispatch, Receiver
    from brainscan.live.webhook import Webhook

    receivers = []
    if telling.on_event:
        command = Command(telling.on_event)
        receivers.append(Receiver(f"command {telling.on_event}", f"command {command.shown}", command))
    if telling.webhook:
        webhook = Webhook(telling.webhook)
        receivers.append(Receiver(f"webhook {telling.webhook}", f"webhook {webhook.shown}", webhook))
    return Dispatch(receivers, telling.state or user_cache("live"), telling.label, console.warning)


def _opened(
    source: str, lsl: str, pacing: _Pacing, choice: OutputChoice, job: Job, stop: threading.Event
) -> tuple[Source, Task]:
    """Return the source that is meant, and what is to be written about it, once nothing stands in its way."""
    from brainscan.io import read
    from brainscan.live.edf_tail import EdfTail, Following
    from brainscan.live.job import check_outputs
    from brainscan.live.source import RecordingSource

    if bool(source) == bool(lsl):
        raise UsageError("give a FILE, or -, or --lsl NAME", hint="`brainscan stream --help` shows examples")
    if lsl or source == STDIN:
        if pacing.follow:
            raise UsageError("--follow is for files", hint="whatever else is read until it ends")
        return _flowing(lsl, pacing, choice, job, stop)
    path = Path(source)
    task = choice.tasks([path])[0]
    recording = None if pacing.follow else read(path)
    check_outputs(job, task, recording)
    if recording is None:
        return EdfTail(path, Following(idle_s=pacing.idle), stop, console.message), task
    return RecordingSource(recording), task


def _flowing(lsl: str, pacing: _Pacing, choice: OutputChoice, job: Job, stop: threading.Event) -> tuple[Source, Task]:
    """Return a source without a file: by LSL, or else stdin."""
    from brainscan.live.feed import Feed, FeedSource
    from brainscan.live.job import check_outputs, check_without_file

    feed: Feed
    if lsl:
        if importlib.util.find_spec("mne_lsl") is None:
            raise MissingExtraError("--lsl", "lsl")
        from brainscan.live.lsl import LslFeed

        feed = LslFeed(lsl, stop, pacing.idle)
    else:
        from brainscan.live.pipe import PipeFeed

        if sys.stdin is None:
            raise InputError("is closed", kind="io", file="stdin", hint="pipe the samples into it (docs/live.md)")
        feed = PipeFeed(sys.stdin.fileno(), stop)
    task = choice.tasks([Path(feed.facts.name)])[0]
    check_without_file(task, feed.facts.format)
    check_outputs(job, task, None)
    return FeedSource(feed, stop, console.message), task


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
