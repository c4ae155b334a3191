"""What became of each recording of a scan, and the two tables that tell it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from brainscan.detection import Detection
from brainscan.errors import BrainscanError, InputError, OutputError
from brainscan.events import Event
from brainscan.io.atomic import write_bytes
from brainscan.io.csv_bi import read_csv_bi

Status = Literal["done", "skipped", "failed"]

SUMMARY = "summary.csv"
FAILURES = "failures.csv"
_SUMMARY_COLUMNS = (
    *("file", "status", "output", "duration_s", "analysed_s"),
    *("events", "ictal_s", "confidence", "warnings"),
)
_FAILURE_COLUMNS = ("file", "kind", "message", "hint")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one recording.

    Parameters
    ----------
    file : str
        Relative to the scanned folder, hashed where names shall be anonymous.
    status : {"done", "skipped", "failed"}
        Skipped: its outputs were there, made from the same bytes with the same model and settings.
    output : str
        The CSV_bi relative to the output folder; empty for a failure.
    duration_s, analysed_s : float
    events : tuple of Event
    unscored : tuple of (float, float)
    warnings : tuple of str
    error : BrainscanError or None
    """

    file: str
    status: Status
    output: str = ""
    duration_s: float = 0.0
    analysed_s: float = 0.0
    events: tuple[Event, ...] = ()
    unscored: tuple[tuple[float, float], ...] = ()
    warnings: tuple[str, ...] = ()
    error: BrainscanError | None = None

    @classmethod
    def done(cls, file: str, output: str, detection: Detection) -> Outcome:
        """Return the outcome of a fresh detection."""
        return cls(
            file,
            "done",
            output,
            detection.duration_s,
            detection.analysed_s,
            detection.events,
            detection.unscored,
            detection.warnings,
        )

    @classmethod
    def skipped(cls, file: str, output: str, path: Path) -> Outcome:
        """Read the outcome of an earlier run back from its CSV_bi.

        Raises
        ------
        InputError
            If the file is not what an earlier run wrote.
        """
        held = read_csv_bi(path)
        analysed_s, unscored, warnings = 0.0, [], []
        try:
            for line in held.comments:
                word, _, rest = line.partition(" ")
                if word == "analysed":
                    analysed_s = float(rest.removesuffix(" s"))
                elif word == "unscored":
                    start, stop = rest.split()
                    unscored.append((float(start), float(stop)))
                elif word == "warning":
                    warnings.append(rest)
            events = [Event(a.onset_s, a.offset_s, a.confidence) for a in held.annotations if a.label == "seiz"]
        except ValueError as problem:
            raise InputError(f"is damaged ({problem})", kind="corrupt", file=path.name) from None
        return cls(
            file,
            "skipped",
            output,
            held.duration_s or 0.0,
            analysed_s,
            tuple(events),
            tuple(unscored),
            tuple(warnings),
        )

    def as_mapping(self) -> dict[str, Any]:
        """Return the form of docs/definitions.md (that of ``detect``), with status and output beside it."""
        return {
            "file": self.file,
            "status": self.status,
            "output": self.output,
            "duration_s": self.duration_s,
            "analysed_s": self.analysed_s,
            "events": [{"onset_s": e.onset_s, "offset_s": e.offset_s, "confidence": e.confidence} for e in self.events],
            "unscored": [list(span) for span in self.unscored],
            "warnings": list(self.warnings),
        }


def check_tables(out: Path) -> None:
    """Refuse to replace tables of the same name that a scan did not write.

    Raises
    ------
    OutputError
    """
    for name, columns in ((SUMMARY, _SUMMARY_COLUMNS), (FAILURES, _FAILURE_COLUMNS)):
        path = out / name
        if not path.exists():
            continue
        try:
            with path.open(encoding="utf-8", errors="replace") as stream:
                first = stream.readline().strip()
        except OSError:
            first = ""
        if first != ",".join(columns):
            raise OutputError(
                "exists and was not written by a scan", file=str(path), hint="choose another -o, or use --force"
            )


def write_tables(out: Path, outcomes: Sequence[Outcome]) -> None:
    """Write ``summary.csv`` (a row a recording) and ``failures.csv``.

    Raises
    ------
    OutputError
        If they cannot be written.
    """
    rows = [
        (
            o.file,
            o.status,
            o.output,
            f"{o.duration_s:.4f}",
            f"{o.analysed_s:.4f}",
            len(o.events),
            f"{sum(e.duration_s for e in o.events):.4f}",
            f"{max(e.confidence for e in o.events):.4f}" if o.events else "",
            " | ".join(o.warnings),
        )
        for o in outcomes
    ]
    write_bytes(out / SUMMARY, _table(_SUMMARY_COLUMNS, rows))
    failures = [(o.file, o.error.kind, o.error.message, o.error.hint) for o in outcomes if o.error is not None]
    write_bytes(out / FAILURES, _table(_FAILURE_COLUMNS, failures))


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return buffer.getvalue().encode("utf-8", "backslashreplace")
