"""The tables that tell what became of each recording of a scan, and the record of the run."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from brainscan.analysis.outcome import EventFacts, Outcome
from brainscan.documents import spelled
from brainscan.errors import OutputError
from brainscan.events import Event
from brainscan.io.atomic import atomic_write, write_bytes
from brainscan.io.tables import cell_text, csv_lines
from brainscan.scan.ledger import Ledger

SUMMARY = "summary.csv"
EVENTS = "events.csv"
FAILURES = "failures.csv"
RUN = "run.json"
INDEX = "index.html"
SCHEMA = "run-3"
"""The schema in docs/schemas that `RUN` keeps to; what changes a field changes the number."""
OWN_FILES = (SUMMARY, EVENTS, FAILURES, RUN, INDEX)
_SUMMARY_COLUMNS = (
    *("file", "status", "output", "duration_s", "analysed_s"),
    *("events", "ictal_s", "confidence", "unscored_s", "largest_60min", "longest_s", "flags", "quality", "warnings"),
)
_EVENT_COLUMNS = ("file", "onset_s", "offset_s", "duration_s", "clock", "confidence", "side", "leading")
_FAILURE_COLUMNS = ("file", "kind", "message", "hint")


def check_tables(out: Path) -> None:
    """Refuse to replace tables or a record of the same name that a scan did not write.

    Raises
    ------
    OutputError
    """
    for name, columns in ((SUMMARY, _SUMMARY_COLUMNS), (EVENTS, _EVENT_COLUMNS), (FAILURES, _FAILURE_COLUMNS)):
        path = out / name
        if not path.exists():
            continue
        try:
            with path.open(encoding="utf-8", errors="replace") as stream:
                first = stream.readline().strip()
        except OSError:
            first = ""
        if [name for name in first.split(",") if name != "quality"] != [name for name in columns if name != "quality"]:
            raise OutputError(
                "exists and was not written by a scan", file=str(path), hint="choose another -o, or use --force"
            )
    if (out / RUN).exists() and not _is_record(out / RUN):
        raise OutputError(
            "exists and was not written by a scan", file=str(out / RUN), hint="choose another -o, or use --force"
        )


def _is_record(path: Path) -> bool:
    return "brainscan" in _record(path)


def _record(path: Path) -> dict[str, Any]:
    """Return what a file holds as JSON; empty where it holds no object."""
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def outputs_listed(out: Path) -> Iterator[str]:
    """Yield the results that the tables of an earlier scan list, relative to the folder; none where there are none.

    Parameters
    ----------
    out : Path
    """
    with suppress(OSError, ValueError, csv.Error), (out / SUMMARY).open(encoding="utf-8", newline="") as stream:
        yield from (cell_text(name) for row in csv.DictReader(stream) if (name := row.get("output")))
    orphaned = _record(out / RUN).get("orphaned")
    if isinstance(orphaned, list):
        yield from (name for name in orphaned if isinstance(name, str) and name)


def write_tables(out: Path, outcomes: Iterable[Outcome]) -> None:
    """Write ``summary.csv`` (a row a recording, those included that are not read), ``events.csv`` and ``failures.csv``.

    They say what the folder holds, not which run made it: a recording that was done before is done, and every number
    is the one that stands in its file. So they are the same, byte for byte, however often a scan was interrupted.

    Parameters
    ----------
    out : Path
    outcomes : iterable of Outcome
        In the order of the rows; gone through three times.

    Raises
    ------
    OutputError
        If they cannot be written.
    """
    with atomic_write(out / SUMMARY) as stream:
        stream.writelines(csv_lines(_SUMMARY_COLUMNS, (_row(out, _as_written(o)) for o in outcomes)))
    with atomic_write(out / EVENTS) as stream:
        stream.writelines(csv_lines(_EVENT_COLUMNS, (row for o in outcomes for row in _event_rows(_as_written(o)))))
    failures = (
        (o.file, o.error.kind, o.error.message, o.error.hint)
        for o in outcomes
        if o.status == "failed" and o.error is not None
    )
    with atomic_write(out / FAILURES) as stream:
        stream.writelines(csv_lines(_FAILURE_COLUMNS, failures))


def _row(out: Path, o: Outcome) -> tuple[object, ...]:
    return (
        o.file,
        "done" if o.status == "skipped" else o.status,
        o.output_in(out),
        f"{o.duration_s:.4f}",
        f"{o.analysed_s:.4f}",
        len(o.events),
        f"{sum(e.duration_s for e in o.events):.4f}",
        f"{max(e.confidence for e in o.events):.4f}" if o.events else "",
        *_burden(o),
        " | ".join(_remarks(o)),
    )


def _event_rows(o: Outcome) -> Iterator[tuple[object, ...]]:
    """Yield a row an event."""
    for event, facts in zip(o.events, o.event_facts, strict=True):
        times = (f"{seconds:.4f}" for seconds in (event.onset_s, event.offset_s, event.duration_s))
        yield (o.file, *times, facts.clock, f"{event.confidence:.4f}", facts.side, " ".join(facts.leading))


def _as_written(outcome: Outcome) -> Outcome:
    """Return an outcome as it would be read back from its CSV_bi: times to 0.1 ms, without events that vanish in it."""
    facts = outcome.event_facts or tuple(EventFacts() for _ in outcome.events)
    rounded = [
        (Event(round(e.onset_s, 4), round(e.offset_s, 4), round(e.confidence, 4)), told)
        for e, told in zip(outcome.events, facts, strict=True)
        if round(e.offset_s, 4) > round(e.onset_s, 4)
    ]
    return replace(
        outcome,
        duration_s=round(outcome.duration_s, 4),
        analysed_s=round(outcome.analysed_s, 4),
        events=tuple(event for event, _ in rounded),
        event_facts=tuple(told for _, told in rounded),
        unscored=tuple((round(start, 4), round(stop, 4)) for start, stop in outcome.unscored),
    )


def _burden(outcome: Outcome) -> tuple[str, str, str, str, str]:
    """Return unscored seconds, minutes in the fullest hour, seconds of the longest, flags and quality, if analysed."""
    if outcome.status not in {"done", "skipped"}:
        return ("", "", "", "", "")
    burden = outcome.burden
    return (
        f"{burden.unscored_s:.4f}",
        f"{burden.largest_hour.seizure_s / 60.0:.4f}",
        f"{burden.longest_s:.4f}",
        " ".join(flag.name for flag in burden.flags),
        outcome.quality,
    )


def _remarks(outcome: Outcome) -> tuple[str, ...]:
    if outcome.status == "unread" and outcome.error is not None:
        return (f"{outcome.error.message}: {outcome.error.hint}",)
    return outcome.warnings


def write_record(out: Path, facts: Mapping[str, Any], outcomes: Ledger, warnings: Sequence[str]) -> None:
    """Write ``run.json``: what made the results, how many recordings have any, failed or are not read, and which.

    It also names results without a recording, by which the next scan still knows them.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    counts = dict.fromkeys(("done", "failed", "unread"), 0)
    unread: dict[str, list[str]] = {}
    for outcome in outcomes:
        counts["done" if outcome.status == "skipped" else outcome.status] += 1
        if outcome.status == "unread":
            unread.setdefault(outcome.warnings[0], []).append(outcome.file)
    left = {"not_read": unread, "orphaned": list(outcomes.orphaned)}
    document = {"schema": SCHEMA, **facts, **counts, **left, "warnings": list(warnings)}
    text = spelled(document, indent=2) + "\n"
    write_bytes(out / RUN, text.encode("utf-8", "backslashreplace"))
