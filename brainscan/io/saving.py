"""`save`: one detection into one file, for those who call from Python."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

from brainscan.detection import Detection
from brainscan.errors import UsageError
from brainscan.io import event_formats
from brainscan.io.annotations import losses
from brainscan.io.content import Content
from brainscan.io.guard import check_place, protect
from brainscan.io.origin import Origin
from brainscan.io.outputs import guard, write


def save(detection: Detection, path: str | os.PathLike[str], format_name: str = "", *, force: bool = False) -> Path:
    """Write a detection; see `brainscan.Detection.save`.

    Raises
    ------
    TypeError
        If `path` is no path.
    UsageError, MissingExtraError, OutputError
        As `Detection.save` says.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"save takes a path (str or pathlib.Path), got {type(path).__name__}")
    place, among = Path(path), event_formats.outputs()
    chosen = event_formats.named(format_name, "save", among) if format_name else None
    row = event_formats.for_file(place.name, among, "save", chosen)
    row.require()
    if row.needs == "recording":
        raise UsageError(
            f"{row.name} shows the recording's samples, which a detection does not hold",
            file=detection.file,
            hint="write the text of detection.to_html(recording)",
        )
    if "curve" in row.holds and not detection.probabilities:
        raise UsageError(
            f"{row.name} holds the probability curves, and this detection has none",
            file=detection.file,
            hint="detect with DetectOptions(keep_probabilities=True)",
        )
    if row.holds == {"trend"} and detection.trends is None:
        raise UsageError(
            f"{row.name} holds the trends, and this detection has none",
            file=detection.file,
            hint="detect with DetectOptions(keep_trends=True)",
        )
    protect(place)
    check_place(place)
    if not force:
        guard(place, Origin(detection.sha256, detection.model))
    content = Content.of(detection)
    write(content, place, row)
    for text in losses(content.file, row.name):
        warnings.warn(text, UserWarning, stacklevel=3)
    return place
