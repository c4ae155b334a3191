"""``brainscan detect``: the events of one or more recordings."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brainscan.cli import console, options
from brainscan.cli.spread import spread
from brainscan.errors import BrainscanError, PartialFailureError, UsageError
from brainscan.io import containers
from brainscan.io.clock import SECONDS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from brainscan.analysis.outcome import Outcome
    from brainscan.burden import Burden
    from brainscan.detection import Detection

Recordings = Annotated[
    list[Path],
    typer.Argument(
        parser=options.named, metavar="RECORDING...", help=f"{', '.join(containers.names())}, known by content."
    ),
]


@spread
def detect(
    recordings: Recordings,
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE|DIR|-", help="Where to write; a folder ends with /.")
    ] = "",
    probabilities: Annotated[
        Path | None, typer.Option(metavar="FILE.npz", help="Also write the probability curve at 256 Hz.")
    ] = None,
    trends: Annotated[
        Path | None, typer.Option(metavar="FILE.npz", help="Also write the trends: aEEG, spectra, suppression, ...")
    ] = None,
    analysing: options.Analysing = options.Analysing(),
) -> None:
    """Find the seizures in recordings; write an event file for each and show a table.

    Without -o the file is STEM.csv_bi in the current folder. An existing file that brainscan did not write for
    the same recording with the same settings is replaced with --force only, a recording never. Research use, not a
    medical device.

    Examples
    --------
    brainscan detect night.edf
    brainscan detect night.edf --format csv_bi --format json -o results/
    brainscan detect night.edf --on 0.7 --start 22:00:00 --stop 06:00:00 -o part.csv_bi
    brainscan detect odd.edf --channel-map "EEG 1=Fp1,EEG 2=Fp2"
    brainscan detect night.edf -o - > night.csv_bi
    """
    talking = analysing.talking
    console.set_quiet(talking.quiet)
    from brainscan.analysis.task import STDOUT, OutputChoice

    if talking.as_json and output == STDOUT:
        raise UsageError("--json and -o - both claim stdout", hint="give one of them")
    choice = OutputChoice(output, tuple(analysing.formats), probabilities, trends, analysing.anonymous_names)
    tasks = choice.tasks(recordings)
    if len(tasks) == 1:
        tasks[0].require_recording(anonymous=analysing.anonymous_names)
    from brainscan.analysis.job import Job, Listener

    chosen = analysing.options()
    outcomes: list[Outcome] = []
    with console.progress() as bar:
        display = bar.add_task("", total=None, visible=len(tasks) > 0)

        def progress(file: str, at_s: float, duration_s: float) -> None:
            bar.update(display, description=file, completed=round(at_s), total=round(duration_s))

        job = Job(
            options=chosen,
            model=analysing.model(chosen),
            anonymous=analysing.anonymous_names,
            force=analysing.force,
            keep_patient=analysing.keep_patient,
            stream=sys.stdout.buffer,
            listener=Listener(progress, console.message),
        )
        for task in tasks:
            outcome = job.run(task)
            if outcome.error is not None and len(tasks) == 1:
                raise outcome.error
            outcomes.append(outcome)
            _tell(outcome, table=not (talking.quiet or talking.as_json or output == STDOUT))
    _finish(outcomes, as_json=talking.as_json)


def _tell(outcome: Outcome, *, table: bool) -> None:
    """Print an error or warnings on stderr, and the table of events on stdout, where stdout is free."""
    if outcome.error is not None:
        print(f"error: {outcome.error}", file=sys.stderr)
        return
    for text in outcome.warnings:
        console.warning(f"{outcome.file}: {text}")
    if table and outcome.detection is not None:
        _show(outcome.detection)
        console.say(f"written: {', '.join(map(str, outcome.outputs))}")


def _show(found: Detection) -> None:
    detection = found.without_filler()
    summary = (
        f"{detection.file}: {console.count(len(detection.events), 'event')} in {detection.analysed_s:.1f} s analysed"
        f"{', unfamiliar' if detection.unfamiliar else ''}"
    )
    # Over more than a day a time alone does not say when.
    form = "%Y-%m-%d %H:%M:%S" if detection.duration_s > SECONDS_PER_DAY else "%H:%M:%S"
    rows = []
    for number, event in enumerate(detection.events, 1):
        clock = detection.clock(event.onset_s)
        rows.append(
            (
                number,
                console.elapsed(event.onset_s),
                console.clock_time(clock, form) if clock else "-",
                f"{event.duration_s:.1f}",
                f"{event.confidence:.2f}",
                event.side,
                "prolonged" if event.prolonged else "",
            )
        )
    if rows:
        console.stdout_table(("#", "onset", "clock", "duration_s", "confidence", "side", "note"), rows, title=summary)
    else:
        console.say(summary)
    for text in _burden(detection.burden):
        console.say(text)


def _burden(burden: Burden) -> Iterator[str]:
    """Yield how much seizure there was, in lines, and what was not looked at."""
    if burden.n_seizures:
        times = f"{burden.seizure_s / 60.0:.1f} min marked as seizure, the longest {burden.longest_s:.1f} s"
        fullest = f"{burden.largest_hour.seizure_s / 60.0:.1f} min in the fullest 60 min"
        hour = burden.busiest
        busiest = f", most in the hour from {hour.label}" if hour is not None and len(burden.hours) > 1 else ""
        since = f"{console.elapsed(burden.since_last_s or 0.0)} from the last to the end"
        yield f"burden: {times}, {fullest}{busiest}, {since}"
    for flag in burden.flags:
        yield f"flag, if the events are seizures: {flag.text}"
    if burden.unscored_s >= 1.0:
        yield f"not scored: {burden.unscored_s:.1f} s, in which a seizure would not have been seen"


def _finish(outcomes: list[Outcome], *, as_json: bool) -> None:
    """Print the JSON document and raise what the exit code follows from."""
    failures: list[tuple[str, BrainscanError]] = [
        (o.error.file or o.file, o.error) for o in outcomes if o.error is not None
    ]
    if as_json:
        document: dict[str, Any] = {"schema": "detect-2", "results": [_result(o) for o in outcomes if o.error is None]}
        if failures:
            document["error"] = failures[0][1].as_mapping()
            document["failures"] = [{"file": name, **error.as_mapping()} for name, error in failures]
        console.print_json(document)
    if failures:
        if not as_json:
            console.stdout_table(("failed", "kind", "cause"), [(n, e.kind, e.message) for n, e in failures])
        error = PartialFailureError(f"{len(failures)} of {len(outcomes)} recordings failed; the others are done")
        error.reported = True
        raise error


def _result(outcome: Outcome) -> dict[str, Any]:
    """Return the fixed keys of a result, with what was written beside them."""
    from brainscan.io.detection_json import as_mapping

    assert outcome.detection is not None
    mapping = as_mapping(outcome.detection)
    return {**mapping, "warnings": list(outcome.warnings), "outputs": [str(path) for path in outcome.outputs]}
