"""``brainscan detect``: the events of one or more recordings."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brainscan.cli import console, options
from brainscan.cli.span import with_span
from brainscan.errors import BrainscanError, PartialFailureError, UsageError
from brainscan.io.clock import SECONDS_PER_DAY

if TYPE_CHECKING:
    from brainscan.detection import Detection
    from brainscan.detector import DetectOptions, Detector

Recordings = Annotated[list[Path], typer.Argument(metavar="RECORDING...", help="EDF, BDF, BrainVision, FIF or EEGLAB.")]

_HALF_SECOND = timedelta(seconds=0.5)  # clock times are shown rounded, as elapsed ones are


def detect(
    recordings: Recordings,
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE|DIR|-", help="Where to write; a folder ends with /.")
    ] = "",
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
        Path | None, typer.Option(metavar="FILE.npz", help="Also write the probability curve at 256 Hz.")
    ] = None,
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
    from brainscan.io.outputs import as_mapping

    job = _plan(recordings, output, formats, probabilities, as_json=as_json, anonymous=anonymous_names, force=force)
    chosen = options.detect_options(channel_map, max_missing, keep_probabilities=probabilities is not None)
    choice = options.DetectorChoice(model, on, off, device, threads, batch_size, operating_point, backend, precision)
    detector = choice.load(verbose=verbose)
    done: list[dict[str, Any]] = []
    failures: list[tuple[str, BrainscanError]] = []
    for path, targets in job.targets.items():
        try:
            detection = _one(path, targets, job, detector, chosen, (start, stop))
        except BrainscanError as error:
            if len(job.targets) == 1:
                raise
            print(f"error: {error}", file=sys.stderr)
            if anonymous_names:
                error = _anonymous(error, path)
            failures.append((error.file or path.name, error))
        else:
            _show(detection, job, quiet=quiet)
            done.append(as_mapping(detection))
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

    is_folder = output.endswith(("/", "\\")) or (output not in {"", "-"} and Path(output).is_dir())
    formats = options.known_formats(formats) or [("" if is_folder else options.format_of(output)) or "csv_bi"]
    n_outputs = len(recordings) * len(formats)
    if as_json and output == "-":
        raise UsageError("--json and -o - both claim stdout", hint="give one of them")
    if n_outputs > 1 and output == "-":
        raise UsageError(f"-o - takes one output, not {n_outputs}", hint="name a folder with -o DIR/")
    if probabilities is not None and len(recordings) > 1:
        raise UsageError("--probabilities takes one recording", hint="run detect once a recording")
    if n_outputs > 1 and output and not is_folder:
        raise UsageError(f"-o {output} is one file for {n_outputs} outputs", hint="name a folder, ending with /")
    if not is_folder and options.format_of(output) not in {"", formats[0]}:
        raise UsageError(
            f"-o {output} names {options.format_of(output)}, --format says {formats[0]}", hint="give one of them"
        )
    targets: dict[Path, dict[str, Path | None]] = {}
    for path in recordings:
        stem = anonymous_name(path.name) if anonymous else output_stem(path)
        suffixes = {name: FORMATS[name].suffix for name in formats}
        if output == "-":
            files: dict[str, Path | None] = dict.fromkeys(formats)
        elif output and not is_folder:
            files = dict.fromkeys(formats, Path(output))
        else:
            files = {name: Path(output) / f"{stem}{suffix}" for name, suffix in suffixes.items()}
        if path in targets:
            raise UsageError(f"{path} is given twice", hint="name each recording once")
        targets[path] = files
    _refuse_clashes(targets, probabilities)
    return _Job(targets, probabilities, as_json, anonymous, force)


def _refuse_clashes(targets: dict[Path, dict[str, Path | None]], probabilities: Path | None) -> None:
    """Refuse outputs that would overwrite each other, or a recording."""
    from brainscan.io.containers import container_of, read_head

    taken: dict[Path, Path] = {}
    for path, files in targets.items():
        for target in (*files.values(), probabilities):
            if target is None:
                continue
            if target.resolve() in {recording.resolve() for recording in targets}:
                if target.exists():
                    container_of(read_head(target), target.name)  # an event file is no recording: that is the mistake
                raise UsageError(f"{target} is a recording and would be overwritten", hint="choose another -o")
            if target.resolve() in taken:
                raise UsageError(
                    f"{path} and {taken[target.resolve()]} would both write {target}",
                    hint="run them apart, or use `brainscan scan`",
                )
            taken[target.resolve()] = path


def _one(
    path: Path,
    targets: dict[str, Path | None],
    job: _Job,
    detector: Detector,
    chosen: DetectOptions,
    span: tuple[str, str],
) -> Detection:
    """Detect in one recording and write its outputs."""
    from brainscan.io import read
    from brainscan.io.atomic import make_folder
    from brainscan.io.outputs import FORMATS, anonymised, guard, write, write_probabilities

    recording = read(path)
    existing = [t for t in (*targets.values(), job.probabilities) if t is not None and t.exists()]
    if existing and not job.force:
        sha256 = recording.sha256() if recording.sha256 else ""
        for file in existing:
            guard(file, sha256, force=job.force)
    chosen = with_span(chosen, *span, recording, anonymous=job.anonymous)
    with console.progress() as bar:
        task = bar.add_task(path.name, total=round(recording.duration_s))
        detection = detector.detect(recording, chosen, lambda at_s: bar.update(task, completed=round(at_s)))
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


def _anonymous(error: BrainscanError, path: Path) -> BrainscanError:
    """Let the error carry the recording's stand-in name, as the outputs do."""
    from brainscan.io.outputs import anonymous_name

    error.file = anonymous_name(path.name)
    error.message = error.message.replace(path.name, error.file)
    return error


def _show(detection: Detection, job: _Job, *, quiet: bool) -> None:
    """Print warnings on stderr and the table of events on stdout, where stdout is free."""
    for text in detection.warnings:
        console.warning(f"{detection.file}: {text}")
    to_stdout = any(target is None for target in next(iter(job.targets.values())).values())
    if quiet or job.as_json or to_stdout:
        return
    summary = (
        f"{detection.file}: {console.count(len(detection.events), 'event')} in {detection.analysed_s:.1f} s analysed"
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
                (clock + _HALF_SECOND).strftime(form) if clock else "-",
                f"{event.duration_s:.1f}",
                f"{event.confidence:.2f}",
                "prolonged" if event.prolonged else "",
            )
        )
    if rows:
        console.stdout_table(("#", "onset", "clock", "duration_s", "confidence", "note"), rows, title=summary)
    else:
        print(summary)


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
