"""Writers of a `Detection`: one function a format, a guard against overwriting, atomic files."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import Any

import numpy as np

from brainscan.card import NOTICE
from brainscan.detection import Detection
from brainscan.errors import OutputError
from brainscan.events import RATE_HZ
from brainscan.io.atomic import write_bytes
from brainscan.io.csv_bi import format_csv_bi
from brainscan.io.origin import Origin, origin_of
from brainscan.mapping import to_mapping


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """One output format.

    Parameters
    ----------
    suffix : str
        With the dot.
    encode : callable
        ``Detection -> bytes``.
    """

    suffix: str
    encode: Callable[[Detection], bytes]


def as_csv_bi(detection: Detection) -> bytes:
    """Return the events as CSV_bi; further facts stand in ``# brainscan:`` comment lines."""
    text = format_csv_bi(detection.events, detection.duration_s, detection.file, comments(detection))
    return text.encode("ascii")


def comments(detection: Detection) -> list[str]:
    """Return the facts that a CSV_bi carries as comments, one line each."""
    lines = [*Origin(detection.sha256, detection.model).comment_lines(), f"analysed {detection.analysed_s:.4f} s"]
    lines += [f"unscored {start:.4f} {stop:.4f}" for start, stop in detection.unscored]
    lines += [f"electrode {e.name} {e.how}" for e in detection.electrodes if e.how != "recorded"]
    lines += [f"warning {warning}" for warning in detection.warnings]
    for event in detection.events:
        clock = detection.clock(event.onset_s)
        if clock is not None:
            mark = " prolonged" if event.prolonged else ""
            lines.append(f"event {event.onset_s:.4f} at {clock.isoformat(timespec='milliseconds')}{mark}")
    return [*lines, f"notice {NOTICE}"]


def as_mapping(detection: Detection) -> dict[str, Any]:
    """Return the detection as plain JSON values (docs/definitions.md; more may stand beside the fixed keys)."""

    def at_clock(at_s: float) -> str | None:
        clock = detection.clock(at_s)
        return None if clock is None else clock.isoformat(timespec="milliseconds")

    return {
        "file": detection.file,
        "format": detection.format,
        "start": None if detection.start is None else detection.start.isoformat(),
        "duration_s": detection.duration_s,
        "analysed_s": detection.analysed_s,
        "events": [
            {
                "onset_s": event.onset_s,
                "offset_s": event.offset_s,
                "confidence": event.confidence,
                "prolonged": event.prolonged,
                "clock": at_clock(event.onset_s),
            }
            for event in detection.events
        ],
        "unscored": [list(span) for span in detection.unscored],
        "segments": [[s.start_s, s.stop_s] for s in detection.segments],
        "electrodes": {e.name: electrode_mapping(e) for e in detection.electrodes},
        "low_trust": detection.low_trust,
        "warnings": list(detection.warnings),
        "sha256": detection.sha256,
        "model": to_mapping(detection.model),
        "notice": NOTICE,
    }


def electrode_mapping(report: Any) -> dict[str, Any]:
    """Return one electrode's verdict as plain JSON values."""
    return {
        "found": report.found,
        "how": report.how,
        "quality": report.quality,
        "bad_share": round(report.bad_share, 4),
        "channels": list(report.channels),
    }


def as_json(detection: Detection) -> bytes:
    """Return the detection as one JSON document."""
    text = json.dumps(as_mapping(detection), indent=2, ensure_ascii=False) + "\n"
    # A file name that is no UTF-8 holds lone surrogates; escaped with a backslash they are valid JSON.
    return text.encode("utf-8", "backslashreplace")


FORMATS: Mapping[str, OutputFormat] = MappingProxyType(
    {"csv_bi": OutputFormat(".csv_bi", as_csv_bi), "json": OutputFormat(".json", as_json)}
)


def guard(path: Path, sha256: str, *, force: bool) -> None:
    """Refuse to overwrite what brainscan did not write for this very recording.

    A corpus keeps its truth under the name that we would write.

    Raises
    ------
    OutputError
        If the file exists, is not ours, and `force` is not set.
    """
    if force or not path.exists() or not path.is_file():
        return
    origin = origin_of(path)
    if origin is not None and origin.same_input(sha256):
        return
    raise OutputError(
        "exists and was not written by brainscan for this recording",
        file=str(path),
        hint="choose another place with -o, or overwrite it with --force",
    )


def write(detection: Detection, path: Path, format_name: str) -> None:
    """Write one format atomically.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    write_bytes(path, FORMATS[format_name].encode(detection))


def write_probabilities(detection: Detection, path: Path) -> None:
    """Write the curves as .npz: ``rate_hz``, ``segment_start_s``, ``segment_samples``, ``probability``, ``origin``.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    curves = detection.probabilities
    buffer = io.BytesIO()
    origin = json.dumps({"sha256": detection.sha256, "model": to_mapping(detection.model)}, sort_keys=True)
    np.savez(
        buffer,
        origin=np.array(origin),
        rate_hz=np.int64(RATE_HZ),
        segment_start_s=np.array([c.start_s for c in curves], dtype=np.float64),
        segment_samples=np.array([len(c.values) for c in curves], dtype=np.int64),
        probability=np.concatenate([c.values for c in curves]) if curves else np.zeros(0, dtype=np.float32),
    )
    write_bytes(path, buffer.getvalue())


def output_stem(recording: PurePath) -> str:
    """Return the name of a recording without its suffix."""
    return recording.stem or recording.name


def anonymous_name(name: str) -> str:
    """Return a stable stand-in for a file name: the beginning of its SHA-256."""
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def anonymised(detection: Detection) -> Detection:
    """Return the detection under its stand-in name; warnings that quote the name lose it too."""
    stand_in = anonymous_name(detection.file)
    warnings = tuple(w.replace(detection.file, stand_in) for w in detection.warnings)
    return replace(detection, file=stand_in, warnings=warnings)
