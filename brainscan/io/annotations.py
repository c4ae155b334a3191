"""Any annotation format: chosen by content when reading, by name or suffix when writing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from brainscan.errors import InputError, OutputError, UsageError, reason_of
from brainscan.io.annotation_file import ALL, AnnotationFile, check_intervals, within_recording
from brainscan.io.atomic import write_bytes
from brainscan.io.bids_tsv import format_bids_tsv, read_bids_tsv
from brainscan.io.chbmit import format_chbmit_summary, read_chbmit_summary, recordings_of_summary
from brainscan.io.csv_bi import format_csv_bi, read_csv_bi_events
from brainscan.io.mne_csv import format_mne_csv, read_mne_csv
from brainscan.io.origin import Origin
from brainscan.io.siena import format_siena_list, read_siena_list, recordings_of_list
from brainscan.io.tusz import format_tse, format_tusz_csv, read_tse, read_tusz_csv

Format = Literal["csv_bi", "tusz_csv", "tse", "chbmit", "siena", "tsv", "edf", "mne_csv"]
FORMATS: tuple[Format, ...] = ("csv_bi", "tusz_csv", "tse", "chbmit", "siena", "tsv", "edf", "mne_csv")

SUFFIXES: Mapping[str, Format] = MappingProxyType(
    {".csv_bi": "csv_bi", ".csv": "tusz_csv", ".tse": "tse", ".tse_bi": "tse", ".tsv": "tsv", ".edf": "edf"}
)
"""Suffixes that say the format of a new file. ``.txt`` does not: a summary or a list?"""

WITH_COMMENTS = frozenset({"csv_bi", "tusz_csv", "tse"})
"""Formats whose readers pass over lines of comment, so that our remarks can stand there."""
WITH_CONFIDENCE = WITH_COMMENTS | {"tsv"}
WITH_CHANNELS = frozenset({"tusz_csv", "tsv"})
SIMULATED = "simulated"
"""Comments that begin so mark the truth of a simulated recording."""
REVIEWED = "reviewed"
"""A comment line ``# brainscan: reviewed`` turns an output of ours into a reference."""

_HEAD_BYTES = 65536
_MANY = 3

DURATION_TOLERANCE_S = 1.0
"""Formats round; what differs by more is the annotation of another recording, or of a part."""

START_TOLERANCE_S = 1.0
"""The same for its start."""


@dataclass(frozen=True, slots=True)
class RecordingFacts:
    """What is known about the recording from elsewhere than its annotation file.

    Parameters
    ----------
    name : str
        File name, to find it in a list of many recordings; empty if unknown.
    duration_s : float or None
    start : datetime or None
    """

    name: str = ""
    duration_s: float | None = None
    start: datetime | None = None


