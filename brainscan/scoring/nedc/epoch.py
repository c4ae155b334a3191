"""EPOCH and IRA: both lists sampled four times a second, compared sample by sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainscan.events import BoolArray
from brainscan.scoring.nedc.measures import Counts
from brainscan.scoring.nedc.segments import LABELS, SegmentList

PERIOD_S = 0.25
_FIRST_S = PERIOD_S / 2


@dataclass(frozen=True, slots=True)
class Agreement:
    """IRA: Cohen's kappa over the samples of EPOCH.

    Parameters
    ----------
    confusion : mapping
    kappa : mapping of label to float
    multi_class_kappa : float
    """

    confusion: dict[str, dict[str, int]]
    kappa: dict[str, float]
    multi_class_kappa: float

    def as_mapping(self) -> dict[str, Any]:
        """Return the fixed JSON layout."""
        return {"confusion": self.confusion, "kappa": self.kappa, "multi_class_kappa": self.multi_class_kappa}


def confusion(ref: SegmentList, hyp: SegmentList) -> NDArray[np.int64]:
    """Count the samples at ``0.125 + k / 4`` s, up to the reference's end, by both labels.

    Returns
    -------
    array of int64, shape (2, 2)
        ``[ref, hyp]``, index 0 is ``seiz``.
    """
    n_samples = max(0, int(np.floor((ref.end_s - _FIRST_S) / PERIOD_S)) + 1)
    ref_mask, hyp_mask = _sampled(ref, n_samples), _sampled(hyp, n_samples)
    n_ref, n_hyp = np.count_nonzero(ref_mask), np.count_nonzero(hyp_mask)
    both = np.count_nonzero(ref_mask & hyp_mask)
    return np.array([[both, n_ref - both], [n_hyp - both, n_samples - n_ref - n_hyp + both]], dtype=np.int64)


def _sampled(segments: SegmentList, n_samples: int) -> BoolArray:
    """Label each sample by the first segment that holds it, both ends included; else by the last segment."""
    # Multiples of 1/8 s are exact in binary, and so are these differences: no sample changes side.
    first = np.ceil((segments.start_s - _FIRST_S) / PERIOD_S)
    stop = np.floor((segments.stop_s - _FIRST_S) / PERIOD_S) + 1
    first, stop = (np.clip(edges, 0, n_samples).astype(np.int64).tolist() for edges in (first, stop))
    labels = segments.seizure.tolist()
    mask = np.full(n_samples, labels[-1], dtype=np.bool_)
    for k in range(len(labels) - 1, -1, -1):  # backwards: the earlier segment has the last word
        mask[first[k] : max(first[k], stop[k])] = labels[k]
    return mask


def counts(total: NDArray[np.int64]) -> dict[str, Counts]:
    """Return the counts per label of a confusion matrix (of one pair, or several added)."""
    result = {}
    n_samples = int(total.sum())
    for k, label in enumerate(LABELS):
        hits = int(total[k, k])
        misses, fp = int(total[k].sum()) - hits, int(total[:, k].sum()) - hits
        # The background is the null class: it has false positives, but no "false alarms".
        alarms, deletions = (fp, misses) if label == LABELS[0] else (0, 0)
        result[label] = Counts(
            targets=hits + misses,
            hits=hits,
            misses=misses,
            false_alarms=alarms,
            insertions=alarms,
            deletions=deletions,
            tp=hits,
            tn=n_samples - hits - misses - fp,
            fp=fp,
            fn=misses,
        )
    return result


def as_mapping(total: NDArray[np.int64]) -> dict[str, dict[str, int]]:
    """Return a 2 × 2 matrix as ``{ref: {hyp: count}}``."""
    return {ref: {hyp: int(total[i, j]) for j, hyp in enumerate(LABELS)} for i, ref in enumerate(LABELS)}


def agreement(total: NDArray[np.int64]) -> Agreement:
    """Return the inter-rater agreement of a confusion matrix (at least one sample)."""
    n = int(total.sum())
    kappa = {}
    for k, label in enumerate(LABELS):
        a = int(total[k, k])
        b, c = int(total[k].sum()) - a, int(total[:, k].sum()) - a
        d = n - a - b - c
        observed = (a + d) / n
        expected = (a + b) / n * (a + c) / n + (c + d) / n * (b + d) / n
        kappa[label] = _kappa(observed - expected, 1 - expected)
    trace = int(np.trace(total))
    chance = sum(int(total[k].sum()) * int(total[:, k].sum()) for k in range(len(LABELS)))
    return Agreement(as_mapping(total), kappa, _kappa(n * trace - chance, n * n - chance))


def _kappa(above_chance: float, possible: float) -> float:
    # Nothing is possible above chance only where both sides are of one label, the same, throughout.
    return 1.0 if possible == 0 else above_chance / possible
