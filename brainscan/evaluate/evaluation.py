"""From judged recordings to figures: `Evaluation`, and its plain form that JSON, tables and the report start from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from brainscan._version import __version__
from brainscan.errors import Failure, InputError, UsageError
from brainscan.evaluate.confidence import Knots, calibration_error, candidates, reliability, with_map
from brainscan.evaluate.counts import Judged, Scorer, counted, patients, table
from brainscan.evaluate.points import SEED, Base, Point, frozen_points, point_of, points_of
from brainscan.evaluate.rows import Rows, by_duration, by_patient, by_type, rows_at, timing
from brainscan.evaluate.sweep import Sweep
from brainscan.events import Event
from brainscan.scoring import pieces
from brainscan.scoring.operating_points import THRESHOLDS, Curve, RecordingTable, at_threshold, pool
from brainscan.scoring.pieces import ScoredRecording

DEFAULT = "default"
"""Name of the point at the detector's own decision."""


@dataclass(frozen=True, slots=True)
class DetectorFacts:
    """What is evaluated.

    Parameters
    ----------
    name : str
        Of the model, or of the folder of hypotheses.
    sha256 : str
        Of the model's card; empty for hypotheses.
    on, off : float
        Thresholds of its own decision, NaN where unknown.
    knots : tuple of (float, float)
        The card's map from mean probability to confidence.
    settings : mapping
        What else decides the events.
    """

    name: str
    sha256: str = ""
    on: float = math.nan
    off: float = math.nan
    knots: Knots = ()
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def as_mapping(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "name": self.name,
            "sha256": self.sha256,
            "on": self.on,
            "off": self.off,
            "settings": dict(self.settings),
        }


@dataclass(frozen=True, slots=True)
class EvaluationConfig:
    """How to evaluate.

    Parameters
    ----------
    corpus : str
        Name, for outputs.
    scorer : {"ovlp", "szcore", "taes"}
    targets : tuple of float
        False alarms per 24 h.
    fitted : tuple of mapping
        Points fitted elsewhere, applied frozen instead of sought here.
    """

    corpus: str
    scorer: Scorer = "ovlp"
    targets: tuple[float, ...] = (1.0, 5.0, 10.0)
    fitted: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """Figures of one detector on one corpus.

    Parameters
    ----------
    config : EvaluationConfig
    detector : DetectorFacts
    recordings : tuple of Judged
    tables : tuple of RecordingTable
        Of each recording.
    curve : Curve
        The FROC curve.
    base : Base
    points : tuple of Point
        In the order of the targets.
    default : Point
        At the detector's own decision.
    failures : tuple of Failure
    """

    config: EvaluationConfig
    detector: DetectorFacts
    recordings: tuple[Judged, ...]
    tables: tuple[RecordingTable, ...]
    curve: Curve
    base: Base
    points: tuple[Point, ...]
    default: Point
    failures: tuple[Failure, ...]

    def rows(self, point: Point) -> Rows:
        """Return what a reachable point does to each seizure, and its false alarms."""

        def chosen(recording: Judged) -> tuple[Event, ...]:
            if point.name == DEFAULT:
                return recording.hypothesis.events
            number = min(range(len(THRESHOLDS)), key=lambda k: abs(THRESHOLDS[k] - point.op.threshold))
            return with_map(recording.hypothesis.sweep.at(number), self.detector.knots)

        return rows_at(self.recordings, chosen)

    @property
    def as_given(self) -> bool:
        """Whether the detector gave events that no threshold tells apart, so that there is a single point."""
        if math.isfinite(self.detector.on) or any(recording.hypothesis.curves for recording in self.recordings):
            return False
        return all(np.ptp(t.detected) == 0 and np.ptp(t.false_alarms) == 0 for t in self.tables)

    def default_tables(self) -> tuple[RecordingTable, ...]:
        """Return what each recording contributes at the detector's own decision: tables of one threshold."""
        return _default_tables(self.recordings, self.config.scorer)

    @property
    def simulated(self) -> bool:
        """Whether any recording is simulated."""
        return any(recording.simulated for recording in self.recordings)

    def as_mapping(self) -> dict[str, Any]:
        """Return everything as plain values; NaN where something is undefined."""
        on = self.detector.on if math.isfinite(self.detector.on) else THRESHOLDS[-1]
        found = candidates(self.recordings, on)
        return {
            "schema": "evaluation-1",
            "brainscan": __version__,
            "corpus": self.config.corpus,
            "scorer": self.config.scorer,
            "detector": self.detector.as_mapping(),
            "as_given": self.as_given,
            "simulated": self.simulated,
            "hours": self.base.hours,
            "patients": self.base.patients,
            "seizures": self.base.seizures,
            "recordings": len(self.recordings),
            "operating_points": [point.as_mapping() for point in self.points],
            DEFAULT: self.default.as_mapping(),
            "details": {p.name: self._details(p) for p in (self.default, *self.points) if p.op.reachable},
            "froc": {
                "thresholds": self.curve.thresholds.tolist(),
                "false_alarms": self.curve.false_alarms.tolist(),
                "detected": self.curve.detected.tolist(),
                "seizures": self.curve.seizures,
                "hours": self.base.hours,
            },
            "sources": self._sources(),
            "per_patient": by_patient(self.recordings, self.rows(self.default)),
            "reliability": reliability(found, self.detector.knots),
            "calibration_error": calibration_error(found, np.random.default_rng(SEED), self.detector.knots),
            "failures": [failure.as_mapping() for failure in self.failures],
            "warnings": [
                f"{recording.case.name}: {text}"
                for recording in self.recordings
                for text in recording.hypothesis.warnings
            ],
        }

    def _details(self, point: Point) -> dict[str, Any]:
        rows = self.rows(point)
        return {"by_type": by_type(rows), "by_duration": by_duration(rows), "timing": timing(rows)}

    def _sources(self) -> list[dict[str, Any]]:
        """Return hours, finds and alarms within each source at the detector's own decision."""
        found = []
        for source in sorted({recording.case.source for recording in self.recordings}):
            group = [recording for recording in self.recordings if recording.case.source == source]
            rows = rows_at(group, lambda recording: recording.hypothesis.events)
            found.append(
                {
                    "source": source,
                    "recordings": len(group),
                    "patients": patients(group),
                    "hours": math.fsum(recording.scored_s for recording in group) / 3600.0,
                    "seizures": len(rows.seizures),
                    "found": sum(row.found for row in rows.seizures),
                    "false_alarms": len(rows.alarms),
                }
            )
        return found