def sniff(path: Path) -> Format | None:
    """Return the annotation format of a file by its content; None if it looks like none.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
    except OSError as problem:
        raise InputError(f"cannot be read ({reason_of(problem)})", kind="io", file=path.name) from problem
    if head[:8] == b"0       " or head[:8] == b"\xffBIOSEMI":
        return "edf"
    text = head.decode("utf-8", "replace").removeprefix("\ufeff")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return None
    if re.match(r"version\s*=\s*tse", lines[0]):
        return "tse"
    if path.suffix == ".csv_bi":
        return "csv_bi"
    if re.search(r"^#? ?version\s*=\s*csv_v", text, re.IGNORECASE | re.MULTILINE):
        binary = all(
            re.fullmatch(r"TERM,[^,]*,[^,]*,(seiz|bckg),[^,]*", line) for line in lines if line[:1] not in "#c"
        )
        return "csv_bi" if binary and path.suffix != ".csv" else "tusz_csv"
    if {"onset", "duration"} <= {cell.strip().casefold() for cell in lines[0].split("\t")}:
        return "tsv"
    if {"onset", "duration", "description"} <= set(lines[0].replace(" ", "").split(",")):
        return "mne_csv"
    if re.search(r"^\s*Number of Seizures in File", text, re.IGNORECASE | re.MULTILINE):
        return "chbmit"
    if re.search(r"^\s*Registration start time", text, re.IGNORECASE | re.MULTILINE):
        return "siena"
    return None


def read_annotations(
    path: Path, format_name: Format | None = None, facts: RecordingFacts | None = None, *, allow_none: bool = False
) -> AnnotationFile:
    """Read annotations and check them: no reversed or empty seizure, none that starts outside the recording.

    Parameters
    ----------
    path : Path
    format_name : str, optional
        By default what `sniff` says.
    facts : RecordingFacts, optional
        They stand above what the file says; a warning tells where both differ.
    allow_none : bool
        Take a file that tells of other things only for "no seizure".

    Raises
    ------
    InputError
        If the format is not known, the file is not sound, or nothing in it is about seizures or background; the line is
        named.
    """
    facts = facts or RecordingFacts()
    chosen = format_name or sniff(path)
    if chosen is None:
        raise InputError(
            "is in no annotation format that we know",
            kind="header",
            file=path.name,
            hint=f"known formats: {', '.join(FORMATS)}",
        )
    file = _READERS[chosen](path, facts)
    if file.says_nothing and not allow_none:
        raise InputError(
            f"names no seizure and no background ({'; '.join(file.warnings)})",
            kind="empty",
            file=path.name,
            hint="who knows that there is no seizure says so: a row of background, or `convert --allow-none`",
        )
    said_s, known_s = file.duration_s, facts.duration_s
    warnings = file.warnings
    if said_s is not None and known_s is not None and abs(said_s - known_s) > DURATION_TOLERANCE_S:
        warnings += (f"the annotation is of {said_s:g} s, the recording has {known_s:g} s",)
    if file.start is not None and facts.start is not None:
        apart = abs(file.start - facts.start)
        if apart.total_seconds() > START_TOLERANCE_S:
            warnings += (
                f"the annotation says that the recording starts at {file.start}, its header says {facts.start}: "
                f"{apart} apart; times count from the recording's start",
            )
    duration_s = said_s if known_s is None else known_s
    return within_recording(
        check_intervals(replace(file, duration_s=duration_s, start=facts.start or file.start, warnings=warnings))
    )


def write_annotations(file: AnnotationFile, path: Path, format_name: Format | None = None, recording: str = "") -> None:
    """Write the seizures of a file in another format, atomically; see `encode`."""
    write_bytes(path, encode(file, format_name or format_of_suffix(path), recording or path.name))


def encode(file: AnnotationFile, format_name: Format, recording: str) -> bytes:
    """Return the seizures of a file as the bytes of another format.

    Parameters
    ----------
    file : AnnotationFile
        Sound, as `read_annotations` returns it.
    format_name : str
    recording : str
        File name of the recording, for formats that hold it.

    Raises
    ------
    InputError
        If the format needs the recording's duration and it is not known.
    OutputError
        If the format cannot express it.
    """
    try:
        text = _WRITERS[format_name](file, recording)
    except ValueError as problem:
        raise OutputError(str(problem), file=recording, hint="choose another format with --to") from problem
    return text if isinstance(text, bytes) else text.encode("utf-8")


def losses(file: AnnotationFile, format_name: Format) -> tuple[str, ...]:
    """Return what `encode` leaves out because the format has no place for it, one line each.

    Whether a person, a simulation or brainscan itself said where the seizures are, and how sure it was.
    """
    lost = []
    first_words = {comment.partition(" ")[0] for comment in file.comments}
    if format_name not in WITH_COMMENTS:
        instead = "`evaluate` will take it for an expert's"
        if Origin.from_comments(file.comments) is not None and REVIEWED not in first_words:
            lost.append(f"{format_name} cannot say that these are brainscan's own events: {instead}")
        if SIMULATED in first_words:
            lost.append(f"{format_name} cannot say that this truth is simulated: {instead}")
    if format_name not in WITH_CONFIDENCE and any(row.confidence != 1.0 for row in file.track()):
        lost.append(f"{format_name} holds no confidence: it is left out")
    channels = list(dict.fromkeys(row.channel for row in file.track_with_channels() if row.channel != ALL))
    if format_name not in WITH_CHANNELS and channels:
        shown = "; ".join(channels[:_MANY]) + (" ..." if len(channels) > _MANY else "")
        lost.append(f"{format_name} holds no channels: they are left out ({shown})")
    return tuple(lost)


def format_of_suffix(path: Path) -> Format:
    """Return the format that a new file's suffix means.

    Raises
    ------
    UsageError
        If it means none.
    """
    chosen = SUFFIXES.get(path.suffix.lower())
    if chosen is None:
        raise UsageError(
            f"{path.name}: the suffix does not tell the format", hint=f"choose with --to: {', '.join(FORMATS)}"
        )
    return chosen


def _from_list(
    path: Path,
    facts: RecordingFacts,
    names: Callable[[Path], tuple[str, ...]],
    reader: Callable[[Path, str], AnnotationFile],
) -> AnnotationFile:
    """Read one recording from a list of many; a list of one needs no name."""
    if facts.name:
        return reader(path, facts.name)
    listed = names(path)
    if len(listed) > 1:
        raise UsageError(
            f"{path.name} describes {len(listed)} recordings",
            hint=f"choose one with --recording: {', '.join(listed[:5])}{' ...' if len(listed) > 5 else ''}",
        )
    return reader(path, listed[0])


def _read_edf(path: Path, _facts: RecordingFacts) -> AnnotationFile:
    # Imported here: the EDF reader needs more than all text formats together.
    from brainscan.io.edf_annotations import read_edf_annotations

    return read_edf_annotations(path)


def _write_edf(file: AnnotationFile, _recording: str) -> bytes:
    from brainscan.io.edf_annotations import format_edf_annotations

    return format_edf_annotations(file)


_READERS: Mapping[Format, Callable[[Path, RecordingFacts], AnnotationFile]] = MappingProxyType(
    {
        "csv_bi": lambda path, _: read_csv_bi_events(path),
        "tusz_csv": lambda path, _: read_tusz_csv(path),
        "tse": lambda path, _: read_tse(path),
        "chbmit": lambda path, facts: _from_list(path, facts, recordings_of_summary, read_chbmit_summary),
        "siena": lambda path, facts: _from_list(path, facts, recordings_of_list, read_siena_list),
        "tsv": lambda path, _: read_bids_tsv(path),
        "edf": _read_edf,
        "mne_csv": lambda path, facts: read_mne_csv(path, facts.start),
    }
)

_WRITERS: Mapping[Format, Callable[[AnnotationFile, str], str | bytes]] = MappingProxyType(
    {
        "csv_bi": lambda file, name: format_csv_bi(file.track(), file.known_duration_s(), name, file.comments),
        "tusz_csv": format_tusz_csv,
        "tse": lambda file, _: format_tse(file),
        "chbmit": format_chbmit_summary,
        "siena": format_siena_list,
        "tsv": lambda file, _: format_bids_tsv(file.track_with_channels(), file.known_duration_s(), file.start),
        "edf": _write_edf,
        "mne_csv": lambda file, _: format_mne_csv(file),
    }
)
