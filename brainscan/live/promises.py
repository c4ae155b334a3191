"""Within which time events are told: bounds that follow from a card, in seconds of recording."""

from __future__ import annotations

from brainscan.card import Card, DecisionConfig
from brainscan.events import RATE_HZ
from brainscan.signal.filters import FRAME, half_length


def filter_delay_s(card: Card) -> float:
    """Return how long a sample waits at most until it has passed the filter, resampling's second included."""
    return (FRAME + half_length(card.filter)) / RATE_HZ + 1.0


def decided_within_s(card: Card, decision: DecisionConfig) -> float:
    """Return how long after a moment its averaged probability is known at the latest.

    A sample is stitched once the last window that holds it is through the network, and averaged once the half of the
    average behind it is stitched.
    """
    return card.window.duration_s + decision.average_s / 2 + filter_delay_s(card)


def opens_within_s(card: Card, decision: DecisionConfig) -> float:
    """Return how long after an onset an event is open for certain, at the latest: it must have lasted long enough.

    Soon after another event (`PostictalConfig`), it may also open later: when it has risen enough.
    """
    return decided_within_s(card, decision) + decision.min_duration_s + decision.opening / RATE_HZ


def closes_within_s(card: Card, decision: DecisionConfig) -> float:
    """Return how long after an offset an event is closed, at the latest: until nothing can join it any more."""
    gap_s = max(decision.merge_gap_s, decision.closing / RATE_HZ) + decision.offset_dwell / RATE_HZ
    return decided_within_s(card, decision) + gap_s
