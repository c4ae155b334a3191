"""What the evaluation's tests share: judged recordings from numbers, and small corpora on disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from brainscan.corpora.references import Reference, Seizure
from brainscan.electrodes import ELECTRODES
from brainscan.evaluate.corpus import Case
from brainscan.evaluate.counts import Judged
from brainscan.evaluate.evaluation import DetectorFacts, Evaluation, EvaluationConfig, evaluate
from brainscan.evaluate.hypothesis import Hypothesis
from brainscan.evaluate.sweep import Sweep
from brainscan.events import Annotation, Event, Probabilities
from brainscan.io.csv_bi import format_csv_bi
from brainscan.scoring.operating_points import THRESHOLDS
from tests.edf_files import FakeEdf, FakeSignal
from tests.stand_ins import noise, with_bursts

RATE_HZ = 100
BURST_S = (20.0, 35.0)
DURATION_S = 60

Found = tuple[float, float, float]
"""Onset, offset and the threshold up to which an event is there."""


def judged(
    truth: Sequence[tuple[float, float] | Seizure],
    events: Sequence[Found],
    duration_s: float = 3600.0,
    *,
    case: Case | None = None,
    curves: tuple[Probabilities, ...] = (),
) -> Judged:
    """Return a recording with known truth and hypothesis; subject and file are called ``a`` unless `case` says more."""
    found = tuple(Event(a, b, c) for a, b, c in events)
    by_threshold = [[event for event in found if event.confidence >= on] for on in THRESHOLDS]
    hypothesis = Hypothesis(duration_s, None, ((0.0, duration_s),), Sweep.of(by_threshold), found, curves)
    seizures = tuple(s if isinstance(s, Seizure) else Seizure(*s) for s in truth)
    return Judged.of(case or case_of("a"), hypothesis, Reference(seizures))


def case_of(subject: str, source: str = "s", path: Path | None = None) -> Case:
    """Return a case whose file is called as its subject."""
    place = path or Path(f"{subject}.edf")
    return Case(place, place.name, place.with_suffix(".csv_bi"), source=source, subject=subject)


def figures(*recordings: Judged, on: float = 0.5, targets: tuple[float, ...] = (1.0, 5.0, 10.0)) -> Evaluation:
    """Return the figures of a detector that decides at `on`."""
    config = EvaluationConfig("corpus", "ovlp", targets)
    return evaluate(recordings, (), DetectorFacts("stand-in", on=on, off=on - 0.08), config)


def write_edf(path: Path, *, seed: int = 0) -> Path:
    """Write a recording of a minute with a burst at `BURST_S`, 0.1 µV a step; other seeds have other noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    uv = with_bursts(noise(DURATION_S, RATE_HZ, seed=seed), RATE_HZ, [BURST_S])
    digital = np.clip(np.round(uv * 10.0), -32768, 32767).astype(np.int64)
    signals = [FakeSignal(label, row, RATE_HZ) for label, row in zip(ELECTRODES, digital, strict=True)]
    path.write_bytes(FakeEdf(signals, DURATION_S).data())
    return path


def write_truth(path: Path, *seizures: tuple[float, float], comments: tuple[str, ...] = ()) -> Path:
    """Write a CSV_bi beside a recording of a minute."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [Annotation(a, b, "seiz") for a, b in seizures]
    path.write_text(format_csv_bi(rows, float(DURATION_S), path.name, comments), encoding="utf-8")
    return path
