"""The NEDC v6.0.0 measures: DPALIGN, EPOCH, OVLP, TAES and IRA, written from their definitions.

``complete`` turns annotation rows into the segment list that all five metrics read, ``count_pair`` counts one
pair of lists, ``pool`` adds counts and derives the measures.
"""

from __future__ import annotations

from brainscan.scoring.nedc.measures import Measures, MetricScores, NotScorable
from brainscan.scoring.nedc.score import NedcScores, PairCounts, count_pair, pool
from brainscan.scoring.nedc.segments import LABELS, Pair, SegmentList, complete

__all__ = [
    "LABELS",
    "Measures",
    "MetricScores",
    "NedcScores",
    "NotScorable",
    "Pair",
    "PairCounts",
    "SegmentList",
    "complete",
    "count_pair",
    "pool",
]
