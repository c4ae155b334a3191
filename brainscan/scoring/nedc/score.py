"""All five metrics of one pair, and of many pairs pooled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainscan.scoring.nedc import dpalign, epoch, ovlp, taes
from brainscan.scoring.nedc.epoch import Agreement
from brainscan.scoring.nedc.measures import Counts, MetricScores, NotScorable, derive
from brainscan.scoring.nedc.segments import LABELS, Pair

PER_FILE_COLUMNS = {
    "dpalign": ["targets", "hits", "misses", "false_alarms", "insertions", "deletions"],
    "epoch": "confusion row [seiz, bckg]",
    "ovlp": ["targets", "hits", "misses", "false_alarms"],
    "taes": ["targets", "hits", "misses", "false_alarms"],
}
"""What the numbers of `PairCounts.as_mapping` mean."""


@dataclass(frozen=True, slots=True, eq=False)
class PairCounts:
    """What the metrics count in one pair.

    Parameters
    ----------
    duration_s : float
        End of the reference.
    alignment : Alignment
    confusion : array of int64, shape (2, 2)
        Samples of EPOCH, ``[ref, hyp]``.
    overlaps : mapping of label to (targets, hits, misses, false alarms)
    tallies : mapping of label to Tally
    """

    duration_s: float
    alignment: dpalign.Alignment
    confusion: NDArray[np.int64]
    overlaps: ovlp.LabelCounts
    tallies: Mapping[str, taes.Tally]

    def as_mapping(self) -> dict[str, Any]:
        """Return the counts per metric and label, in the order of `PER_FILE_COLUMNS`."""
        aligned = dpalign.counts(self.alignment)
        return {
            "dpalign": {
                label: [getattr(c, name) for name in PER_FILE_COLUMNS["dpalign"]] for label, c in aligned.items()
            },
            "epoch": {label: self.confusion[k].tolist() for k, label in enumerate(LABELS)},
            "ovlp": {label: list(self.overlaps[label]) for label in LABELS},
            "taes": {label: list(self.tallies[label].totals()) for label in LABELS},
        }


@dataclass(frozen=True, slots=True)
class NedcScores:
    """The five metrics over a list of pairs."""

    dpalign: MetricScores
    epoch: MetricScores
    ovlp: MetricScores
    taes: MetricScores
    ira: Agreement

    def as_mapping(self) -> dict[str, Any]:
        """Return the fixed JSON layout."""
        return {
            "dpalign": self.dpalign.as_mapping(),
            "epoch": self.epoch.as_mapping(),
            "ovlp": self.ovlp.as_mapping(),
            "taes": self.taes.as_mapping(),
            "ira": self.ira.as_mapping(),
        }


def count_pair(pair: Pair) -> PairCounts:
    """Count one pair.

    Raises
    ------
    NotScorable
        Where the official tool stops on this pair: the two sides end at different times, the recording is too
        short for a sample, or TAES divides by zero or takes the root of a negative number.
    """
    ref_end_s, hyp_end_s = round(pair.ref.end_s, 4), round(pair.hyp.end_s, 4)
    if ref_end_s != hyp_end_s:
        raise NotScorable("epoch", f"durations differ (reference ends at {ref_end_s} s, hypothesis at {hyp_end_s} s)")
    confusion = epoch.confusion(pair.ref, pair.hyp)
    if not confusion.any():
        raise NotScorable("epoch", f"recording is too short to be sampled ({ref_end_s} s)")
    counts = PairCounts(
        duration_s=pair.ref.end_s,
        alignment=dpalign.align(pair.ref, pair.hyp),
        confusion=confusion,
        overlaps=ovlp.count(pair.ref, pair.hyp),
        tallies={label: taes.tally(pair.ref, pair.hyp, label) for label in LABELS},
    )
    per_label = _taes_counts(counts.tallies)
    if min(c.radicand for c in (*per_label.values(), per_label["seiz"] + per_label["bckg"])) < -_ZERO:
        raise NotScorable("taes", "TAES takes the root of a negative number, at which the official tool stops")
    return counts


_ZERO = 5e-11  # the official zero test rounds to ten decimals


def pool(pairs: Sequence[PairCounts]) -> NedcScores:
    """Add the counts of pairs, in their order, and derive the measures once.

    Raises
    ------
    ValueError
        If there is no pair.
    """
    if not pairs:
        raise ValueError("no pair to score")
    duration_s = 0.0
    for pair in pairs:  # one by one, as the official tool adds (see `taes.Tally`)
        duration_s += pair.duration_s
    alignment = pairs[0].alignment
    for pair in pairs[1:]:
        alignment += pair.alignment
    samples = np.sum([pair.confusion for pair in pairs], axis=0)
    overlaps = {label: _added([pair.overlaps[label] for pair in pairs]) for label in LABELS}
    tallies = {label: taes.pooled(pair.tallies[label] for pair in pairs) for label in LABELS}
    return NedcScores(
        dpalign=derive(dpalign.counts(alignment), duration_s, confusion=epoch.as_mapping(alignment.confusion)),
        epoch=derive(epoch.counts(samples), duration_s, fp_unit_s=epoch.PERIOD_S, confusion=epoch.as_mapping(samples)),
        ovlp=derive(ovlp.counts(overlaps), duration_s),
        taes=derive(_taes_counts(tallies), duration_s),
        ira=epoch.agreement(samples),
    )


def _added(rows: Sequence[tuple[int, int, int, int]]) -> tuple[int, int, int, int]:
    targets, hits, misses, false_alarms = (sum(column) for column in zip(*rows, strict=True))
    return targets, hits, misses, false_alarms


def _taes_counts(tallies: Mapping[str, taes.Tally]) -> dict[str, Counts]:
    totals = {label: tallies[label].totals() for label in LABELS}
    seizure, background = LABELS
    return {
        seizure: ovlp.event_counts(*totals[seizure], tn=totals[background][1]),
        background: ovlp.event_counts(*totals[background], tn=totals[seizure][1]),
    }
