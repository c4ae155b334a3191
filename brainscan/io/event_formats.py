"""The table of event formats: what every command reads and writes, one row each.

``detect``, ``scan``, ``convert``, ``score``, ``evaluate``, the help texts, the messages about suffixes and the table of
docs/formats.md follow from it. A new format is a module that encodes or decodes, and a row here; the rows stand in
the order of preference where a folder holds several files for one recording.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import Any

from brainscan.errors import InputError, UsageError, reason_of
from brainscan.io.bids_tsv import format_bids_tsv, read_bids_tsv
from brainscan.io.chbmit import format_chbmit_summary, read_chbmit_summary, recordings_of_summary
from brainscan.io.content import Content
from brainscan.io.csv_bi import format_csv_bi, read_csv_bi_events
from brainscan.io.event_format import FACTS, HEAD_BYTES, EventFormat, Head, Holding, of_list
from brainscan.io.links import content_elsewhere, pointer
from brainscan.io.mne_csv import format_mne_csv, read_mne_csv
from brainscan.io.origin import Origin, origin_in_comments
from brainscan.io.siena import format_siena_list, read_siena_list, recordings_of_list
from brainscan.io.tables import columns_of
from brainscan.io.tusz import format_tse, format_tusz_csv, read_tse, read_tusz_csv
from brainscan.io.wfdb import read_wfdb_seizures


def _later(module: str, name: str) -> Callable[..., Any]:
    """Return a function that is imported when it is called: some need more than all text formats together."""

    def call(*arguments: object) -> Any:
        return getattr(importlib.import_module(module), name)(*arguments)

    return call


def _text(write: Callable[[Content], str]) -> Callable[[Content], Iterable[bytes]]:
    return lambda content: (write(content).encode("utf-8"),)


def _has(pattern: str) -> Callable[[Head], bool]:
    compiled = re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    return lambda head: compiled.search(head.text) is not None


def _is_temple(head: Head, *, binary: bool) -> bool:
    """Tell the two formats of one grammar apart: by the suffix, else by what the rows hold."""
    if head.name.endswith(".csv_bi") and b"\0" not in head.data and not head.first.startswith("version"):
        return binary
    if re.search(r"^#? ?version\s*=\s*csv_v", head.text, re.IGNORECASE | re.MULTILINE) is None:
        return False
    rows = [line for line in head.lines if line[:1] not in "#c"]
    two_classes = all(re.fullmatch(r"TERM,[^,]*,[^,]*,(seiz|bckg),[^,]*", row) for row in rows)
    return binary == (two_classes and not head.name.endswith(".csv"))


_ARRAYS = re.compile(rb"(origin|rate_hz|segment_start_s|segment_samples|probability)\.npy")

_ROWS = (
    EventFormat(
        name="csv_bi",
        what="seizure and background, as the Temple and NEDC tools take them",
        holds=frozenset({"events", "annotations"}),
        suffixes=(".csv_bi",),
        keeps=frozenset({"origin", "confidence"}),
        recognise=lambda head: _is_temple(head, binary=True),
        decode=lambda path, _: read_csv_bi_events(path),
        encode=_text(lambda c: format_csv_bi(c.file.track(), c.file.known_duration_s(), c.name, c.file.comments)),
        origin=origin_in_comments,
    ),
    EventFormat(
        name="json",
        what="everything that `detect` says",
        holds=frozenset({"events"}),
        suffixes=(".json",),
        keeps=frozenset({"origin", "confidence", "start"}),
        recognise=lambda head: head.text.lstrip().startswith("{") and '"events"' in head.text,
        decode=lambda path, _: _later("brainscan.io.detection_json", "read_json")(path),
        encode=_later("brainscan.io.detection_json", "encode_json"),
        origin=_later("brainscan.io.detection_json", "origin_of_json"),
        needs="detection",
    ),
    EventFormat(
        name="tsv",
        what="HED-SCORE events of BIDS-EEG, as SzCORE takes them",
        holds=frozenset({"events", "annotations"}),
        suffixes=(".tsv",),
        keeps=frozenset({"confidence", "hed_types", "start", "channels"}),
        recognise=lambda head: {"onset", "duration"} <= {cell.strip().casefold() for cell in head.first.split("\t")},
        decode=lambda path, _: read_bids_tsv(path),
        encode=_text(lambda c: format_bids_tsv(c.file.track_with_channels(), c.file.known_duration_s(), c.file.start)),
        is_notes=True,
    ),
    EventFormat(
        name="tse",
        what="one track with seizure types (Temple, old)",
        holds=frozenset({"events", "annotations"}),
        suffixes=(".tse", ".tse_bi"),
        keeps=frozenset({"origin", "confidence", "types"}),
        recognise=lambda head: re.match(r"version\s*=\s*tse", head.first) is not None,
        decode=lambda path, _: read_tse(path),
        encode=_text(lambda c: format_tse(c.file)),
        origin=origin_in_comments,
    ),
    EventFormat(
        name="tusz_csv",
        what="rows by channel, with seizure types (Temple)",
        holds=frozenset({"events", "annotations"}),
        suffixes=(".csv",),
        keeps=frozenset({"origin", "confidence", "types", "channels"}),
        recognise=lambda head: _is_temple(head, binary=False),
        decode=lambda path, _: read_tusz_csv(path),
        encode=_text(lambda c: format_tusz_csv(c.file, c.name)),
        origin=origin_in_comments,
    ),
    EventFormat(
        name="mne_csv",
        what="annotations as MNE-Python saves them",
        holds=frozenset({"events", "annotations"}),
        suffixes=("-annot.csv",),
        keeps=frozenset({"types", "hed_types", "start"}),
        recognise=lambda head: {"onset", "duration", "description"} <= columns_of(head.first),
        decode=lambda path, facts: read_mne_csv(path, facts.start),
        encode=_text(lambda c: format_mne_csv(c.file)),
        is_notes=True,
    ),
    EventFormat(
        name="npz",
        what="probability at 256 Hz (NumPy)",
        holds=frozenset({"curve"}),
        suffixes=(".npz",),
        keeps=frozenset({"origin"}),
        recognise=lambda head: head.data.startswith(b"PK\x03\x04") and _ARRAYS.search(head.data, 0, 100) is not None,
        encode=_later("brainscan.io.curves", "encode_curves"),
        origin=_later("brainscan.io.curves", "origin_of_curves"),
        needs="detection",
    ),
    EventFormat(
        name="trends",
        what="aEEG, spectra, asymmetry, rhythmicity, suppression, quality every 4 s (NumPy)",
        holds=frozenset({"trend"}),
        suffixes=(".trends.npz",),
        keeps=frozenset({"origin"}),
        recognise=lambda head: head.data.startswith(b"PK\x03\x04") and b"column_s.npy" in head.data[:100],
        encode=_later("brainscan.io.trend_files", "encode_trends"),
        origin=_later("brainscan.io.curves", "origin_of_curves"),
        needs="detection",
    ),
    EventFormat(
        name="html",
        what="a page to read and review: what was found, the night, the EEG around each event",
        holds=frozenset({"events", "curve", "trend"}),
        suffixes=(".html", ".htm"),
        keeps=frozenset(FACTS),
        recognise=lambda head: 'id="brainscan-origin"' in head.text,
        encode=_later("brainscan.report.recording_page", "encode_page"),
        origin=_later("brainscan.report.recording_page", "origin_of_page"),
        needs="recording",
        extra="report",
        module="jinja2",
    ),
    EventFormat(
        name="edf",
        what="the recording itself, as EDF+ or BDF+, with the events among its annotations",
        holds=frozenset({"events", "annotations", "recording"}),
        suffixes=("-brainscan.edf", "-brainscan.bdf", ".edf", ".bdf"),
        keeps=frozenset({"origin", "confidence", "types", "hed_types", "start"}),
        recognise=lambda head: head.data[:8] in (b"0       ", b"\xffBIOSEMI"),
        decode=lambda path, _: _later("brainscan.io.edf_annotations", "read_edf_annotations")(path),
        encode=_later("brainscan.io.edf_copy", "encode_copy"),
        origin=_later("brainscan.io.edf_annotations", "origin_of_edf"),
        is_notes=True,
        needs="recording",
        check=_later("brainscan.io.edf_copy", "check_copy"),
        suffix_for=_later("brainscan.io.edf_copy", "copy_suffix"),
    ),
    EventFormat(
        name="edf-annotations",
        what="EDF+ with the events alone, to be opened beside the recording; read as `edf`",
        holds=frozenset({"events", "annotations"}),
        suffixes=("-annotations.edf", ".edf"),
        keeps=frozenset({"origin", "confidence", "types", "hed_types", "start"}),
        encode=lambda c: (_later("brainscan.io.edf_annotations", "format_edf_annotations")(c.file),),
        origin=_later("brainscan.io.edf_annotations", "origin_of_edf"),
        is_notes=True,
    ),
    EventFormat(
        name="wfdb",
        what="marks of CHB-MIT's `.seizures` (WFDB)",
        holds=frozenset({"annotations"}),
        suffixes=(".seizures",),
        recognise=lambda head: head.name.lower().endswith(".seizures"),
        decode=lambda path, _: read_wfdb_seizures(path),
        fallback=True,
    ),
    EventFormat(
        name="chbmit",
        what="summary of a child's recordings (CHB-MIT)",
        holds=frozenset({"annotations"}),
        suffixes=("-summary.txt",),
        recognise=_has(r"^\s*Number of Seizures in File"),
        decode=lambda path, facts: of_list(
            path,
            facts,
            recordings_of_summary,
            lambda p, name: read_chbmit_summary(p, name, facts.duration_s, facts.start),
        ),
        encode=_text(lambda c: format_chbmit_summary(c.file, c.name)),
        recordings=recordings_of_summary,
    ),
    EventFormat(
        name="siena",
        what="list of a patient's seizures by the clock (Siena)",
        holds=frozenset({"annotations"}),
        recognise=_has(r"^\s*Registration start time"),
        decode=lambda path, facts: of_list(path, facts, recordings_of_list, read_siena_list),
        encode=_text(lambda c: format_siena_list(c.file, c.name)),
        recordings=recordings_of_list,
    ),
)

FORMATS: Mapping[str, EventFormat] = MappingProxyType({row.name: row for row in _ROWS})


def rows(wanted: Callable[[EventFormat], object] = bool) -> tuple[EventFormat, ...]:
    """Return the rows for which something holds, in the order of the table."""
    return tuple(row for row in FORMATS.values() if wanted(row))


def outputs() -> tuple[EventFormat, ...]:
    """Return what `detect` writes."""
    return rows(lambda row: row.is_output)


def resumable() -> tuple[EventFormat, ...]:
    """Return what `scan` writes: formats in which it can later see what it has done."""
    return rows(lambda row: row.is_output and row.origin)


def readable() -> tuple[EventFormat, ...]:
    """Return what `convert`, `score` and `evaluate` read."""
    return rows(lambda row: row.decode)


def references() -> tuple[EventFormat, ...]:
    """Return what may be the truth about one recording: first what tells channels, as it tells the types as well."""
    alone = rows(lambda row: "annotations" in row.holds and row.decode and not (row.recordings or row.fallback))
    return tuple(sorted(alone, key=lambda row: "channels" not in row.keeps))


def tables() -> tuple[EventFormat, ...]:
    """Return what `score` looks for in a folder: one recording's events in a file that is nothing else."""
    return rows(lambda row: row in references() and "recording" not in row.holds)


