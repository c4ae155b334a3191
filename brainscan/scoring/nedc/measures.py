"""Counts per label, the measures derived from them, and the official summary over both labels."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from brainscan.scoring.nedc.segments import LABELS

SECONDS_PER_DAY = 86400

Number = int | float
"""Counts are integers everywhere but in TAES."""


class NotScorable(ValueError):
    """A pair on which the official tool stops.

    Parameters
    ----------
    metric : str
        Where it stops.
    """

    def __init__(self, metric: str, message: str) -> None:
        super().__init__(message)
        self.metric = metric


@dataclass(frozen=True, slots=True)
class Counts:
    """What a metric counts for one label, added over files."""

    targets: Number = 0
    hits: Number = 0
    misses: Number = 0
    false_alarms: Number = 0
    insertions: Number = 0
    deletions: Number = 0
    tp: Number = 0
    tn: Number = 0
    fp: Number = 0
    fn: Number = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            *(getattr(self, name) + getattr(other, name) for name in _COUNT_NAMES),
        )

    @property
    def radicand(self) -> Number:
        """What Matthews' coefficient takes the root of; negative ones exist in TAES and stop the tool."""
        return (self.tp + self.fp) * (self.tp + self.fn) * (self.tn + self.fp) * (self.tn + self.fn)


_COUNT_NAMES = tuple(field.name for field in dataclasses.fields(Counts))


@dataclass(frozen=True, slots=True)
class Measures:
    """Counts of one label (or of the summary) and what follows from them; fractions, not per cent.

    A rate whose base is zero is 0 and its complement 1. `mcc` is NaN where its radicand is negative.
    """

    targets: Number
    hits: Number
    misses: Number
    false_alarms: Number
    insertions: Number
    deletions: Number
    tp: Number
    tn: Number
    fp: Number
    fn: Number
    sensitivity: float
    specificity: float
    precision: float
    npv: float
    miss_rate: float
    false_positive_rate: float
    false_discovery_rate: float
    false_omission_rate: float
    accuracy: float
    misclassification_rate: float
    prevalence: float
    f1: float
    mcc: float
    fa_per_24h: float


@dataclass(frozen=True, slots=True)
class MetricScores:
    """One metric over all pairs.

    Parameters
    ----------
    total_duration_s : float
        Sum of the references' ends.
    labels : mapping of str to Measures
        ``seiz`` (the clinically meant one) and ``bckg``.
    summary : Measures
        Counts summed over both labels, as the official report prints them.
    confusion : mapping or None
        ``confusion[ref][hyp]``: aligned segments (DPALIGN) or samples (EPOCH).
    """

    total_duration_s: float
    labels: Mapping[str, Measures]
    summary: Measures
    confusion: Mapping[str, Mapping[str, int]] | None = None

    def as_mapping(self) -> dict[str, Any]:
        """Return the fixed JSON layout."""
        document: dict[str, Any] = {"total_duration": self.total_duration_s}
        if self.confusion is not None:
            document["confusion"] = {ref: dict(row) for ref, row in self.confusion.items()}
        document["labels"] = {label: dataclasses.asdict(scores) for label, scores in self.labels.items()}
        document["summary"] = dataclasses.asdict(self.summary)
        return document


def derive(
    counts: Mapping[str, Counts],
    total_duration_s: float,
    *,
    fp_unit_s: float = 1.0,
    confusion: Mapping[str, Mapping[str, int]] | None = None,
) -> MetricScores:
    """Derive one metric's measures from its counts.

    Parameters
    ----------
    counts : mapping of label to Counts
    total_duration_s : float
    fp_unit_s : float
        What one false positive weighs in the alarm rate: 1, or the sample period of EPOCH.
    confusion : mapping, optional
        Passed through.
    """
    labels = {label: _measures(counts[label], total_duration_s, fp_unit_s, None) for label in LABELS}
    last = labels[LABELS[-1]]
    summed = counts[LABELS[0]] + counts[LABELS[1]]
    # The official summary divides F1 by the sum of precision and sensitivity of the last label, not its own.
    summary = _measures(summed, total_duration_s, fp_unit_s, last.precision + last.sensitivity)
    return MetricScores(total_duration_s, labels, summary, confusion)


def _measures(c: Counts, total_duration_s: float, fp_unit_s: float, f1_base: float | None) -> Measures:
    sensitivity, specificity = _ratio(c.tp, c.tp + c.fn), _ratio(c.tn, c.tn + c.fp)
    precision, npv = _ratio(c.tp, c.tp + c.fp), _ratio(c.tn, c.tn + c.fn)
    total = c.tp + c.tn + c.fp + c.fn
    accuracy = _ratio(c.tp + c.tn, total)
    base = precision + sensitivity if f1_base is None else f1_base
    return Measures(
        **{name: getattr(c, name) for name in _COUNT_NAMES},
        sensitivity=sensitivity,
        specificity=specificity,
        precision=precision,
        npv=npv,
        miss_rate=1 - sensitivity,
        false_positive_rate=1 - specificity,
        false_discovery_rate=1 - precision,
        false_omission_rate=1 - npv,
        accuracy=accuracy,
        misclassification_rate=1 - accuracy,
        prevalence=_ratio(c.tp + c.fn, total),
        f1=0.0 if _vanishes(base) else 2.0 * precision * sensitivity / base,
        mcc=_mcc(c),
        fa_per_24h=0.0 if _vanishes(total_duration_s) else c.fp * fp_unit_s / total_duration_s * SECONDS_PER_DAY,
    )


def _ratio(part: Number, base: Number) -> float:
    return part / base if base != 0 else 0.0


def _vanishes(value: Number) -> bool:
    return round(value, 10) == 0


def _mcc(c: Counts) -> float:
    radicand = c.radicand
    if _vanishes(radicand):
        return 0.0
    if radicand < 0:
        return math.nan
    return (c.tp * c.tn - c.fp * c.fn) / math.sqrt(radicand)
