"""Run a detector over an archive; what is done already is skipped."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from brainscan.detector import DetectOptions, Detector, provenance
from brainscan.errors import BrainscanError, InputError
from brainscan.io import read
from brainscan.io.atomic import make_folder, remove_unfinished
from brainscan.io.discover import search
from brainscan.io.origin import Origin, origin_of
from brainscan.io.outputs import FORMATS, anonymised, anonymous_name, guard, write, write_probabilities
from brainscan.recording import Recording
from brainscan.scan.discover import output_stems
from brainscan.scan.outcome import Outcome, check_tables, write_tables

CURVES = ".npz"


@dataclass(frozen=True, slots=True)
class ScanConfig:
    """What to scan, and what to write.

    Parameters
    ----------
    folder, out : Path
    formats : tuple of str
        Names in `brainscan.io.outputs.FORMATS`; ``csv_bi`` is written in any case.
    curves : bool
        Write the probability curves beside it.
    anonymous : bool
        Outputs carry hashes instead of names.
    force : bool
        Overwrite what brainscan did not write, and do again what is done.
    """

    folder: Path
    out: Path
    formats: tuple[str, ...] = ("csv_bi",)
    curves: bool = False
    anonymous: bool = False
    force: bool = False

    @property
    def suffixes(self) -> dict[str, str]:
        """Suffix of each format to write, by name, the CSV_bi first."""
        return {name: FORMATS[name].suffix for name in dict.fromkeys(("csv_bi", *self.formats))}


def _ignore(text: str) -> None:
    return None


def _no_report(outcome: Outcome, number: int, total: int) -> None:
    return None


def _no_progress(file: str, at_s: float, duration_s: float) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Listener:
    """Who hears of a scan's course.

    Parameters
    ----------
    outcome : callable
        ``(outcome, number, total)`` after each recording.
    progress : callable
        ``(file, at_s, duration_s)`` within one.
    note : callable
        ``(text)``: what a user has to know of the archive as a whole.
    """

    outcome: Callable[[Outcome, int, int], None] = field(default=_no_report)
    progress: Callable[[str, float, float], None] = field(default=_no_progress)
    note: Callable[[str], None] = field(default=_ignore)


def scan(
    config: ScanConfig,
    detector: Detector,
    options_for: Callable[[Recording], DetectOptions],
    listener: Listener | None = None,
) -> tuple[Outcome, ...]:
    """Detect in every recording below a folder.

    Outputs lie in the same tree below `config.out`, beside ``summary.csv`` and ``failures.csv``, which are written
    at the end, also of an interrupted run. What a user or a file can cause fails that recording alone.

    Parameters
    ----------
    config : ScanConfig
    detector : Detector
    options_for : callable
        The options for one recording (start and stop may follow its clock).
    listener : Listener, optional

    Returns
    -------
    tuple of Outcome
        In the order of the files' names.

    Raises
    ------
    InputError
        If the folder cannot be listed, or holds no recording.
    OutputError
        If the output folder cannot be made or its tables are somebody else's.
    """
    listener = listener or Listener()
    found = search(config.folder, config.out)
    recordings = found.recordings
    if not recordings:
        raise InputError(
            "holds no recording",
            kind="empty",
            file=str(config.folder),
            hint="EDF, BDF and others are looked for",
        )
    for text in found.notes(_anonymous if config.anonymous else PurePath.as_posix):
        listener.note(text)
    make_folder(config.out)
    if not config.force:
        check_tables(config.out)
    remove_unfinished(config.out)
    stems = output_stems(recordings, anonymous=config.anonymous)
    outcomes: list[Outcome] = []
    try:
        for number, path in enumerate(recordings, 1):
            outcome = _one(path, stems[path], config, detector, options_for, listener)
            outcomes.append(outcome)
            listener.outcome(outcome, number, len(recordings))
    finally:
        write_tables(config.out, outcomes)
    return tuple(outcomes)


def _anonymous(path: PurePath) -> str:
    return PurePath(*map(anonymous_name, path.parts)).as_posix()


def _one(
    path: PurePath,
    stem: PurePath,
    config: ScanConfig,
    detector: Detector,
    options_for: Callable[[Recording], DetectOptions],
    listener: Listener,
) -> Outcome:
    """Detect in one recording, unless its outputs are there already."""
    shown = stem.as_posix() if config.anonymous else path.as_posix()
    targets = {name: config.out / f"{stem}{suffix}" for name, suffix in config.suffixes.items()}
    curves = config.out / f"{stem}{CURVES}" if config.curves else None
    output = targets["csv_bi"].relative_to(config.out).as_posix()
    files = [*targets.values(), *([curves] if curves else [])]
    try:
        recording = read(config.folder / path)
        options = options_for(recording)
        if not config.force and any(file.exists() for file in files):
            wanted = Origin(
                recording.sha256() if recording.sha256 else "", provenance(detector.card, detector.decision, options)
            )
            if all(_made_so(file, wanted) for file in files):
                with suppress(InputError):  # a damaged one is ours to write again
                    return Outcome.skipped(shown, output, targets["csv_bi"])
            for file in files:
                guard(file, wanted.sha256, force=False)
        listener.progress(shown, 0.0, recording.duration_s)
        detection = detector.detect(
            recording, options, lambda at_s: listener.progress(shown, at_s, recording.duration_s)
        )
        if config.anonymous:
            detection = anonymised(detection)
        make_folder(targets["csv_bi"].parent)
        if curves is not None:
            write_probabilities(detection, curves)
        for name, target in targets.items():
            write(detection, target, name)
    except BrainscanError as error:
        if error.file in {path.name, ""}:
            error.file = shown  # the same name may occur in many folders
        return Outcome(shown, "failed", error=error)
    return Outcome.done(shown, output, detection)


def _made_so(file: Path, wanted: Origin) -> bool:
    found = origin_of(file)
    return found is not None and found.same_input(wanted.sha256) and found.deciding == wanted.deciding