def table_suffixes() -> tuple[str, ...]:
    """Return their suffixes, in the order of preference."""
    return tuple(suffix for row in tables() for suffix in row.suffixes)


def convertible() -> tuple[EventFormat, ...]:
    """Return what `convert` writes."""
    return rows(lambda row: row.encode and row.needs == "events")


def names(wanted: Iterable[EventFormat]) -> str:
    """Return the names of rows for a message or a help text."""
    return ", ".join(row.name for row in wanted)


def suffixes(*holdings: Holding) -> tuple[str, ...]:
    """Return the suffixes of formats that hold one thing or another and are read, in the order of preference."""
    found = [
        suffix
        for holding in holdings
        for row in rows()
        if holding in row.holds and (row.decode or row.holds == {"curve"})
        for suffix in row.suffixes
    ]
    return tuple(dict.fromkeys(found))


def named(name: str, option: str, among: Iterable[EventFormat]) -> EventFormat:
    """Return the row of a name that a user gave.

    Raises
    ------
    UsageError
        If none of the rows has it.
    """
    among = tuple(among)
    for row in among:
        if row.name == name:
            return row
    known = " here" if name in FORMATS else ""
    raise UsageError(f"no such format{known}: {name}", hint=f"{option} takes {names(among)}")


def by_suffix(name: str, among: Iterable[EventFormat] | None = None) -> EventFormat | None:
    """Return the row that the end of a file's name means, the longest suffix first; None if it means none.

    Parameters
    ----------
    name : str
    among : iterable of EventFormat, optional
        What can be meant; by default any row.
    """
    found = [(len(s), row) for row in among or rows() for s in row.suffixes if name.lower().endswith(s)]
    return max(found, key=lambda pair: pair[0])[1] if found else None


