"""``brainscan scan``: every recording below a folder, resumable."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brainscan.cli import console, options
from brainscan.cli.spread import spread
from brainscan.errors import PartialFailureError

if TYPE_CHECKING:
    from rich.progress import Progress

    from brainscan.analysis.outcome import Outcome


@spread
def scan(
    directory: Annotated[Path, typer.Argument(metavar="DIRECTORY", help="Folder to search for recordings.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT", help="Folder for the results.")],
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Also write the probability curves (.npz beside the events).")
    ] = False,
    pages: Annotated[
        bool, typer.Option("--pages/--no-pages", help="Write a page for each recording with events (extra `report`).")
    ] = True,
    analysing: options.Analysing = options.Analysing(),
) -> None:
    """Find the seizures in every recording below a folder.

    OUT gets one CSV_bi a recording in the same tree, a page for each with events, index.html over all of them,
    summary.csv, failures.csv and run.json. A recording whose results
    are there already, made from the same bytes with the same model and settings, is skipped: start an interrupted scan
    again and it does the rest. A recording that fails does not stop the others; the exit code is 6 then. Recordings
    of makers whose files are not read are counted by name, with a warning that says how to get an EDF from them.
    Research use, not a medical device.

    Examples
    --------
    brainscan scan archive/ -o results/
    brainscan scan archive/ -o results/ --max-missing 9 --format csv_bi --format json
    brainscan scan archive/ -o results/ --json > results.json
    """
    talking = analysing.talking
    console.set_quiet(talking.quiet)
    from brainscan.scan.run import Listener, ScanConfig
    from brainscan.scan.run import scan as run

    chosen = analysing.options()
    config = ScanConfig(
        directory,
        output,
        tuple(analysing.formats),
        probabilities,
        analysing.anonymous_names,
        analysing.force,
        analysing.keep_patient,
        pages,
    )
    with console.progress() as bar:
        display = _Display(bar)
        listener = Listener(display.outcome, display.progress, display.note, console.message)
        outcomes = run(config, chosen, analysing.model(chosen), listener)
    _finish(outcomes, output, display.notes, talking)


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


def _finish(outcomes: tuple[Outcome, ...], out: Path, notes: list[str], talking: options.Talking) -> None:
    """Print the summary or the JSON document, and raise what the exit code follows from."""
    from brainscan.scan.tables import counts as counted

    failed = [(o.file, o.error) for o in outcomes if o.status == "failed" and o.error is not None]
    failures = [{"file": file, **error.as_mapping()} for file, error in failed]
    not_read = [{"file": o.file, **o.error.as_mapping()} for o in outcomes if o.status == "unread" and o.error]
    counts = counted(outcomes)
    if talking.as_json:
        results = [o.as_mapping(out) for o in outcomes if o.error is None]
        document = {"results": results, "failures": failures, "not_read": not_read, **counts}
        document["warnings"] = notes
        if failures:
            first = {key: value for key, value in failures[0].items() if key != "file"}
            document = {"error": first, **document}
        console.print_json(document)
    elif not talking.quiet:
        events = sum(len(o.events) for o in outcomes)
        hours = sum(o.analysed_s for o in outcomes) / 3600.0
        sys.stdout.write(
            f"{counts['done']} done, {counts['skipped']} skipped, {counts['failed']} failed"
            f"{_not_read(outcomes)}; {console.count(events, 'event')} in {hours:.2f} h analysed\n"
        )
        if failures:
            console.stdout_table(
                ("failed", "kind", "cause"),
                [(file, error.kind, error.message) for file, error in failed],
            )
    if failed:
        partial = PartialFailureError(
            f"{len(failed)} of {console.count(len(outcomes) - len(not_read), 'recording')} failed; the others are done"
        )
        partial.reported = True
        raise partial


def _not_read(outcomes: tuple[Outcome, ...]) -> str:
    """Return how many recordings of which kinds were not read, for the summary; empty where there are none."""
    kinds = Counter(o.warnings[0] for o in outcomes if o.status == "unread")
    named = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    return f", {sum(kinds.values())} not read ({named})" if kinds else ""
