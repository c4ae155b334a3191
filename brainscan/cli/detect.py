"""``brainscan detect``: the events of one or more recordings."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brainscan.cli import console
from brainscan.errors import BrainscanError, PartialFailureError, UsageError

if TYPE_CHECKING:
    from brainscan.detection import Detection
    from brainscan.detector import DetectOptions, Detector
    from brainscan.recording import Recording

Recordings = Annotated[list[Path], typer.Argument(metavar="RECORDING...", help="EDF, BDF, BrainVision, FIF or EEGLAB.")]


def detect(
    recordings: Recordings,
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE|DIR|-", help="Where to write; a folder ends with /.")
    ] = "",
    formats: Annotated[list[str], typer.Option("--format", metavar="NAME", help="csv_bi or json; may be repeated.")] = [
        "csv_bi"
    ],
    model: Annotated[str, typer.Option(help="default, v3-lite, v3, a .safetensors file or a folder.")] = "default",
    on: Annotated[
        float | None, typer.Option(help="Threshold that starts an event (0..1); default: the card's.")
    ] = None,
    off: Annotated[float | None, typer.Option(help="Threshold that ends it; default with --on: on - 0.08.")] = None,
    start: Annotated[
        str, typer.Option(metavar="TIME", help="Analyse from here: seconds, or clock time HH:MM:SS.")
    ] = "",
    stop: Annotated[str, typer.Option(metavar="TIME", help="Analyse up to here.")] = "",
    channel_map: Annotated[
        str, typer.Option(metavar="MAP", help="NAME=ELECTRODE,... or a YAML file, for labels we do not know.")
    ] = "",
    max_missing: Annotated[int, typer.Option(metavar="N", help="Interpolate up to N unusable electrodes.")] = 3,
    probabilities: Annotated[
        Path | None, typer.Option(metavar="FILE.npz", help="Also write the probability curve at 256 Hz.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    threads: Annotated[int, typer.Option(help="CPU threads; 0: as many as sensible.")] = 0,
    batch_size: Annotated[int, typer.Option(help="Windows at a time; changes no event.")] = 8,
    anonymous_names: Annotated[
        bool, typer.Option("--anonymous-names", help="Replace file names in outputs by their hash.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that brainscan did not write.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Say what is used.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No messages, no table, only errors.")] = False,
) -> None:
    """Find the seizures in recordings; write an event file for each and show a table.

    Without -o the file is STEM.csv_bi in the current folder. An existing file that brainscan did not write for
    the same recording is never overwritten without --force. Research use, not a medical device.

    Examples
    --------
    brainscan detect night.edf
    brainscan detect night.edf --format csv_bi --format json -o results/
    brainscan detect night.edf --on 0.7 --start 22:00:00 --stop 06:00:00
    brainscan detect odd.edf --channel-map "EEG 1=Fp1,EEG 2=Fp2"
    brainscan detect night.edf -o - > night.csv_bi
    """
    console.set_quiet(quiet)
    job = _plan(recordings, output, formats, probabilities, as_json=as_json, anonymous=anonymous_names, force=force)
    from brainscan.detector import DetectOptions, Detector
    from brainscan.io.channel_map import parse_channel_map
    from brainscan.model.inference import RunConfig

    if batch_size < 1 or threads < 0:
        raise UsageError("--batch-size must be at least 1 and --threads not negative")
    mapped = parse_channel_map(channel_map) if channel_map else None
    run = RunConfig(device=device, batch_size=batch_size, threads=threads)
    detector = Detector.from_pretrained(model, run=run)
    try:
        detector = detector.with_decision(detector.decision.with_thresholds(on, off))
        options = DetectOptions(
            channel_map=mapped, max_missing=max_missing, keep_probabilities=probabilities is not None
        )
    except ValueError as problem:
        raise UsageError(str(problem)) from None
    if verbose:
        console.message(f"model {detector.card.name} ({detector.card.sha256[:12]}), device {run.device}")
    done: list[dict[str, Any]] = []
    failures: list[tuple[str, BrainscanError]] = []
    for path, targets in job.targets.items():
        try:
            detection = _one(path, targets, job, detector, options, (start, stop))
        except BrainscanError as error:
            if len(job.targets) == 1:
                raise
            print(f"error: {error}", file=sys.stderr)
            failures.append((path.name, error))
        else:
            _show(detection, job, quiet=quiet)
            done.append(_document(detection))
    _finish(job, done, failures)


@dataclass(frozen=True, slots=True)
class _Job:
    """What is to be done, settled before any work."""

    targets: dict[Path, dict[str, Path | None]]  # recording -> format -> file, None for stdout
    probabilities: Path | None
    as_json: bool
    anonymous: bool
    force: bool


def _plan(
    recordings: list[Path],
    output: str,
    formats: list[str],
    probabilities: Path | None,
    *,
    as_json: bool,
    anonymous: bool,
    force: bool,
) -> _Job:
    """Return which file each recording and format goes to, or say at once why that cannot work."""
    from brainscan.io.outputs import FORMATS, anonymous_name, output_stem

    formats = list(dict.fromkeys(formats))
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise UsageError(f"no such format: {unknown[0]}", hint=f"--format takes {', '.join(FORMATS)}")
    n_outputs = len(recordings) * len(formats)
    if as_json and output == "-":
        raise UsageError("--json and -o - both claim stdout", hint="give one of them")
    if n_outputs > 1 and output == "-":
        raise UsageError(f"-o - takes one output, not {n_outputs}", hint="name a folder with -o DIR/")
    if probabilities is not None and len(recordings) > 1:
        raise UsageError("--probabilities takes one recording", hint="run detect once a recording")
    is_folder = output.endswith(("/", "\\")) or (output not in {"", "-"} and Path(output).is_dir())
    if n_outputs > 1 and output and not is_folder:
        raise UsageError(f"-o {output} is one file for {n_outputs} outputs", hint="name a folder, ending with /")
    targets: dict[Path, dict[str, Path | None]] = {}
    taken: dict[Path, Path] = {}
    for path in recordings:
        stem = output_stem(path)
        stem = anonymous_name(path.name) if anonymous else stem
        files: dict[str, Path | None] = {}
        for name in formats:
            target = Path(output) / f"{stem}{FORMATS[name].suffix}" if is_folder or not output else Path(output)
            files[name] = None if output == "-" else target
            if target in taken and output != "-":
                raise UsageError(
                    f"{path} and {taken[target]} would both write {target}",
                    hint="run them apart, or use `brainscan scan`",
                )
            taken[target] = path
        targets[path] = files
    return _Job(targets, probabilities, as_json, anonymous, force)


def _one(
    path: Path,
    targets: dict[str, Path | None],
    job: _Job,
    detector: Detector,
    options: DetectOptions,
    span: tuple[str, str],
) -> Detection:
    """Detect in one recording and write its outputs."""
    from dataclasses import replace

    from brainscan.io import read
    from brainscan.io.outputs import FORMATS, anonymised, guard, write, write_probabilities

    recording = read(path)
    files = [target for target in targets.values() if target is not None]
    if any(target.exists() for target in files):
        sha256 = recording.sha256() if recording.sha256 else ""
        for target in files:
            guard(target, sha256, force=job.force)
    start_s, stop_s = (seconds_of(text, recording) for text in span)
    try:
        options = replace(options, start_s=start_s, stop_s=stop_s)
    except ValueError as problem:
        raise UsageError(str(problem), file=path.name) from None
    with console.progress() as bar:
        task = bar.add_task(path.name, total=round(recording.duration_s))
        detection = detector.detect(recording, options, lambda at_s: bar.update(task, completed=round(at_s)))
    if job.anonymous:
        detection = anonymised(detection)
    for name, target in targets.items():
        if target is None:
            sys.stdout.buffer.write(FORMATS[name].encode(detection))
            sys.stdout.flush()
        else:
            if target.parent != Path():
                make_folder(target.parent)
            write(detection, target, name)
    if job.probabilities is not None:
        write_probabilities(detection, job.probabilities)
    return detection


def make_folder(folder: Path) -> None:
    """Create an output folder with its parents.

    Raises
    ------
    OutputError
        If that is not possible.
    """
    from brainscan.errors import OutputError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        reason = problem.strerror or "no access"
        raise OutputError(f"the folder cannot be made ({reason})", file=str(folder), hint="choose another -o") from None


def seconds_of(text: str, recording: Recording) -> float | None:
    """Return a time that a user gave, in seconds from the start of the recording; None for none.

    Raises
    ------
    UsageError
        If it is neither seconds nor a clock time, or the recording has no clock.
    """
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        pass
    parts = text.split(":")
    if not 2 <= len(parts) <= 3 or not all(part.replace(".", "", 1).isdigit() for part in parts):
        raise UsageError(f"not a time: {text}", hint="give seconds (5400) or clock time (01:30:00)")
    if recording.start is None:
        raise UsageError(
            "the header has no valid start time, so clock times mean nothing", file=recording.name, hint="give seconds"
        )
    of_day = sum(float(part) * unit for part, unit in zip(parts, (3600.0, 60.0, 1.0), strict=False))
    start = recording.start
    begun = start.hour * 3600 + start.minute * 60 + start.second + start.microsecond / 1e6
    # A clock time is the first such moment at or after the start: nights pass midnight.
    return (of_day - begun) % 86400.0


def _document(detection: Detection) -> dict[str, Any]:
    from brainscan.io.outputs import as_mapping

    return as_mapping(detection)


def _show(detection: Detection, job: _Job, *, quiet: bool) -> None:
    """Print warnings on stderr and the table of events on stdout, where stdout is free."""
    for text in detection.warnings:
        console.warning(f"{detection.file}: {text}")
    to_stdout = any(target is None for target in next(iter(job.targets.values())).values())
    if quiet or job.as_json or to_stdout:
        return
    summary = f"{detection.file}: {len(detection.events)} events in {detection.analysed_s:.1f} s analysed"
    rows = []
    for number, event in enumerate(detection.events, 1):
        clock = detection.clock(event.onset_s)
        rows.append(
            (
                number,
                elapsed(event.onset_s),
                clock.strftime("%H:%M:%S") if clock else "-",
                f"{event.duration_s:.1f}",
                f"{event.confidence:.2f}",
                "prolonged" if event.prolonged else "",
            )
        )
    if rows:
        console.stdout_table(("#", "onset", "clock", "duration_s", "confidence", ""), rows, title=summary)
    else:
        print(summary)


def elapsed(at_s: float) -> str:
    """Return seconds as H:MM:SS.s."""
    tenths = round(at_s * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest / 10:04.1f}"


def _finish(job: _Job, done: list[dict[str, Any]], failures: list[tuple[str, BrainscanError]]) -> None:
    """Print the JSON document and raise what the exit code follows from."""
    if job.as_json:
        document: dict[str, Any] = {"results": done}
        if failures:
            document = {"error": failures[0][1].as_mapping(), **document}
            document["failures"] = [{"file": name, **error.as_mapping()} for name, error in failures]
        console.print_json(document)
    if failures:
        if not job.as_json:
            console.stdout_table(("failed", "kind", "cause"), [(n, e.kind, e.message) for n, e in failures])
        error = PartialFailureError(f"{len(failures)} of {len(job.targets)} recordings failed; the others are done")
        error.reported = True
        raise error
