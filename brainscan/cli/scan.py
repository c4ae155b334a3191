"""``brainscan scan``: every recording below a folder, resumable."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brainscan.cli import console, options
from brainscan.cli.scan_display import Display
from brainscan.cli.spread import spread
from brainscan.errors import PartialFailureError, UsageError

if TYPE_CHECKING:
    from brainscan.scan.ledger import Ledger


@spread
def scan(
    directory: Annotated[
        str,
        typer.Argument(metavar="DIRECTORY", help="Folder to search for recordings, or its address (s3://, sftp://)."),
    ],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="OUT", help="Folder for the results. [required without --bids]"),
    ] = None,
    bids: Annotated[
        bool,
        typer.Option(
            "--bids", help="DIRECTORY is a BIDS data set: write a derivative, OUT or its derivatives/brainscan."
        ),
    ] = False,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Also write the probability curves (.npz beside the events).")
    ] = False,
    pages: Annotated[
        bool, typer.Option("--pages/--no-pages", help="Write a page for each recording with events (extra `report`).")
    ] = True,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            metavar="N",
            callback=options.within("--workers", 0),
            help="Processes beside each other; default: what processors and memory bear. 0: none but this one.",
        ),
    ] = None,
    watch: Annotated[
        bool,
        typer.Option("--watch", help="Go on as files arrive, until Ctrl-C; what is being written is left alone."),
    ] = False,
    clustering: options.Clustering = options.Clustering(),
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
    from brainscan.io.remote import is_address
    from brainscan.scan import start
    from brainscan.scan.config import ScanConfig
    from brainscan.scan.run import Listener
    from brainscan.scan.run import scan as run
    from brainscan.scan.watch import WatchConfig

    derivative = None
    if bids:
        from brainscan.scan.bids import OWN, home

        derivative = home(Path(directory), output)
        output = derivative / OWN
    if output is None:
        raise UsageError("nothing says where the results go", hint="name a folder with -o OUT")
    chosen = analysing.options()
    cluster = clustering.config()
    source = directory if is_address(directory) else ""
    folder = Path() if source else options.named(directory)
    if cluster is not None:
        folder, output = folder.absolute(), output.absolute()  # its workers start elsewhere
    starts = start.start_of(workers, chosen.run, cluster, output)
    config = ScanConfig(
        folder,
        output,
        tuple(analysing.formats),
        probabilities,
        analysing.anonymous_names,
        analysing.force,
        analysing.keep_patient,
        pages,
        WatchConfig() if watch else None,
        source,
        derivative,
    )
    with Display() as display:
        listener = Listener(display.outcome, display.progress, display.note, display.message)
        outcomes = run(config, chosen, analysing.model(chosen), listener, starts)
    _finish(outcomes, output, display.notes, talking)


def _finish(outcomes: Ledger, out: Path, notes: list[str], talking: options.Talking) -> None:
    """Print the summary or the JSON document, and raise what the exit code follows from."""
    failed = [(o.file, o.error) for o in outcomes if o.status == "failed" and o.error is not None]
    not_read = [(o.warnings[0], o.file, o.error) for o in outcomes if o.status == "unread" and o.error is not None]
    counts = outcomes.counts
    if talking.as_json:
        failures = [{"file": file, **error.as_mapping()} for file, error in failed]
        document: dict[str, Any] = {
            "schema": "scan-2",
            "results": [o.as_mapping(out) for o in outcomes if o.error is None],
            "failures": failures,
            "not_read": [{"file": file, **error.as_mapping()} for _, file, error in not_read],
            "orphaned": list(outcomes.orphaned),
            **counts,
            "warnings": notes,
        }
        if failures:
            first = {key: value for key, value in failures[0].items() if key != "file"}
            document["error"] = first
        console.print_json(document)
    elif not talking.quiet:
        sys.stdout.write(
            f"{counts['done']} done, {counts['skipped']} skipped, {counts['failed']} failed"
            f"{_not_read(kind for kind, *_ in not_read)}; {console.count(outcomes.events, 'event')}"
            f" in {outcomes.analysed_s / 3600.0:.2f} h analysed\n"
        )
        if failed:
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


def _not_read(each: Iterable[str]) -> str:
    """Return how many recordings of which kinds were not read, for the summary; empty where there are none."""
    kinds = Counter(each)
    named = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    return f", {kinds.total()} not read ({named})" if kinds else ""
