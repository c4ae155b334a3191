"""The Temple corpora's own formats: per-channel CSV with seizure types, and TSE."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from brainscan.errors import InputError
from brainscan.events import Annotation
from brainscan.io.annotation_file import (
    BACKGROUND,
    SEIZURE,
    TUSZ_SEIZURES,
    AnnotationFile,
    is_seizure,
    row_error,
)
from brainscan.io.csv_bi import COLUMNS, COMMENT, TERM, VERSION, comment_lines, encode_bname, parse_csv
from brainscan.io.text_files import read_text

TSE_VERSION = "version = tse_v1.0.0"

_NON_EPILEPTIC = "nesz"
_LABEL_HINT = f"known: {BACKGROUND}, {_NON_EPILEPTIC}, {', '.join(sorted(TUSZ_SEIZURES))}"


def read_tusz_csv(path: Path) -> AnnotationFile:
    """Read a per-channel CSV file (``.csv``) of the Temple corpora.

    Returns
    -------
    AnnotationFile
        Rows of all channels with their seizure types; ``seizures`` is the union over channels. A non-epileptic
        seizure (``nesz``) counts as background, with a warning.

    Raises
    ------
    InputError
        As `read_csv_bi`, and for an unknown label; the line is named.
    """
    table = parse_csv(read_text(path, drop_bom=False), path.name)
    duration_s, warnings = table.in_seconds(path.name)
    file = _checked(table.rows, table.lines, path.name, duration_s)
    return replace(file, comments=table.comments, warnings=(*warnings, *file.warnings), recording=table.bname)


def read_tse(path: Path) -> AnnotationFile:
    """Read a TSE file (``.tse``, ``.tse_bi``): start, stop, label and probability in every line.

    Returns
    -------
    AnnotationFile
        The duration is the last stop: TSE tiles the whole recording.

    Raises
    ------
    InputError
        If the version line is missing, or for a malformed row or an unknown label; the line is named.
    """
    rows: list[Annotation] = []
    lines: list[int] = []
    comments: list[str] = []
    version = ""
    for number, raw in enumerate(read_text(path).splitlines(), start=1):
        line = raw.strip()
        if line.startswith(COMMENT):
            comments.append(line.removeprefix(COMMENT).strip())
        if not line or line.startswith("#"):
            continue
        if not version:
            version = re.sub(r"\s*=\s*", " = ", line)
            if version != TSE_VERSION:
                raise InputError(
                    "is no TSE file", kind="header", file=path.name, hint=f"its first line is {TSE_VERSION!r}"
                )
            continue
        rows.append(_tse_row(line, path.name, number))
        lines.append(number)
    if not rows:
        raise InputError("has no rows, so no duration either", kind="empty", file=path.name)
    file = _checked(tuple(rows), tuple(lines), path.name, max(row.offset_s for row in rows))
    return replace(file, comments=tuple(comments))


def _tse_row(line: str, name: str, number: int) -> Annotation:
    fields = line.split()
    if len(fields) not in (3, 4):
        raise row_error(
            f"has {len(fields)} columns instead of 4", name=name, line=number, hint="start stop label probability"
        )
    try:
        start, stop = float(fields[0]), float(fields[1])
        confidence = float(fields[3]) if len(fields) == 4 else 1.0
    except ValueError as problem:
        raise row_error(f"start, stop and probability must be numbers ({problem})", name=name, line=number) from None
    if not all(map(math.isfinite, (start, stop, confidence))):
        raise row_error("start, stop and probability must be finite", name=name, line=number)
    return Annotation(start, stop, fields[2], confidence)


def _checked(rows: tuple[Annotation, ...], lines: tuple[int, ...], name: str, duration_s: float) -> AnnotationFile:
    kept, n_non_epileptic = [], 0
    for row, line in zip(rows, lines, strict=True):
        if row.label == _NON_EPILEPTIC:
            n_non_epileptic += 1
            kept.append(replace(row, label=BACKGROUND))
        elif row.label == BACKGROUND or row.label in TUSZ_SEIZURES:
            kept.append(row)
        else:
            raise row_error(f"unknown label {row.label!r}", name=name, line=line, hint=_LABEL_HINT)
    warnings: tuple[str, ...] = ()
    if n_non_epileptic:
        warnings = (f"rows of non-epileptic seizures ({_NON_EPILEPTIC}) count as background: {n_non_epileptic}",)
    return AnnotationFile(tuple(kept), duration_s, lines, name, warnings=warnings)


def format_tusz_csv(file: AnnotationFile, bname: str) -> str:
    """Return the text of a per-channel CSV file; background fills what no seizure covers on each channel.

    Raises
    ------
    InputError
        If the file's duration is not known.
    """
    duration_s = file.known_duration_s()
    tracks: dict[str, list[Annotation]] = {}
    for row in file.annotations:
        for channel in row.channel.split(","):  # an event that other formats put on several channels at once
            tracks.setdefault(channel, []).append(row)
    rows = [
        f"{channel},{row.onset_s:.4f},{row.offset_s:.4f},{row.label},{row.confidence:.4f}"
        for channel, track in (tracks or {TERM: []}).items()
        for row in _tiled(track, duration_s)
    ]
    head = [f"# version = {VERSION}", f"# bname = {encode_bname(bname)}", f"# duration = {duration_s:.4f} secs", "#"]
    return "\n".join([*head, COLUMNS, *comment_lines(file.comments), *rows]) + "\n"


def format_tse(file: AnnotationFile) -> str:
    """Return the text of a TSE file: one track, background between the seizures.

    Raises
    ------
    InputError
        If the file's duration is not known.
    """
    rows = [
        f"{row.onset_s:.4f} {row.offset_s:.4f} {row.label} {row.confidence:.4f}"
        for row in _tiled(file.track(), file.known_duration_s())
    ]
    return "\n".join([TSE_VERSION, *comment_lines(file.comments), "", *rows]) + "\n"


def _tiled(rows: Iterable[Annotation], duration_s: float) -> list[Annotation]:
    """Return seizures with Temple labels and the background between them."""
    tiles, at_s = [], 0.0
    for row in sorted(row for row in rows if is_seizure(row.label)):
        label = row.label if row.label in TUSZ_SEIZURES else SEIZURE
        if row.offset_s <= at_s:
            continue  # one event on this channel alone, within one on several
        if row.onset_s > at_s:
            tiles.append(Annotation(at_s, row.onset_s, BACKGROUND))
        tiles.append(replace(row, label=label, onset_s=max(row.onset_s, at_s), offset_s=min(row.offset_s, duration_s)))
        at_s = row.offset_s
    if at_s < duration_s:
        tiles.append(Annotation(at_s, duration_s, BACKGROUND))
    return tiles