def for_file(output: str, among: Iterable[EventFormat], option: str, chosen: EventFormat | None = None) -> EventFormat:
    """Return the format of a file to write: what its suffix says, which a chosen format must not contradict.

    Parameters
    ----------
    output : str
        As the user typed it.
    among : iterable of EventFormat
        What can be written.
    option : str
        That names a format, for messages.
    chosen : EventFormat, optional
        By that option. A suffix that means nothing is then the user's own affair, but for that of a recording.

    Raises
    ------
    UsageError
        If the suffix means none of them, or another than the chosen one.
    """
    from brainscan.io.containers import recording_suffixes

    among = tuple(among)
    name = PurePath(output).name
    suffix = PurePath(name).suffix.lower()
    meant = by_suffix(name, among) or by_suffix(name)
    if chosen is not None and suffix in chosen.extensions:
        return chosen
    if meant is None and suffix not in recording_suffixes():
        if chosen is not None:
            return chosen
        hint = f"choose with {option}: {names(among)}"
        raise UsageError(f"{name}: the suffix does not tell the format", hint=hint)
    said = suffix if meant is None else meant.name
    if chosen is not None:
        raise UsageError(f"{output} names {said}, {option} says {chosen.name}", hint="give one of them")
    if meant is None or meant not in among:
        endings = ", ".join(row.suffixes[0] for row in among if row.suffixes)
        raise UsageError(f"{output} names {said}, which is not written here", hint=f"a name may end in {endings}")
    return meant


def sniff(path: Path) -> str | None:
    """Return the name of a file's format by its content; None if it looks like none.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    try:
        with path.open("rb") as stream:
            head = Head(path.name, stream.read(HEAD_BYTES))
    except OSError as problem:
        raise content_elsewhere(path) or InputError(
            f"cannot be read ({reason_of(problem)})", kind="io", file=path.name
        ) from problem
    if absent := pointer(head.data, path.name):
        raise absent
    return next((row.name for row in _asked(head)), None)


def origin_of(path: Path) -> Origin | None:
    """Return what made a file, None where brainscan did not or it cannot be read.

    Comment lines of ours count in any text, also in one that is damaged otherwise.
    """
    try:
        with path.open("rb") as stream:
            head = Head(path.name, stream.read(HEAD_BYTES))
    except OSError:
        return None
    own = next((row.origin for row in _asked(head) if row.origin is not None), origin_in_comments)
    return own(path)


def _asked(head: Head) -> Iterator[EventFormat]:
    return (row for row in rows() if head.data.strip() and row.recognise(head))
