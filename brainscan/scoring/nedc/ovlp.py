"""OVLP: a segment is found if anything of its label overlaps it."""

from __future__ import annotations

import numpy as np

from brainscan.scoring.nedc.measures import Counts
from brainscan.scoring.nedc.segments import LABELS, SegmentList, overlapped

LabelCounts = dict[str, tuple[int, int, int, int]]
"""Per label: targets, hits, misses, false alarms."""


def count(ref: SegmentList, hyp: SegmentList) -> LabelCounts:
    """Count the reference segments that are overlapped and the hypothesis segments that are not."""
    result = {}
    for label in LABELS:
        ref_hit, hyp_hit = overlapped(ref, hyp, label)
        hits = int(np.count_nonzero(ref_hit))
        result[label] = (len(ref_hit), hits, len(ref_hit) - hits, len(hyp_hit) - int(np.count_nonzero(hyp_hit)))
    return result


def counts(total: LabelCounts) -> dict[str, Counts]:
    """Return the counts per label, with the hits of the other label as true negatives."""
    other = dict(zip(LABELS, reversed(LABELS), strict=True))
    return {label: event_counts(*total[label], tn=total[other[label]][1]) for label in LABELS}


def event_counts(targets: int, hits: float, misses: float, false_alarms: float, *, tn: float) -> Counts:
    """Spell out what OVLP and TAES share: insertions are false alarms, deletions are misses."""
    return Counts(
        targets=targets,
        hits=hits,
        misses=misses,
        false_alarms=false_alarms,
        insertions=false_alarms,
        deletions=misses,
        tp=hits,
        tn=tn,
        fp=false_alarms,
        fn=misses,
    )
