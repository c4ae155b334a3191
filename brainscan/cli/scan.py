"""``brainscan scan``: every recording below a folder, resumable."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brainscan.cli import console, options
from brainscan.cli.span import with_span
from brainscan.errors import PartialFailureError

if TYPE_CHECKING:
    from rich.progress import Progress

    from brainscan.recording import Recording
    from brainscan.scan.outcome import Outcome


def scan(
    directory: Annotated[Path, typer.Argument(metavar="DIRECTORY", help="Folder to search for recordings.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT", help="Folder for the results.")],
    formats: options.Formats = [],
    model: options.Model = "default",
    on: options.On = None,
    off: options.Off = None,
    operating_point: options.OperatingPoint = "",
    start: options.Start = "",
    stop: options.Stop = "",
    channel_map: options.ChannelMap = "",
    max_missing: options.MaxMissing = 3,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Also write the probability curves (.npz beside the events).")
    ] = False,
    device: options.Device = "auto",
    backend: options.Backend = "auto",
    precision: options.Precision = "float32",
    threads: options.Threads = 0,
    batch_size: options.BatchSize = 8,
    anonymous_names: options.AnonymousNames = False,
    force: options.Force = False,
    as_json: options.AsJson = False,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
) -> None:
    """Find the seizures in every recording below a folder.

    OUT gets one CSV_bi a recording in the same tree, summary.csv and failures.csv. A recording whose results are
    there already, made from the same bytes with the same model and settings, is skipped: start an interrupted scan
    again and it does the rest. A recording that fails does not stop the others; the exit code is 6 then.
    Research use, not a medical device.

    Examples
    --------
    brainscan scan archive/ -o results/
    brainscan scan archive/ -o results/ --max-missing 9 --format csv_bi --format json
    brainscan scan archive/ -o results/ --json > results.json
    """
    console.set_quiet(quiet)
    from brainscan.detector import DetectOptions
    from brainscan.scan.run import Listener, ScanConfig
    from brainscan.scan.run import scan as run

    formats = options.known_formats(formats)
    chosen = options.detect_options(channel_map, max_missing, keep_probabilities=probabilities)
    choice = options.DetectorChoice(model, on, off, device, threads, batch_size, operating_point, backend, precision)
    detector = choice.load(verbose=verbose)
    config = ScanConfig(directory, output, tuple(formats), probabilities, anonymous_names, force)

    def options_for(recording: Recording) -> DetectOptions:
        return with_span(chosen, start, stop, recording, anonymous=anonymous_names)

    with console.progress() as bar:
        display = _Display(bar)
        outcomes = run(config, detector, options_for, Listener(display.outcome, display.progress, display.note))
    _finish(outcomes, display.notes, as_json=as_json, quiet=quiet)


class _Display:
    """Progress on a terminal, else a line a recording; failures and warnings in any case."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._all = bar.add_task("recordings", total=None)
        self._one = bar.add_task("", total=None, visible=False)
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)
        console.warning(text)

    def progress(self, file: str, at_s: float, duration_s: float) -> None:
        self._bar.update(self._one, description=file, completed=round(at_s), total=round(duration_s), visible=True)

    def outcome(self, outcome: Outcome, number: int, total: int) -> None:
        self._bar.update(self._all, completed=number, total=total)
        self._bar.update(self._one, visible=False)
        if outcome.error is not None:
            print(f"error: {outcome.error}", file=sys.stderr)
            return
        if outcome.status == "done":
            for text in outcome.warnings:
                console.warning(f"{outcome.file}: {text}")
        if self._bar.disable:
            found = f"{console.count(len(outcome.events), 'event')} in {outcome.analysed_s:.1f} s analysed"
            console.message(f"[{number}/{total}] {outcome.file}: {outcome.status}, {found}")


def _finish(outcomes: tuple[Outcome, ...], notes: list[str], *, as_json: bool, quiet: bool) -> None:
    """Print the summary or the JSON document, and raise what the exit code follows from."""
    failed = [o for o in outcomes if o.error is not None]
    failures = [{"file": o.file, **o.error.as_mapping()} for o in failed if o.error is not None]
    counts = {status: sum(o.status == status for o in outcomes) for status in ("done", "skipped", "failed")}
    if as_json:
        document = {"results": [o.as_mapping() for o in outcomes if o.error is None], "failures": failures, **counts}
        document["warnings"] = notes
        if failures:
            first = {key: value for key, value in failures[0].items() if key != "file"}
            document = {"error": first, **document}
        console.print_json(document)
    elif not quiet:
        events = sum(len(o.events) for o in outcomes)
        hours = sum(o.analysed_s for o in outcomes) / 3600.0
        sys.stdout.write(
            f"{counts['done']} done, {counts['skipped']} skipped, {counts['failed']} failed;"
            f" {console.count(events, 'event')} in {hours:.2f} h analysed\n"
        )
        if failures:
            console.stdout_table(
                ("failed", "kind", "cause"),
                [(o.file, o.error.kind, o.error.message) for o in failed if o.error is not None],
            )
    if failed:
        error = PartialFailureError(
            f"{len(failed)} of {console.count(len(outcomes), 'recording')} failed; the others are done"
        )
        error.reported = True
        raise error
