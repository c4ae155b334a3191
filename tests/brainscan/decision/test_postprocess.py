"""From a curve to events: thresholds, morphology, merging, dwell, holes, and no dependence on cuts."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from brainscan.card import DecisionConfig, PostictalConfig
from brainscan.decision.average import MovingAverage
from brainscan.decision.postprocess import Decision, events_of_curve, find_events
from brainscan.detector import Detector
from brainscan.events import BoolArray, Event, Probabilities, mask_of
from tests.stand_ins import LoudnessRunner, noise, quick, recording_of, with_bursts
from tests.strategies import curves, cuts, holed_curves, masks, pieces

FloatArray = NDArray[np.float32]

BARE = DecisionConfig(enter=0.5, leave=0.5, average_s=0.0, opening=1, closing=1, merge_gap_s=0.0, min_duration_s=0.0)
SAMPLE_S = 1.0 / 256.0

configs = st.builds(
    lambda thresholds, opening, closing, merge, shortest, dwell, after: DecisionConfig(
        enter=max(thresholds),
        leave=min(thresholds),
        average_s=0.0,
        opening=2 * opening + 1,
        closing=2 * closing + 1,
        merge_gap_s=merge * SAMPLE_S,
        min_duration_s=shortest * SAMPLE_S,
        onset_dwell=dwell[0],
        offset_dwell=dwell[1],
        postictal=PostictalConfig(after[0] * SAMPLE_S, after[1]),
    ),
    st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)),
    st.integers(0, 8),
    st.integers(0, 8),
    st.integers(0, 30),
    st.integers(0, 40),
    st.tuples(st.integers(0, 20), st.integers(0, 20)),
    st.tuples(st.integers(0, 200), st.floats(0.0, 4.0)),
)


def _events(curve: FloatArray, config: DecisionConfig, start_s: float = 0.0) -> tuple[Event, ...]:
    return events_of_curve(curve, curve, config, start_s)


def _mask(curve: FloatArray, config: DecisionConfig) -> BoolArray:
    return mask_of(((e.onset_s, e.offset_s) for e in _events(curve, config)), len(curve))


def _spans(curve: FloatArray, config: DecisionConfig) -> list[tuple[int, int]]:
    return [(round(e.onset_s * 256), round(e.offset_s * 256)) for e in _events(curve, config)]


def _curve(*runs: tuple[float, int]) -> FloatArray:
    return np.concatenate([np.full(n, value, dtype=np.float32) for value, n in runs])


@given(masks)
def test_without_morphology_the_mask_comes_back(mask: BoolArray) -> None:
    assert np.array_equal(_mask(mask.astype(np.float32), BARE), mask)


@given(masks, st.integers(0, 12))
def test_opening_is_that_of_scipy(mask: BoolArray, half: int) -> None:
    expected = ndimage.binary_opening(mask, np.ones(2 * half + 1)) if len(mask) else mask
    assert np.array_equal(_mask(mask.astype(np.float32), replace(BARE, opening=2 * half + 1)), expected)


@given(masks, st.integers(0, 12))
def test_closing_is_that_of_scipy(mask: BoolArray, half: int) -> None:
    # Padded, since scipy takes what lies beyond the ends for background when it erodes.
    padded = np.pad(mask, 2 * half + 1)
    expected = ndimage.binary_closing(padded, np.ones(2 * half + 1))[2 * half + 1 : len(padded) - 2 * half - 1]
    assert np.array_equal(_mask(mask.astype(np.float32), replace(BARE, closing=2 * half + 1)), expected)


@given(masks, st.integers(0, 8), st.integers(0, 8))
def test_opening_comes_before_closing(mask: BoolArray, opening: int, closing: int) -> None:
    width = 2 * closing + 1
    opened = ndimage.binary_opening(np.pad(mask, width), np.ones(2 * opening + 1))
    expected = ndimage.binary_closing(opened, np.ones(width))[width : len(opened) - width]
    config = replace(BARE, opening=2 * opening + 1, closing=width)
    assert np.array_equal(_mask(mask.astype(np.float32), config), expected)


@given(curves, st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_hysteresis_is_its_definition(curve: FloatArray, a: float, b: float) -> None:
    config = replace(BARE, enter=max(a, b), leave=min(a, b))
    state, expected = False, []
    for value in curve:
        state = value >= config.enter or (state and value >= config.leave)
        expected.append(bool(state))
    assert _mask(curve, config).tolist() == expected


@settings(max_examples=200, deadline=None)
@given(curves, configs, st.floats(0.0, 1.0))
def test_raising_enter_never_adds_ictal_time(curve: FloatArray, config: DecisionConfig, enter: float) -> None:
    # Where an event asks more of the next, the next may come up where the event itself does not.
    plain = replace(config, onset_dwell=0, offset_dwell=0, postictal=PostictalConfig())
    stricter = replace(plain, enter=max(enter, config.enter))
    assert not (_mask(curve, stricter) & ~_mask(curve, plain)).any()


def test_a_leave_of_zero_is_a_threshold() -> None:
    curve = _curve((0.1, 50), (0.9, 50), (0.0, 100))
    assert _spans(curve, replace(BARE, leave=0.0)) == [(50, 200)]


@settings(max_examples=200, deadline=None)
@given(holed_curves, configs, cuts)
def test_cuts_change_nothing(curve: FloatArray, config: DecisionConfig, at: list[float]) -> None:
    decision = Decision(config, 7.0)
    found: list[Event] = []
    for piece in pieces(curve, at):
        found += decision.push(piece, piece)
    found += decision.finish()
    expected = _events(curve, config, 7.0)
    assert [(e.onset_s, e.offset_s, e.prolonged) for e in found] == [
        (e.onset_s, e.offset_s, e.prolonged) for e in expected
    ]
    assert [e.confidence for e in found] == pytest.approx([e.confidence for e in expected])


@settings(max_examples=100, deadline=None)
@given(holed_curves, configs)
def test_events_are_disjoint_in_order_long_enough_and_scored(curve: FloatArray, config: DecisionConfig) -> None:
    spans = _spans(curve, config)
    assert all(a < b <= c for (a, b), (c, _) in itertools.pairwise(spans))
    for first, stop in spans:
        assert stop - first >= config.min_duration_s * 256
        assert not np.isnan(curve[first:stop]).any()


@settings(max_examples=100, deadline=None)
@given(holed_curves, configs)
def test_what_was_returned_is_never_revised(curve: FloatArray, config: DecisionConfig) -> None:
    """Events come out in time: each once nothing later can change it, and as the whole curve has it."""
    decision, early = Decision(config), []
    for i in range(0, len(curve), 16):
        early += decision.push(curve[i : i + 16], curve[i : i + 16])
    expected = _events(curve, config)
    assert [e.onset_s for e in early] == [e.onset_s for e in expected[: len(early)]]


def test_shorter_than_min_duration_is_dropped_and_exactly_as_long_stays() -> None:
    config = replace(BARE, min_duration_s=5.0)
    assert _spans(_curve((0.0, 10), (1.0, 5 * 256 - 1), (0.0, 10)), config) == []
    assert _spans(_curve((0.0, 10), (1.0, 5 * 256), (0.0, 10)), config) == [(10, 1290)]


@pytest.mark.parametrize(("gap", "n_events"), [(512, 1), (513, 2)])
def test_gaps_up_to_two_seconds_are_merged(gap: int, n_events: int) -> None:
    curve = _curve((1.0, 300), (0.0, gap), (1.0, 300))
    assert len(_events(curve, replace(BARE, merge_gap_s=2.0))) == n_events


def test_merging_comes_before_dropping() -> None:
    curve = _curve((1.0, 300), (0.0, 200), (1.0, 300))
    assert _spans(curve, replace(BARE, merge_gap_s=2.0, min_duration_s=3.0)) == [(0, 800)]


def test_five_minutes_are_prolonged_and_never_cut() -> None:
    shorter, exact, longer = (_curve((0.0, 10), (1.0, round(s * 256)), (0.0, 10)) for s in (299.9, 300.0, 900.0))
    assert [e.prolonged for e in _events(shorter, BARE)] == [False]
    assert [e.prolonged for e in _events(exact, BARE)] == [True]
    (event,) = _events(longer, BARE)
    assert event.prolonged
    assert event.duration_s == 900.0
    (late,) = _events(_curve((0.0, 400 * 256), (1.0, 10 * 256), (0.0, 10)), BARE)
    assert not late.prolonged


def test_confidence_is_the_mean_inside_whatever_the_thresholds_look_at() -> None:
    plain = _curve((0.2, 100), (0.6, 100), (0.8, 100), (0.2, 100))
    averaged = _curve((0.0, 50), (1.0, 300), (0.0, 50))
    (event,) = events_of_curve(averaged, plain, BARE, 0.0)
    assert event.confidence == pytest.approx((0.2 * 100 + 0.6 * 100 + 0.8 * 100) / 300, rel=1e-6)


def test_confidence_passes_the_card_s_map() -> None:
    curve = _curve((0.0, 100), (0.8, 256), (0.0, 100))
    (event,) = find_events(Probabilities(0.0, curve), BARE, [(0.0, 0.1), (0.6, 0.2), (1.0, 0.6)])
    assert event.confidence == pytest.approx(0.4, rel=1e-5)


@pytest.mark.parametrize(("knots", "confidence"), [([(0.0, -1.0), (1.0, -0.5)], 0.0), ([(0.0, 1.5), (1.0, 3.0)], 1.0)])
def test_a_map_that_leaves_the_unit_interval_is_held_to_it(knots: list[tuple[float, float]], confidence: float) -> None:
    (event,) = find_events(Probabilities(0.0, _curve((0.8, 256))), BARE, knots)
    assert event.confidence == confidence


def _samples_until_known(curve: FloatArray, config: DecisionConfig) -> list[int]:
    """Return after how many samples each event was returned, one more sample at a time."""
    decision, known = Decision(config), []
    for i in range(len(curve)):
        known += [i + 1] * len(decision.push(curve[i : i + 1], curve[i : i + 1]))
    return known


@pytest.mark.parametrize(
    ("config", "runs", "known"),
    [
        (BARE, [(1.0, 300), (0.0, 20)], 301),
        (replace(BARE, merge_gap_s=0.25), [(1.0, 300), (0.0, 100)], 300 + 64 + 1),
        (replace(BARE, closing=31), [(1.0, 300), (0.0, 100)], 300 + 31),
        (replace(BARE, offset_dwell=50), [(1.0, 300), (0.0, 100)], 350),
        # A run that may still become an onset within reach holds it back, for as long as it may.
        (replace(BARE, merge_gap_s=0.25, onset_dwell=90), [(1.0, 300), (0.0, 20), (1.0, 80), (0.0, 9)], 401),
        (replace(BARE, merge_gap_s=0.25, onset_dwell=90), [(1.0, 300), (0.0, 65), (1.0, 80), (0.0, 9)], 365),
        (BARE, [(1.0, 300), (float("nan"), 2)], 301),
        (replace(BARE, merge_gap_s=2.0), [(1.0, 300), (0.0, 7), (float("nan"), 2)], 308),
    ],
)
def test_an_event_is_known_as_soon_as_nothing_can_change_it(
    config: DecisionConfig, runs: list[tuple[float, int]], known: int
) -> None:
    """A stream that waits longer than it must is a late alarm."""
    assert _samples_until_known(_curve(*runs), config) == [known]


@pytest.mark.parametrize("dwell", [0, 90])
def test_a_block_that_ends_in_the_next_event_gives_the_one_before(dwell: int) -> None:
    config = replace(BARE, merge_gap_s=0.25, onset_dwell=dwell)
    block = _curve((0.9, 300), (0.0, 100), (0.9, 10))
    (event,) = Decision(config).push(block, block)
    assert (event.onset_s, event.offset_s) == (0.0, 300 * SAMPLE_S)


AFTER = replace(BARE, postictal=PostictalConfig(within_s=1.0, logits=2.0))  # 0.5 must become 0.88


@pytest.mark.parametrize(
    ("runs", "spans"),
    [
        ([(0.6, 300), (0.0, 100), (0.87, 50), (0.0, 9)], [(0, 300)]),
        ([(0.6, 300), (0.0, 100), (0.6, 20), (0.89, 1), (0.6, 29), (0.0, 9)], [(0, 300), (400, 450)]),
        ([(0.6, 300), (0.0, 256), (0.6, 50), (0.0, 9)], [(0, 300), (556, 606)]),
        # Where it begins counts; what was left out asks nothing of the next.
        ([(0.6, 300), (0.0, 200), (0.6, 100), (0.0, 9), (0.6, 50)], [(0, 300), (609, 659)]),
        # Each event asks it anew.
        ([(0.6, 300), (0.0, 200), (0.9, 100), (0.0, 200), (0.6, 50)], [(0, 300), (500, 600)]),
    ],
)
def test_what_begins_soon_after_an_event_must_rise_higher(
    runs: list[tuple[float, int]], spans: list[tuple[int, int]]
) -> None:
    assert _spans(_curve(*runs), AFTER) == spans


def test_what_was_left_out_after_an_event_is_counted() -> None:
    decision = Decision(AFTER)
    curve = _curve((0.6, 300), (0.0, 100), (0.6, 50), (0.0, 9), (0.7, 30))
    assert len(decision.push(curve, curve) + decision.finish()) == 1
    assert decision.left_out == 2


def test_what_begins_soon_after_an_event_goes_on_once_it_has_risen() -> None:
    decision = Decision(AFTER)
    curve = _curve((0.6, 300), (0.0, 100), (0.6, 50))
    assert len(decision.push(curve, curve)) == 1
    assert decision.ongoing is None
    curve = _curve((0.9, 1))
    assert decision.push(curve, curve) == []
    assert decision.ongoing is not None
    assert decision.ongoing.onset_s == 400 * SAMPLE_S


def test_a_detection_says_what_was_left_out_after_an_event() -> None:
    bursts = with_bursts(noise(60.0), 256.0, [(10.0, 20.0)])
    bursts = with_bursts(bursts, 256.0, [(30.0, 40.0)], 180.0)
    found = {}
    for name, asked in (("nothing", PostictalConfig()), ("much", PostictalConfig(90.0, 8.0))):
        detector = Detector(LoudnessRunner(), quick(postictal=asked))  # type: ignore[arg-type]
        found[name] = detector.detect(recording_of(bursts))
    told = "a stretch was left out that began within 90 s after an event"
    assert [len(found[name].events) for name in ("nothing", "much")] == [2, 1]
    assert [any(told in w for w in found[name].warnings) for name in ("nothing", "much")] == [False, True]


@pytest.mark.parametrize("wrong", [{"within_s": -1.0}, {"logits": -0.1}])
def test_less_than_nothing_cannot_be_asked_for_after_an_event(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        PostictalConfig(**wrong)


@given(curve=curves, config=configs)
def test_what_an_event_must_show_soon_after_another_is_a_choice_among_events(
    curve: FloatArray, config: DecisionConfig
) -> None:
    config = replace(config, opening=1)  # what opening took away within an event is not looked at
    asked, expected, free_s = config.postictal, [], 0.0
    logit = np.log(max(config.enter, 1e-6)) - np.log1p(-min(config.enter, 1.0 - 1e-6)) + asked.logits
    needed = config.enter if config.enter in (0.0, 1.0) else 1.0 / (1.0 + np.exp(-logit))
    for event in _events(curve, replace(config, postictal=PostictalConfig())):
        first, stop = round(event.onset_s * 256), round(event.offset_s * 256)
        if event.onset_s < free_s and asked.logits and curve[first:stop].max() < needed - 1e-7:
            continue
        expected.append(event)
        free_s = event.offset_s + asked.within_s
    assert list(_events(curve, config)) == expected


def test_onset_dwell_asks_for_an_unbroken_run_and_keeps_its_start() -> None:
    config = replace(BARE, onset_dwell=128)
    assert _spans(_curve((0.0, 10), (1.0, 127), (0.0, 50)), config) == []
    assert _spans(_curve((0.0, 10), (1.0, 100), (0.0, 1), (1.0, 100), (0.0, 50)), config) == []
    assert _spans(_curve((0.0, 10), (1.0, 128), (0.0, 50)), config) == [(10, 138)]


def test_offset_dwell_ends_the_event_where_the_quiet_run_begins() -> None:
    config = replace(BARE, offset_dwell=256)
    assert _spans(_curve((1.0, 100), (0.0, 255), (1.0, 100), (0.0, 300)), config) == [(0, 455)]
    assert _spans(_curve((1.0, 100), (0.0, 256), (1.0, 100), (0.0, 300)), config) == [(0, 100), (356, 456)]


def test_no_event_closing_or_merge_crosses_an_unscored_span() -> None:
    curve = _curve((1.0, 300), (float("nan"), 5), (1.0, 300))
    assert _spans(curve, replace(BARE, closing=31, merge_gap_s=2.0)) == [(0, 300), (305, 605)]
    two_before = _curve((1.0, 300), (0.0, 100), (1.0, 300), (float("nan"), 5))
    assert _spans(two_before, BARE) == [(0, 300), (400, 700)]


def test_hysteresis_starts_anew_behind_an_unscored_span() -> None:
    curve = _curve((0.9, 100), (float("nan"), 5), (0.6, 100), (0.9, 50))
    assert _spans(curve, replace(BARE, enter=0.8, leave=0.5)) == [(0, 100), (205, 255)]


@settings(max_examples=50, deadline=None)
@given(holed_curves, configs, cuts)
def test_with_averaging_cuts_move_no_boundary(curve: FloatArray, config: DecisionConfig, at: list[float]) -> None:
    config = replace(config, average_s=0.15)
    averager, decision = MovingAverage(config.average_s), Decision(config)
    found: list[Event] = []
    for piece in pieces(curve, at):
        found += decision.push(*averager.push(piece))
    found += decision.push(*averager.finish())
    found += decision.finish()
    expected = find_events(Probabilities(0.0, curve.copy()), config)
    assert [e.onset_s for e in found] == pytest.approx([e.onset_s for e in expected], abs=2 * SAMPLE_S)


def test_published_defaults_on_a_plain_seizure() -> None:
    curve = _curve((0.05, 30 * 256), (0.97, 20 * 256), (0.05, 30 * 256))
    (event,) = find_events(Probabilities(100.0, curve), DecisionConfig())
    # Of twelve averaged seconds 0.74 must be ictal for 0.86, 0.66 for 0.78 (means of logits).
    assert event.onset_s == pytest.approx(132.9, abs=0.1)
    assert event.offset_s == pytest.approx(148.1, abs=0.1)


@given(curve=holed_curves, config=configs, share=st.floats(0.0, 1.0))
def test_what_goes_on_is_reported_in_the_end_and_nothing_begins_before_what_is_settled(
    curve: FloatArray, config: DecisionConfig, share: float
) -> None:
    decision = Decision(config, 100.0)
    cut = round(share * len(curve))
    early = decision.push(curve[:cut], curve[:cut])
    ongoing, settled_s = decision.ongoing, decision.settled_s
    late = decision.push(curve[cut:], curve[cut:]) + decision.finish()
    assert all(event.onset_s >= settled_s for event in late)
    assert all(event.offset_s <= 100.0 + cut * SAMPLE_S for event in early)
    if ongoing is not None:
        assert late[0].onset_s == ongoing.onset_s
        assert late[0].offset_s >= ongoing.until_s


@given(curve=curves, config=configs)
def test_what_is_long_enough_goes_on(curve: FloatArray, config: DecisionConfig) -> None:
    """Where nothing waits for a dwell, an event that would be reported now is one that goes on."""
    config = replace(config, onset_dwell=0, offset_dwell=0)
    decision = Decision(config)
    returned = decision.push(curve, curve)
    ongoing = decision.ongoing
    ended = decision.finish()
    spans = [(e.onset_s, e.offset_s) for e in ended]
    assert ([(ongoing.onset_s, ongoing.until_s)] if ongoing else []) == spans
    if ongoing is not None:
        assert ongoing.confidence == pytest.approx(ended[-1].confidence)
    assert not set(returned) & set(ended)


def test_what_goes_on_begins_with_the_interval_that_it_joins() -> None:
    decision = Decision(replace(BARE, merge_gap_s=25 * SAMPLE_S))
    curve = _curve((0.9, 300), (0.1, 10), (0.9, 200))
    assert not decision.push(curve, curve)
    assert decision.ongoing is not None
    assert (decision.ongoing.onset_s * 256, decision.ongoing.until_s * 256) == (0.0, 510.0)


def test_what_a_later_one_may_still_join_is_not_settled() -> None:
    decision = Decision(replace(BARE, merge_gap_s=25 * SAMPLE_S), 10.0)
    curve = _curve((0.1, 256), (0.9, 300), (0.1, 10))
    assert not decision.push(curve, curve)
    assert decision.settled_s == 11.0


def test_what_may_have_ended_goes_on_to_where_it_fell_only() -> None:
    decision = Decision(replace(BARE, offset_dwell=50))
    curve = _curve((0.1, 40), (0.9, 300), (0.1, 20))
    assert not decision.push(curve, curve)
    assert decision.ongoing is not None
    assert (decision.ongoing.onset_s * 256, decision.ongoing.until_s * 256) == (40.0, 340.0)


def test_what_opening_may_still_take_away_does_not_go_on() -> None:
    decision = Decision(replace(BARE, opening=101))
    curve = _curve((0.1, 300), (0.9, 50))
    assert not decision.push(curve, curve)
    assert decision.ongoing is None
