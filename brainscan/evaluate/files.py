"""The files of an evaluation: metrics.json, events.csv, small tables and the report, written whole, and read back."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from brainscan.documents import spelled
from brainscan.errors import InputError, OutputError, reason_of
from brainscan.evaluate.evaluation import Evaluation
from brainscan.evaluate.mistakes import pictures, worst_alarms, worst_misses
from brainscan.evaluate.points import METRICS
from brainscan.evaluate.rows import AlarmRow, SeizureRow, latencies_s
from brainscan.io.atomic import make_folder, write_bytes, write_text
from brainscan.io.tables import csv_bytes
from brainscan.report.page import Alarm, Contents, is_available, render

EVENTS = "events.csv"
PATIENTS = "patients.csv"
FROC = "froc.csv"
REPORT = "report.html"
FILES = (METRICS, EVENTS, PATIENTS, FROC, REPORT)

_EVENT_COLUMNS = (
    *("operating_point", "threshold", "kind", "file", "source", "subject", "onset_s", "offset_s", "duration_s"),
    *("type", "found", "detected_onset_s", "detected_offset_s", "latency_s", "offset_error_s", "confidence"),
)


def check_folder(folder: Path, *, force: bool) -> None:
    """Make the folder of results; refuse one whose files an evaluation did not write.

    Raises
    ------
    OutputError
    """
    make_folder(folder)
    taken = [name for name in FILES if (folder / name).exists()]
    if force or not taken or _is_ours(folder / METRICS):
        return
    raise OutputError(
        f"holds a {taken[0]} that `brainscan evaluate` did not write",
        file=str(folder),
        hint="choose another -o, or overwrite it with --force",
    )


def write_results(folder: Path, metrics: Mapping[str, Any], evaluation: Evaluation, kept: Path | None = None) -> bool:
    """Write the figures and tables, and the report if its extra is installed.

    Parameters
    ----------
    folder : Path
    metrics : mapping
        As the JSON shows it.
    evaluation : Evaluation
    kept : Path, optional
        Folder of the cache, for pictures.

    Returns
    -------
    bool
        Whether there is a report.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    text = spelled(metrics, indent=2) + "\n"
    write_bytes(folder / EVENTS, csv_bytes(_EVENT_COLUMNS, _event_rows(evaluation)))
    patients = metrics["per_patient"]
    columns = tuple(patients[0]) if patients else ("source", "subject")
    write_bytes(folder / PATIENTS, csv_bytes(columns, ([row[name] for name in columns] for row in patients)))
    write_bytes(folder / FROC, csv_bytes(*_froc(evaluation)))
    has_report = is_available()
    if has_report:
        write_text(folder / REPORT, render(_contents(metrics, evaluation, kept)))
    else:
        _remove(folder / REPORT)  # an earlier run's would contradict the figures beside it
    # Last: its presence says that the results are whole.
    write_bytes(folder / METRICS, text.encode("utf-8", "backslashreplace"))
    return has_report


def is_run(path: Path) -> bool:
    """Say whether a folder holds the results of an earlier evaluation."""
    return (path / METRICS).is_file()


def read_run(path: Path) -> dict[str, Any]:
    """Read the figures of an earlier evaluation.

    Raises
    ------
    InputError
        If they cannot be read.
    """
    file = path / METRICS
    try:
        metrics = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise InputError(f"cannot be read ({problem})", kind="corrupt", file=str(file)) from None
    parts = {"froc": dict, "scorer": str, "detector": dict}
    if not isinstance(metrics, dict) or any(not isinstance(metrics.get(k), kind) for k, kind in parts.items()):
        raise InputError("is no result of `brainscan evaluate`", kind="header", file=str(file))
    return metrics


def _contents(metrics: Mapping[str, Any], evaluation: Evaluation, kept: Path | None) -> Contents:
    """Return what the report tells: the surest false alarms first."""
    rows = evaluation.rows(evaluation.default)
    worst = [*worst_alarms(rows.alarms), *worst_misses(rows.seizures)]
    alarms = (
        Alarm(row.recording.case.name, row.event.onset_s, row.event.offset_s, row.event.confidence)
        for row in rows.alarms
    )
    return Contents(
        metrics=dict(metrics),
        latencies_s=tuple(latencies_s(rows)),
        alarms=tuple(sorted(alarms, key=lambda alarm: (-alarm.confidence, alarm.file, alarm.onset_s))),
        mistakes=tuple(pictures(evaluation, worst, kept)),
    )


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as problem:
        raise OutputError(
            f"cannot be removed ({reason_of(problem)})", file=str(path), hint="choose another -o"
        ) from problem


def _froc(evaluation: Evaluation) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
    curve = evaluation.curve
    columns = (curve.thresholds, curve.fa_per_24h, curve.false_alarms, curve.sensitivity, curve.detected)
    header = ("threshold", "fa_per_24h", "false_alarms", "sensitivity", "detected")
    return header, zip(*(column.tolist() for column in columns), strict=True)


def _event_rows(evaluation: Evaluation) -> Iterable[Sequence[Any]]:
    for point in (evaluation.default, *evaluation.points):
        if not point.op.reachable:
            continue
        head = (point.name, _number(point.op.threshold))
        rows = evaluation.rows(point)
        yield from ((*head, *_seizure(row)) for row in rows.seizures)
        yield from ((*head, *_alarm(row)) for row in rows.alarms)


def _seizure(row: SeizureRow) -> Sequence[Any]:
    case, seizure, events = row.recording.case, row.seizure, row.events
    found = (
        (
            _number(events[0].onset_s),
            _number(events[-1].offset_s),
            # Of what begins or ends with the judged time nobody knows when it did.
            _number(row.latency_s) if row.begins_inside else "",
            _number(row.offset_error_s) if row.ends_inside else "",
            _number(max(event.confidence for event in events)),
        )
        if events
        else ("",) * 5
    )
    times = (_number(seizure.onset_s), _number(seizure.offset_s), _number(seizure.duration_s))
    return ("seizure", case.name, case.source, case.subject, *times, seizure.label, int(row.found), *found)


def _alarm(row: AlarmRow) -> Sequence[Any]:
    case, event = row.recording.case, row.event
    times = (_number(event.onset_s), _number(event.offset_s))
    return (
        *("false_alarm", case.name, case.source, case.subject, *times, _number(event.duration_s)),
        *("", "", *times, "", "", _number(event.confidence)),
    )


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.4f}"


def _is_ours(path: Path) -> bool:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(document, dict) and {"brainscan", "operating_points", "froc"} <= set(document)
