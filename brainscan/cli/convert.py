"""``brainscan convert``: between annotation formats."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brainscan.cli import console, options
from brainscan.errors import OutputError, UsageError
from brainscan.io import event_formats

if TYPE_CHECKING:
    from brainscan.io.annotation_file import AnnotationFile
    from brainscan.io.event_format import RecordingFacts
    from brainscan.recording import Recording

Events = Annotated[
    Path, typer.Argument(parser=options.named, metavar="EVENTS", help="Annotations in any format that we know.")
]


def convert(
    events: Events,
    output: Annotated[str, typer.Option("-o", "--output", metavar="FILE", help="Where to write; - for stdout.")],
    source: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="FORMAT",
            help=f"Format of EVENTS: {event_formats.names(event_formats.readable())}; default: by its content.",
        ),
    ] = "",
    target: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="FORMAT",
            help=f"Format of FILE: {event_formats.names(event_formats.convertible())}; default: by its suffix.",
        ),
    ] = "",
    duration: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Duration of the recording, where EVENTS tells none.")
    ] = None,
    recording: Annotated[
        str,
        typer.Option(metavar="FILE", help="The recording (duration and start), or its name in a list of several."),
    ] = "",
    allow_none: Annotated[
        bool, typer.Option("--allow-none", help="Take EVENTS that name no seizure and no background for 'no seizure'.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite FILE.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No messages, only errors.")] = False,
) -> None:
    """Convert annotations between the formats of --from and --to.

    Seizure types are kept where the target knows them; seizures of several channels become their union where it
    knows no channels. Notes about other things are passed over, with their count; one that speaks of a seizure and is
    not understood is an error, and so are a wrong label, reversed events, and events that start outside the
    recording. Whether brainscan or a simulation wrote EVENTS stays known in csv_bi, tusz_csv, tse and edf-annotations.

    Examples
    --------
    brainscan convert chb01-summary.txt --recording chb01_03.edf -o chb01_03.csv_bi
    brainscan convert aaaaaaac_s001_t000.csv -o sub-01_events.tsv
    brainscan convert marks.csv --from mne_csv --duration 3600 -o marks.csv_bi
    brainscan convert night.csv_bi -o - --to tse
    """
    console.set_quiet(quiet)
    from brainscan.io.annotations import encode, losses, lost_start, read_annotations
    from brainscan.io.atomic import make_folder, write_bytes
    from brainscan.io.guard import protect

    among = event_formats.convertible()
    chosen = event_formats.named(target, "--to", among) if target else None
    if source:
        event_formats.named(source, "--from", event_formats.readable())
    to_stdout = output == "-"
    if to_stdout:
        if chosen is None:
            raise UsageError("-o - needs --to", hint=f"choose one of {event_formats.names(among)}")
        to = chosen
    else:
        to = event_formats.for_file(output, among, "--to", chosen)
        protect(Path(output), (events, *([Path(recording)] if recording else [])))
    if not to_stdout and Path(output).is_file() and not force:
        raise OutputError("exists already", file=output, hint="choose another name, or overwrite it with --force")
    opened, facts = _facts(recording, duration)
    file = read_annotations(events, source or None, facts, allow_none=allow_none)
    _require_own(events, file, opened, facts)
    for text in file.warnings:
        console.warning(f"{file.name}: {text}")
    name = facts.name or events.name
    if not facts.name and to.recordings is not None:
        name = _called(events, source)
        console.message(f"{to.name} lists recordings by name: this one as {name} (--recording gives another)")
    data = encode(file, to.name, name)
    for text in (*losses(file, to.name), *(lost_start(file, to.name) if opened is None else ())):
        console.warning(f"{file.name}: {text}")
    if to_stdout:
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
    else:
        make_folder(Path(output).parent)
        write_bytes(Path(output), data)
        console.message(f"{output}: {console.count(len(file.track()), 'seizure')}")


def _called(events: Path, source: str) -> str:
    """Return what the recording is called: as a list of one names it, else after the file of its events, as an EDF."""
    from brainscan.io.containers import recording_suffixes
    from brainscan.io.pairing import stem_of

    row = event_formats.FORMATS.get(source or event_formats.sniff(events) or "")
    if row is not None and row.recordings is not None:
        return row.recordings(events)[0]
    stem = stem_of(events)
    return stem if stem.lower().endswith(tuple(recording_suffixes())) else f"{stem}.edf"


def _require_own(events: Path, file: AnnotationFile, opened: Recording | None, facts: RecordingFacts) -> None:
    """Refuse events that were made of another recording's bytes; say where they only name another one."""
    from brainscan.io.belonging import Another, another, same_name

    if opened is not None:
        other = another(file.recording, event_formats.origin_of(events), opened)
    else:
        other = None if not facts.name or same_name(file.recording, facts.name) else Another(file.recording)
    if other is None:
        return
    if other.certain:
        raise other.refusal(file.name, facts.name, "give the recording that its events are of to --recording")
    console.warning(f"{file.name}: made of another recording ({other.what})")


def _facts(recording: str, duration_s: float | None) -> tuple[Recording | None, RecordingFacts]:
    """Return what the options say about the recording; a file that exists is opened for it."""
    from brainscan.io.event_format import RecordingFacts

    if duration_s is not None and not 0.0 < duration_s < float("inf"):
        raise UsageError(f"--duration must be a positive number of seconds, got {duration_s:g}")
    path = Path(recording)
    if not recording or not path.is_file():
        return None, RecordingFacts(path.name if recording else "", duration_s)
    from brainscan.io import read

    opened = read(path)
    known_s = opened.duration_s if duration_s is None else duration_s
    return opened, RecordingFacts(path.name, known_s, opened.start)
