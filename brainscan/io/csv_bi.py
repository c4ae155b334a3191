"""CSV_bi, the event format of the Temple tools: read as strictly as the official reader, write as it writes.

The per-channel files of the Temple corpora share the grammar (`brainscan.io.tusz`).
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote

from brainscan.errors import InputError
from brainscan.events import Annotation, Event
from brainscan.io.annotation_file import BACKGROUND, SEIZURE, AnnotationFile, row_error
from brainscan.io.text_files import read_text

VERSION = "csv_v1.0.0"
COLUMNS = "channel,start_time,stop_time,label,confidence"
TERM = "TERM"
COMMENT = "# brainscan:"
"""What our own comment lines begin with; the official reader skips them."""

_MONTAGE_FILE = "brainscan_19_average.txt"  # informational; no tool opens it
_UNITS = {
    1.0: frozenset({"", "s", "sec", "secs", "second", "seconds"}),
    60.0: frozenset({"m", "min", "mins", "minute", "minutes"}),
    3600.0: frozenset({"h", "hr", "hrs", "hour", "hours"}),
    0.001: frozenset({"ms", "msec", "msecs", "millisecond", "milliseconds"}),
}
_HEADER_HINT = "a CSV_bi file begins with '# version = csv_v1.0.0' and has a line '# duration = <seconds> secs'"


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A parsed CSV_bi or per-channel CSV file; see `parse_csv`."""

    rows: tuple[Annotation, ...]
    lines: tuple[int, ...]
    duration_s: float
    bname: str
    comments: tuple[str, ...]
    unit: str = ""

    def in_seconds(self, name: str) -> tuple[float, tuple[str, ...]]:
        """Return the duration with its unit heeded, and a warning where it is not seconds.

        The official reader takes the number for seconds whatever follows it.

        Raises
        ------
        InputError
            If the unit is none that we know.
        """
        seconds = next((size for size, names in _UNITS.items() if self.unit.casefold().rstrip(".") in names), None)
        if seconds is None:
            raise InputError(
                f"duration has a unit that is not known ({self.unit!r})", kind="header", file=name, hint=_HEADER_HINT
            )
        if seconds == 1.0:
            return self.duration_s, ()
        said = f"{self.duration_s:g} {self.unit}"
        return self.duration_s * seconds, (
            f"duration is {said}: taken as {self.duration_s * seconds:g} s (the official tools read "
            f"{self.duration_s:g} s)",
        )


def read_csv_bi(path: Path) -> AnnotationFile:
    """Read a CSV_bi file; what makes the official reader stop is an error here.

    Rows that overlap, are reversed, empty, or lie outside the recording pass (the official scorer takes
    them too): `annotation_file.check_intervals` finds them.

    Parameters
    ----------
    path : Path

    Returns
    -------
    AnnotationFile
        Only rows of channel ``TERM``; the duration of the header.

    Raises
    ------
    InputError
        If the file cannot be read, is no CSV_bi, has no duration, a malformed row, or a label other than
        ``seiz`` and ``bckg``; the line is named.
    """
    return csv_bi_from_text(read_text(path, drop_bom=False), path.name)


def read_csv_bi_events(path: Path) -> AnnotationFile:
    """Read a CSV_bi file as `read_csv_bi` does, but with the unit of its duration heeded, and what is left out told.

    Raises
    ------
    InputError
        As `read_csv_bi`, and for a unit that is not known.
    """
    text = read_text(path, drop_bom=False)
    table = parse_csv(text, path.name)
    duration_s, warnings = table.in_seconds(path.name)
    others = [row for row in table.rows if row.channel != TERM]
    if others:
        n_seizures = sum(row.label != BACKGROUND for row in others)
        warnings += (
            f"rows of other channels than {TERM} are passed over: {len(others)}, of seizures {n_seizures} "
            f"(`--from tusz_csv` reads them)",
        )
    file = csv_bi_from_text(text, path.name)
    return replace(file, duration_s=duration_s, warnings=warnings, n_passed=len(others))


def csv_bi_from_text(text: str, name: str) -> AnnotationFile:
    """Parse the text of a CSV_bi file; see `read_csv_bi`."""
    table = parse_csv(text, name)
    kept = [(row, line) for row, line in zip(table.rows, table.lines, strict=True) if row.channel == TERM]
    for row, line in kept:
        if row.label not in (SEIZURE, BACKGROUND):
            raise row_error(
                f"unknown label {row.label!r}",
                name=name,
                line=line,
                hint="CSV_bi knows seiz and bckg, in lower case; `brainscan convert --from tusz_csv` reads types",
            )
    return AnnotationFile(
        annotations=tuple(row for row, _ in kept),
        duration_s=table.duration_s,
        lines=tuple(line for _, line in kept),
        name=name,
        comments=table.comments,
        recording=table.bname,
    )


