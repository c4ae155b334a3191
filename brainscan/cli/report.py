"""``brainscan report``: the page for events that are in files already."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from brainscan.cli import console, options
from brainscan.errors import UsageError

_MOST_READERS = 2


def report(
    recording: Annotated[
        Path, typer.Argument(parser=options.named, metavar="RECORDING", help="The recording that the events are of.")
    ],
    events: Annotated[
        list[Path],
        typer.Argument(
            parser=options.named, metavar="EVENTS...", help="One or two files of events, in any format that we read."
        ),
    ],
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE.html", help="Where to write; default: STEM.html here.")
    ] = "",
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Overwrite a file that is not this very page; show events that are of another recording."
        ),
    ] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No messages, only errors.")] = False,
) -> None:
    """Show events on a page with the EEG around them; no detector runs.

    Of two files the first one's events are listed and can be reviewed, the second one's stand beside them: ours and an
    expert's, say. The page is that of `detect --format html`, without probabilities and without the verdict on each
    electrode, which needs a pass through the recording. Research use, not a medical device.

    Examples
    --------
    brainscan report night.edf night.csv_bi
    brainscan report night.edf night.csv_bi expert.tsv -o both.html
    """
    console.set_quiet(quiet)
    if len(events) > _MOST_READERS:
        raise UsageError(f"{len(events)} files of events", hint="one or two can be shown beside each other")
    from brainscan.io import read
    from brainscan.io.atomic import make_folder, write_bytes
    from brainscan.io.event_formats import FORMATS, for_file
    from brainscan.io.guard import check_place, protect
    from brainscan.io.origin import Origin
    from brainscan.io.outputs import guard, output_stem
    from brainscan.report.of_files import page_of, read_events
    from brainscan.report.recording_page import render

    place = Path(output or f"{output_stem(recording)}.html")
    for_file(str(place), [FORMATS["html"]], "-o", FORMATS["html"])
    protect(place, [recording, *events])
    check_place(place)
    opened = read(recording)
    sha256 = opened.sha256() if opened.sha256 else ""
    readers = tuple(read_events(path, opened, force=force) for path in events)
    page = page_of(opened, readers, sha256)
    if not force:
        guard(place, Origin(sha256, page.detection.model))
    for text in page.detection.warnings:
        console.warning(f"{opened.name}: {text}")
    make_folder(place.parent)
    write_bytes(place, render(page).encode("utf-8", "backslashreplace"))
    shown = ", ".join(f"{reader.name} ({console.count(len(reader.events), 'event')})" for reader in readers)
    console.message(f"{place}: {shown}")
