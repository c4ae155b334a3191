"""What is said of parts and recordings in which no event has room."""

from __future__ import annotations

import pytest

from brainscan.card import DecisionConfig
from brainscan.decision import room

DECISION = DecisionConfig(min_duration_s=6.0)


@pytest.mark.parametrize(("shortest_s", "least_s"), [(0.0, 2.0), (2.0, 2.0), (6.0, 6.0)])
def test_a_part_holds_the_shortest_event_and_never_less_than_two_seconds(shortest_s: float, least_s: float) -> None:
    assert room.room_s(DecisionConfig(min_duration_s=shortest_s)) == least_s


def test_parts_that_are_too_short_are_counted() -> None:
    assert room.told((), DECISION) == ""
    said = room.told(((0.0, 5.5), (20.0, 21.0)), DECISION)
    assert said == "parts shorter than 6 s: 2, 6.5 s in all; they are not analysed, no event has room there"


@pytest.mark.parametrize(
    ("duration_s", "analysed_s", "said"),
    [
        (30.0, 30.0, ""),
        (30.0, 0.0, ""),  # nothing was analysed: the whole is what there is to say something of
        (29.0, 29.0, "the recording is shorter than 30 s (29 s)"),
        (29.0, 0.0, "the recording is shorter than 30 s (29 s)"),
        (30.0, 29.0, "less than 30 s were analysed (29 s)"),
        (100.0, 29.0, "less than 30 s were analysed (29 s)"),
        (100.0, 6.0, "less than 30 s were analysed (6 s)"),
        (100.0, 5.5, "less than 30 s were analysed (5.5 s): no event has room there"),
        (5.5, 5.5, "the recording is shorter than 30 s (5.5 s): no event has room there"),
    ],
)
def test_what_is_short_is_told(duration_s: float, analysed_s: float, said: str) -> None:
    assert room.told_of_short(duration_s, analysed_s, 30.0, DECISION) == said