def parse_csv(text: str, name: str) -> CsvTable:
    """Parse the grammar that CSV_bi and the per-channel CSV share.

    Parameters
    ----------
    text : str
    name : str
        File name for messages.

    Raises
    ------
    InputError
        As `read_csv_bi`; labels are not judged here.
    """
    if text.startswith("\ufeff"):
        # The official reader does not see the version line behind the mark, and stops.
        raise InputError("begins with a byte order mark", kind="header", file=name, hint="save it as UTF-8 without BOM")
    rows: list[Annotation] = []
    lines: list[int] = []
    comments: list[str] = []
    version: str | None = None
    duration_s: float | None = None
    bname = unit = ""
    for number, raw in enumerate(io.StringIO(text, newline=None), start=1):
        compact = raw.replace(" ", "").rstrip("\n")
        if version is None and re.match(r"(# )?version", raw, re.IGNORECASE):
            version = raw.partition("=")[2].strip().lower()
        elif compact.startswith("#"):
            if raw.startswith(COMMENT):
                comments.append(raw.removeprefix(COMMENT).strip())
            key, value = _header(raw)
            if key == "duration":
                duration_s = _duration(value, name, number)
                unit = next(iter(value.split()[1:2]), "")
            elif key == "bname":
                bname = unquote(value.strip())
        elif compact and not compact.startswith("channel,"):
            rows.append(_row(compact, name, number))
            lines.append(number)
    if version != VERSION:
        seen = f"version {version!r}" if version else "no version line"
        raise InputError(f"is no {VERSION} file ({seen})", kind="header", file=name, hint=_HEADER_HINT)
    if duration_s is None:
        raise InputError("has no duration line", kind="header", file=name, hint=_HEADER_HINT)
    return CsvTable(tuple(rows), tuple(lines), duration_s, bname, tuple(comments), unit)


def _header(raw: str) -> tuple[str, str]:
    """Split ``# key = value``; like the official reader, only with the ``#`` first and a line end last."""
    if not (raw.startswith("#") and raw.endswith("\n")):
        return "", ""
    key, equals, value = raw[1:].partition("=")
    return (key.replace(" ", ""), value) if equals else ("", "")


def _duration(value: str, name: str, line: int) -> float:
    token = (value.split() or [""])[0]
    try:
        duration_s = float(token)
    except ValueError:
        duration_s = math.nan
    if not 0.0 <= duration_s < math.inf:
        raise row_error(
            f"duration is no number of seconds ({token!r})", name=name, line=line, hint="write it as '100.0000 secs'"
        )
    return duration_s


def _row(compact: str, name: str, line: int) -> Annotation:
    fields = compact.split(",")
    if len(fields) != 5:
        raise row_error(f"has {len(fields)} columns instead of 5", name=name, line=line, hint=f"columns: {COLUMNS}")
    channel, start, stop, label, confidence = fields
    try:
        values = float(start), float(stop), float(confidence)
    except ValueError as problem:
        raise row_error(f"start, stop and confidence must be numbers ({problem})", name=name, line=line) from None
    if not all(map(math.isfinite, values)):
        raise row_error("start, stop and confidence must be finite", name=name, line=line)
    return Annotation(values[0], values[1], label, values[2], channel)


def format_csv_bi(
    events: Iterable[Event | Annotation], duration_s: float, bname: str, comments: Sequence[str] = ()
) -> str:
    """Return the text of a CSV_bi file that tiles the whole recording.

    Parameters
    ----------
    events : iterable of Event or Annotation
        Seizures, in any order, disjoint, within the recording.
    duration_s : float
        Of the recording, seconds.
    bname : str
        Name of the recording's file; folders are no part of it, and it is cut at the first dot.
    comments : sequence of str
        One ``# brainscan:`` line each.

    Returns
    -------
    str
        ASCII, LF line ends, times rounded to 0.1 ms. An event that vanishes in that rounding is left out.

    Raises
    ------
    ValueError
        If events overlap or leave the recording.
    """
    total = round(duration_s * 1e4)  # ticks of 0.1 ms: the tiles must join exactly in print
    head = [
        f"# version = {VERSION}",
        f"# bname = {encode_bname(bname)}",
        f"# duration = {total / 1e4:.4f} secs",
        f"# montage_file = {_MONTAGE_FILE}",
        "#",
        COLUMNS,
        # After the column names: other people's readers skip a fixed number of lines to find those.
        *comment_lines(comments),
    ]
    rows, at = [], 0
    for event in sorted(events, key=lambda event: event.onset_s):
        first, last = round(event.onset_s * 1e4), round(event.offset_s * 1e4)
        if first < at or last < first or last > total:
            raise ValueError(
                f"events must be disjoint and within 0..{duration_s} s, got {event.onset_s} s .. {event.offset_s} s"
            )
        if first == last:
            continue
        if first > at:
            rows.append(_format_row(at, first, BACKGROUND, 1.0))
        rows.append(_format_row(first, last, SEIZURE, event.confidence))
        at = last
    if at < total:
        rows.append(_format_row(at, total, BACKGROUND, 1.0))
    return "\n".join([*head, *rows]) + "\n"


def _format_row(first: int, last: int, label: str, confidence: float) -> str:
    return f"{TERM},{first / 1e4:.4f},{last / 1e4:.4f},{label},{confidence:.4f}"


def encode_bname(name: str) -> str:
    """Return a recording's name as the header's grammar allows it: visible ASCII up to the first dot.

    Other characters are percent-encoded (UTF-8), and so is a percent sign that would read as such a code.

    >>> encode_bname("Fräulein 7.edf")
    'Fr%C3%A4ulein%207'
    """
    stem = name.lstrip(".").partition(".")[0] or "recording"
    stem = re.sub(r"%(?=[0-9A-Fa-f]{2})", "%25", stem)
    return "".join(c if "!" <= c <= "~" else "".join(f"%{b:02X}" for b in _utf8(c)) for c in stem)


def _utf8(character: str) -> bytes:
    # File names that are no UTF-8 reach Python as lone surrogates; their bytes are the name.
    return character.encode("utf-8", "surrogateescape" if "\udc80" <= character <= "\udcff" else "surrogatepass")


def comment_lines(comments: Sequence[str]) -> list[str]:
    """Return our remarks as lines of comment, for every format that passes over lines which begin with ``#``."""
    return [f"{COMMENT} {_one_line(comment)}" for comment in comments]


def _one_line(comment: str) -> str:
    return " ".join(comment.split()).encode("ascii", "backslashreplace").decode("ascii")