def evaluate(
    recordings: Sequence[Judged],
    failures: Sequence[Failure],
    detector: DetectorFacts,
    config: EvaluationConfig,
) -> Evaluation:
    """Turn judged recordings into figures.

    Parameters
    ----------
    recordings : sequence of Judged
    failures : sequence of Failure
        Recordings that are missing in the figures, for the record.
    detector : DetectorFacts
    config : EvaluationConfig

    Raises
    ------
    InputError
        If nothing is left that was both analysed and judged.
    """
    kept, tables, failed = [], [], list(failures)
    for recording in recordings:
        try:
            tables.append(table(recording, config.scorer))
            kept.append(recording)
        except ValueError as problem:  # SzCORE knows no recording below half a second
            error = InputError(f"{config.scorer} cannot score it ({problem})", kind="corrupt")
            failed.append(Failure(recording.case.name, error))
    try:
        curve = pool(tables)
    except ValueError:
        first = f"; the first of {len(failed)} failures is {failed[0].file}: {failed[0].message}" if failed else ""
        raise InputError(f"nothing was both analysed and judged{first}", kind="empty", file=config.corpus) from None
    base = Base(curve.scored_s / 3600.0, patients(kept), sum(len(recording.seizures) for recording in kept))
    if config.fitted:
        points = frozen_points(tables, curve, config.fitted, base)
    else:
        points = points_of(tables, curve, config.targets, base)
    return Evaluation(
        config=config,
        detector=detector,
        recordings=tuple(kept),
        tables=tuple(tables),
        curve=curve,
        base=base,
        points=points,
        default=_default(kept, detector, config.scorer, base),
        failures=tuple(failed),
    )


def _default(recordings: Sequence[Judged], detector: DetectorFacts, scorer: Scorer, base: Base) -> Point:
    """Return the point at the detector's own decision, which need not lie on the grid."""
    tables = _default_tables(recordings, scorer)
    # A threshold that is not known (other people's events) is no place on any axis; any number does.
    curve = pool(tables, (0.5 if math.isnan(detector.on) else detector.on,))
    op = replace(at_threshold(curve, float(curve.thresholds[0])), threshold=detector.on)
    return replace(point_of(tables, curve, op, base, name=DEFAULT), off=detector.off)


def _default_tables(recordings: Sequence[Judged], scorer: Scorer) -> tuple[RecordingTable, ...]:
    return tuple(counted(recording, Sweep.of([recording.hypothesis.events]), 1, scorer) for recording in recordings)


def as_scored(recordings: Sequence[Judged]) -> list[ScoredRecording]:
    """Return recordings with their curves, as `scoring.pieces` takes them."""
    return [
        ScoredRecording(
            source=recording.case.source,
            subject=recording.case.subject,
            kind=recording.case.kind,
            duration_s=recording.hypothesis.duration_s,
            scored=recording.judged,
            annotations=tuple((s.onset_s, s.offset_s) for s in recording.seizures),
            probabilities=recording.hypothesis.curves,
            events=recording.hypothesis.events,
        )
        for recording in recordings
    ]


def quality_rows(recordings: Sequence[Judged], piece_s: float, on: float) -> dict[str, Any]:
    """Return rows 1 (with and without the time around offsets) and 2 within each source.

    Parameters
    ----------
    recordings : sequence of Judged
        With curves.
    piece_s : float
        Length of a piece, seconds.
    on : float
        The on threshold that made the events.

    Raises
    ------
    UsageError
        If a recording has no curve (its detector gave events only), or the length is not positive.
    """
    if not piece_s > 0:
        raise UsageError(
            f"a piece needs a positive length, got {piece_s:g} s", hint="--pieces takes seconds, such as 10"
        )
    without = [recording.case.name for recording in recordings if not recording.hypothesis.curves]
    if without:
        raise UsageError(
            f"--pieces needs probabilities, and {len(without)} hypotheses are events only ({without[0]})",
            hint="give .npz files, as `brainscan detect --probabilities` writes them",
        )
    scored = as_scored(recordings)
    margin_s = pieces.OFFSET_MARGIN_S

    def ranked(offset_margin_s: float) -> dict[str, Any]:
        rows = pieces.rank_rows(scored, np.random.default_rng(SEED), piece_s=piece_s, offset_margin_s=offset_margin_s)
        return {source: _plain(row) for source, row in rows.items()}

    return {
        "piece_s": piece_s,
        "offset_margin_s": margin_s,
        "ranking": ranked(0.0),
        "ranking_without_offsets": ranked(margin_s),
        "events": {source: _plain(row) for source, row in pieces.event_rows(scored, on).items()},
    }


def _plain(row: Any) -> dict[str, Any]:
    values: dict[str, Any] = asdict(row)
    return {name: [value["low"], value["high"]] if isinstance(value, dict) else value for name, value in values.items()}
