"""Before and after a fine-tuning: what a checkpoint finds in each held-out patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from brainscan.mapping import to_mapping
from brainscan.scoring.pieces import ScoredRecording, cut_pieces, event_row
from brainscan.scoring.ranking import auroc


@dataclass(frozen=True, slots=True)
class PatientRow:
    """One patient at a checkpoint's own thresholds.

    Parameters
    ----------
    patient : str
    hours : float
    seizures, found, false_alarms : int
    auroc : float
        Of 10 s pieces; NaN where the patient has one class only.
    """

    patient: str
    hours: float
    seizures: int
    found: int
    false_alarms: int
    auroc: float


def by_patient(recordings: Sequence[ScoredRecording]) -> tuple[PatientRow, ...]:
    """Return a row for each patient, in order of name, and one for all."""
    groups: dict[str, list[ScoredRecording]] = {}
    for recording in recordings:
        groups.setdefault(f"{recording.source}/{recording.subject}", []).append(recording)
    rows = [_row(patient, group) for patient, group in sorted(groups.items())]
    return (*rows, _row("all", recordings))


def _row(patient: str, recordings: Sequence[ScoredRecording]) -> PatientRow:
    events = event_row(recordings, 1.0)
    pieces = cut_pieces(recordings)
    return PatientRow(
        patient=patient,
        hours=events.hours,
        seizures=events.n_seizures,
        found=events.found,
        false_alarms=events.false_alarms,
        auroc=auroc(pieces.score[pieces.ictal], pieces.score[~pieces.ictal]),
    )


def as_mappings(rows: Sequence[PatientRow]) -> list[dict[str, object]]:
    """Return plain values."""
    return [to_mapping(row) for row in rows]
