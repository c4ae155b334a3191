"""DPALIGN: align the two label sequences, whatever the times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainscan.scoring.nedc.measures import Counts
from brainscan.scoring.nedc.segments import LABELS, SegmentList


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """Steps of the alignment, counted; index 0 is ``seiz``, 1 is ``bckg``.

    Parameters
    ----------
    confusion : array of int64, shape (2, 2)
        Aligned pairs, ``[ref, hyp]``.
    insertions, deletions : array of int64, shape (2,)
        Labels that stand alone in the hypothesis, in the reference.
    """

    confusion: NDArray[np.int64]
    insertions: NDArray[np.int64]
    deletions: NDArray[np.int64]

    def __add__(self, other: Alignment) -> Alignment:
        return Alignment(
            self.confusion + other.confusion, self.insertions + other.insertions, self.deletions + other.deletions
        )


def align(ref: SegmentList, hyp: SegmentList) -> Alignment:
    """Align two completed lists at the least number of substitutions, insertions and deletions.

    Labels of a completed list alternate, so four numbers describe both sequences (first label and length of
    each) and the alignment that the official tie order (diagonal, insertion, deletion) picks can be written
    down: equal first labels pair off from the start; else the longer side loses its first label; else, from
    three on, the reference loses its first label and the hypothesis its last. The tests compare this with the
    dynamic programme of the definition.
    """
    # Labels as 0 (seiz) and 1 (bckg): number k of a sequence has the label (first + k) % 2.
    ref_first, hyp_first = int(not ref.seizure[0]), int(not hyp.seizure[0])
    ref_from, hyp_from = 0, 0
    n_ref, n_hyp = len(ref), len(hyp)
    if ref_first != hyp_first:
        if n_ref == n_hyp and n_ref < 3:
            swapped = np.zeros((2, 2), np.int64)
            for k in range(n_ref):
                swapped[(ref_first + k) % 2, (hyp_first + k) % 2] += 1
            return Alignment(swapped, np.zeros(2, np.int64), np.zeros(2, np.int64))
        ref_from, hyp_from = (0, 1) if n_hyp > n_ref else (1, 0)
    n_pairs = min(n_ref - ref_from, n_hyp - hyp_from)
    paired = _count_labels(ref_first, ref_from, ref_from + n_pairs)
    return Alignment(
        confusion=np.diag(paired),
        insertions=_count_labels(hyp_first, 0, n_hyp) - paired,
        deletions=_count_labels(ref_first, 0, n_ref) - paired,
    )


def _count_labels(first: int, start: int, stop: int) -> NDArray[np.int64]:
    """Count how often each label stands at the places ``start .. stop - 1`` of an alternating sequence."""
    n = stop - start
    lead = (first + start) % 2
    counts = np.zeros(2, np.int64)
    counts[lead], counts[1 - lead] = (n + 1) // 2, n // 2
    return counts


def counts(total: Alignment) -> dict[str, Counts]:
    """Return the counts per label of an alignment (or of several, added)."""
    result = {}
    for k, label in enumerate(LABELS):
        hits, swapped = int(total.confusion[k, k]), int(total.confusion[k, 1 - k])
        insertions, deletions = int(total.insertions[k]), int(total.deletions[k])
        misses = swapped + deletions
        result[label] = Counts(
            targets=hits + misses,
            hits=hits,
            misses=misses,
            false_alarms=insertions,
            insertions=insertions,
            deletions=deletions,
            tp=hits,
            tn=int(total.confusion[1 - k, 1 - k]),
            fp=insertions,
            fn=misses,
        )
    return result
