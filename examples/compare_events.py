"""Print the events of a detector beside the true ones: ``python compare_events.py TRUTH.csv_bi HYPOTHESIS.csv_bi``.

A look at one recording. ``brainscan score`` computes the field's measures over many.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from brainscan.events import Annotation
from brainscan.io.annotation_file import SEIZURE
from brainscan.io.csv_bi import read_csv_bi


def seizures(path: Path) -> list[Annotation]:
    """Return the seizures of a CSV_bi file, earliest first."""
    return sorted(row for row in read_csv_bi(path).annotations if row.label == SEIZURE)


def overlap(one: Annotation, other: Annotation) -> bool:
    """Say whether two intervals share time."""
    return one.onset_s < other.offset_s and other.onset_s < one.offset_s


def pairs(
    truth: Sequence[Annotation], found: Sequence[Annotation]
) -> list[tuple[Annotation | None, Annotation | None]]:
    """Return rows of the table, in time order: a true event, what was found of it, or one of the two alone."""
    rows: list[tuple[Annotation | None, Annotation | None]] = []
    for event in truth:
        hits = [hit for hit in found if overlap(event, hit)]
        rows += [(event, hit) for hit in hits] or [(event, None)]
    rows += [(None, alarm) for alarm in found if not any(overlap(event, alarm) for event in truth)]
    return sorted(rows, key=lambda row: min(event.onset_s for event in row if event))


def table(truth: Sequence[Annotation], found: Sequence[Annotation]) -> str:
    """Return the table and its summary line."""

    def cells(event: Annotation | None, absent: str) -> str:
        return f"{event.onset_s:9.1f} {event.offset_s:9.1f}" if event else f"{absent:>19}"

    lines = [f"{'true seizure (s)':>19}   {'detected (s)':>19}   confidence"]
    for event, hit in pairs(truth, found):
        confidence = f"{hit.confidence:10.2f}" if hit else ""
        note = "" if event else "   false alarm"
        lines.append(f"{cells(event, '-')}   {cells(hit, 'missed')}   {confidence}{note}".rstrip())
    detected = sum(any(overlap(event, hit) for hit in found) for event in truth)
    alarms = sum(not any(overlap(event, hit) for event in truth) for hit in found)
    lines.append(f"{detected} of {len(truth)} seizures found, {alarms} false alarms")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Read both files, print the table."""
    if len(arguments) != 2:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    truth, found = (seizures(Path(argument)) for argument in arguments)
    sys.stdout.write(table(truth, found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
