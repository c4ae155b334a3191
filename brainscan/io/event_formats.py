"""The table of event formats: what every command reads and writes, one row each.

``detect``, ``scan``, ``convert``, ``score``, ``evaluate``, the help texts, the messages about suffixes and the table of
docs/formats.md follow from it. A new format is a module that encodes or decodes, and a row in a family of
`brainscan.io.event_rows`; the rows stand in the order of preference where a folder holds several files for one
recording.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import TYPE_CHECKING

from brainscan.errors import InputError, UsageError, reason_of
from brainscan.io.event_format import HEAD_BYTES, EventFormat, Head, Holding
from brainscan.io.event_rows.detections import DETECTIONS
from brainscan.io.event_rows.lists import LISTS
from brainscan.io.event_rows.tables import TABLES
from brainscan.io.later import later
from brainscan.io.links import content_elsewhere, pointer

if TYPE_CHECKING:
    from brainscan.io.origin import Origin

FORMATS: Mapping[str, EventFormat] = MappingProxyType({row.name: row for row in (*TABLES, *DETECTIONS, *LISTS)})


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
    in_comments = later("brainscan.io.origin", "origin_in_comments")
    origin: Origin | None = next((row.origin for row in _asked(head) if row.origin is not None), in_comments)(path)
    return origin


def _asked(head: Head) -> Iterator[EventFormat]:
    return (row for row in rows() if head.data.strip() and row.recognise(head))
