"""Quality rows 1 and 2, from hand-made recordings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainscan.events import RATE_HZ, Event, Probabilities
from brainscan.scoring.intervals import poisson_upper
from brainscan.scoring.pieces import (
    OFFSET_MARGIN_S,
    ScoredRecording,
    clip,
    cut_pieces,
    event_row,
    event_rows,
    rank_row,
    rank_rows,
)
from brainscan.scoring.ranking import auroc

Interval = tuple[float, float]


def recording(
    levels: Sequence[float],
    *,
    seizures: Sequence[Interval] = (),
    subject: str = "s1",
    source: str = "here",
    scored: Sequence[Interval] | None = None,
    events: Sequence[Interval] = (),
    step_s: float = 10.0,
    start_s: float = 0.0,
) -> ScoredRecording:
    """Make a recording whose probability is constant over each step."""
    values = np.repeat(np.array(levels, dtype=np.float32), round(step_s * RATE_HZ))
    duration_s = start_s + len(levels) * step_s
    return ScoredRecording(
        source=source,
        subject=subject,
        kind="",
        duration_s=duration_s,
        scored=((0.0, duration_s),) if scored is None else tuple(scored),
        annotations=tuple(seizures),
        probabilities=(Probabilities(start_s, values),),
        events=tuple(Event(a, b, 0.9) for a, b in events),
    )


def rng() -> np.random.Generator:
    return np.random.default_rng(3)


# ---- ranking ---------------------------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=2, max_size=30).filter(
        lambda rows: {ictal for _, ictal in rows} == {True, False}
    )
)
def test_the_row_ranks_as_the_plain_auroc(rows: list[tuple[int, bool]]) -> None:
    levels = [level / 4 for level, _ in rows]
    seizures = [(10.0 * k, 10.0 * k + 10.0) for k, (_, ictal) in enumerate(rows) if ictal]
    row = rank_row([recording(levels, seizures=seizures)], rng())
    values, ictal = np.array(levels), np.array([ictal for _, ictal in rows])
    assert row.auroc == pytest.approx(auroc(values[ictal], values[~ictal]))


# ---- cutting ---------------------------------------------------------------------------------------------------


def test_a_last_piece_of_half_the_length_counts_and_a_shorter_one_does_not() -> None:
    longer = cut_pieces([recording([0.5] * 25, step_s=1.0)])
    shorter = cut_pieces([recording([0.5] * 24, step_s=1.0)])
    assert (len(longer.score), len(shorter.score)) == (3, 2)


@pytest.mark.parametrize("length_s", [0.0, -1.0, math.nan])
def test_pieces_without_a_length_are_refused(length_s: float) -> None:
    with pytest.raises(ValueError, match="a piece needs a length"):
        cut_pieces([recording([0.5])], piece_s=length_s)


def test_a_piece_is_ictal_from_half_on() -> None:
    half, less = (cut_pieces([recording([0.5, 0.5], seizures=[(0.0, end)])]) for end in (5.0, 4.9))
    assert (half.ictal.tolist(), less.ictal.tolist()) == ([True, False], [False, False])


def test_pieces_start_where_the_judged_part_starts() -> None:
    pieces = cut_pieces([recording([0.0, 1.0, 0.0], scored=[(5.0, 25.0)])])
    assert pieces.score.tolist() == [0.5, 0.5]


def test_what_was_not_judged_is_in_no_piece() -> None:
    assert len(cut_pieces([recording([0.5, 0.5], scored=[])]).score) == 0


def test_unscored_samples_are_left_out_and_a_piece_mostly_unscored_is_counted_apart() -> None:
    pieces = cut_pieces([recording([math.nan, 1.0, 1.0, math.nan, math.nan, 0.5], step_s=5.0)])
    assert pieces.score.tolist() == [1.0, 1.0, 0.5]
    mostly = cut_pieces([recording([math.nan] * 6 + [1.0] * 4, step_s=1.0)])
    assert (len(mostly.score), mostly.n_unscored) == (0, 1)


def test_segments_keep_their_place_on_the_clock() -> None:
    late = recording([1.0], start_s=10.0)
    pieces = cut_pieces([late])
    assert (pieces.score.tolist(), pieces.n_unscored) == ([1.0], 1)


def test_time_around_annotated_offsets_can_be_left_out() -> None:
    levels = [1.0, 0.0, 0.7, 0.0]
    whole = cut_pieces([recording(levels, seizures=[(0.0, 20.0)])])
    without = cut_pieces([recording(levels, seizures=[(0.0, 20.0)])], offset_margin_s=OFFSET_MARGIN_S)
    assert whole.ictal.tolist() == without.ictal.tolist() == [True, True, False, False]
    shifted = [0.9] * 15 + [0.2] * 25
    around = cut_pieces([recording(shifted, seizures=[(0.0, 15.0)], step_s=1.0)], offset_margin_s=OFFSET_MARGIN_S)
    assert around.score == pytest.approx([0.9, 0.2, 0.2])


def test_what_is_left_of_a_piece_counts_from_half_on() -> None:
    """An offset at 9 s leaves 4 s of the first piece and 6 of the second."""
    pieces = cut_pieces([recording([0.9, 0.2], seizures=[(0.0, 9.0)])], offset_margin_s=OFFSET_MARGIN_S)
    assert pieces.score == pytest.approx([0.2])


def test_nothing_is_left_out_around_offsets_unless_asked() -> None:
    levels = [0.9] * 12 + [0.2] * 8
    one = recording(levels, seizures=[(0.0, 12.0)], step_s=1.0)
    calm = 0.1 * (2 * 0.9 + 8 * 0.2)
    assert cut_pieces([one]).score == pytest.approx([0.9, calm])
    for row in (rank_row([one], rng()), rank_rows([one], rng())["here"]):
        assert (row.n_pieces, row.p95_negative) == (2, pytest.approx(calm))


def test_rows_pass_on_how_to_cut() -> None:
    one = recording([0.9] * 12 + [0.2] * 8, seizures=[(0.0, 12.0)], step_s=1.0)
    for row in (
        rank_row([one], rng(), piece_s=0.5, offset_margin_s=OFFSET_MARGIN_S),
        rank_rows([one], rng(), piece_s=0.5, offset_margin_s=OFFSET_MARGIN_S)["here"],
    ):
        assert (row.n_pieces, row.n_ictal) == (20, 14)


def test_a_piece_may_lie_in_several_segments() -> None:
    ends = tuple(
        Probabilities(5.0 * k, np.full(5 * RATE_HZ, value, np.float32)) for k, value in enumerate((1, 0, 0, 1))
    )
    pieces = cut_pieces([replace(recording([0.0, 0.0]), probabilities=ends)])
    assert (pieces.score.tolist(), pieces.n_unscored) == ([0.5, 0.5], 0)


def test_the_first_sample_counts() -> None:
    values = np.zeros(10 * RATE_HZ, np.float32)
    values[0] = 1.0
    pieces = cut_pieces([replace(recording([0.0]), probabilities=(Probabilities(0.0, values),))])
    assert pieces.score.tolist() == [1 / len(values)]


# ---- row 1 -----------------------------------------------------------------------------------------------------


def test_sources_are_never_mixed() -> None:
    """Each source ranks perfectly within itself; a pooled figure would not."""
    loud = recording([0.9, 0.8], seizures=[(0.0, 10.0)], source="loud")
    quiet = recording([0.2, 0.1], seizures=[(0.0, 10.0)], source="quiet")
    rows = rank_rows([loud, quiet], rng())
    assert {source: row.auroc for source, row in rows.items()} == {"loud": 1.0, "quiet": 1.0}
    assert rank_row([loud, quiet], rng()).auroc == 0.75


def test_the_mean_within_subjects_weighs_subjects_not_pieces() -> None:
    long = recording([0.9] * 5 + [0.1] * 5, seizures=[(0.0, 50.0)], subject="a")
    short = recording([0.1, 0.9], seizures=[(0.0, 10.0)], subject="b")
    alone = recording([0.3], subject="c")
    row = rank_row([long, short, alone], rng())
    assert (row.mean_within_subject, row.n_within, row.n_subjects) == (0.5, 2, 3)


def test_the_same_subject_name_in_two_sources_is_two_subjects() -> None:
    row = rank_row([recording([0.1], source="x"), recording([0.1], source="y")], rng())
    assert row.n_subjects == 2


def test_the_rank_of_a_single_seizure() -> None:
    row = rank_row([recording([0.6, 0.1, 0.7, 0.2, 0.6], seizures=[(0.0, 10.0)])], rng())
    assert (row.rank_share, row.n_seizures) == (0.5, 1)


def test_a_source_without_seizures_has_a_percentile_only() -> None:
    row = rank_row([recording([k / 100 for k in range(101)])], rng())
    assert math.isnan(row.auroc)
    assert math.isnan(row.rank_share)
    assert row.p95_negative == pytest.approx(0.95)


def test_the_interval_is_over_subjects_and_redraws_one_class() -> None:
    rows = [recording([0.9, 0.2], seizures=[(0.0, 10.0)], subject="a"), recording([0.5, 0.1], subject="b")]
    row = rank_row(rows, rng())
    assert 0.0 <= row.auroc_ci95.low <= row.auroc <= row.auroc_ci95.high <= 1.0
    alone = rank_row(rows[:1], rng())
    assert math.isnan(alone.auroc_ci95.low)


def test_the_mean_within_has_an_interval_over_subjects_that_have_one() -> None:
    right = recording([0.9, 0.1], seizures=[(0.0, 10.0)], subject="a")
    wrong = recording([0.1, 0.9], seizures=[(0.0, 10.0)], subject="b")
    calm = recording([0.3], subject="c")
    interval = rank_row([right, wrong, calm], rng()).mean_within_subject_ci95
    assert (interval.low, interval.high) == (0.0, 1.0)
    assert math.isnan(rank_row([right, calm], rng()).mean_within_subject_ci95.low)


def test_precision_and_calibration_stand_in_the_row() -> None:
    right = recording([0.9, 0.1], seizures=[(0.0, 10.0)], subject="a")
    wrong = recording([0.2, 0.4], seizures=[(0.0, 10.0)], subject="b")
    row = rank_row([right, wrong], rng())
    assert row.average_precision == pytest.approx((1 + 2 / 3) / 2)
    assert row.calibration_error == pytest.approx((0.1 + 0.1 + 0.8 + 0.4) / 4)
    for interval, figure in (
        (row.average_precision_ci95, row.average_precision),
        (row.calibration_error_ci95, row.calibration_error),
    ):
        assert interval.low < figure < interval.high


def test_pieces_without_scores_are_counted_in_the_row() -> None:
    assert rank_row([recording([math.nan, 0.2, math.nan, math.nan])], rng()).n_unscored == 3


def test_without_calm_pieces_there_is_no_percentile() -> None:
    assert math.isnan(rank_row([recording([0.9], seizures=[(0.0, 10.0)])], rng()).p95_negative)


def test_counts_stand_beside_the_figures() -> None:
    row = rank_row([recording([0.9, 0.2, 0.1], seizures=[(0.0, 4.0), (6.0, 10.0)])], rng())
    assert (row.n_pieces, row.n_ictal, row.n_seizures, row.n_subjects) == (3, 1, 2, 1)


def test_a_seizure_outside_the_judged_part_is_not_counted() -> None:
    row = rank_row([recording([0.9, 0.2], seizures=[(0.0, 10.0)], scored=[(10.0, 20.0)])], rng())
    assert row.n_seizures == 0


# ---- row 2 -----------------------------------------------------------------------------------------------------


def test_any_overlap_finds_and_touching_does_not() -> None:
    found = event_row([recording([0.5] * 6, seizures=[(10.0, 20.0)], events=[(19.9, 25.0)])], on=0.86)
    missed = event_row([recording([0.5] * 6, seizures=[(10.0, 20.0)], events=[(20.0, 25.0)])], on=0.86)
    assert (found.found, found.false_alarms) == (1, 0)
    assert (missed.found, missed.false_alarms) == (0, 1)


def test_events_outside_the_judged_part_do_not_count() -> None:
    row = event_row(
        [recording([0.5] * 6, events=[(1.0, 9.0), (25.0, 45.0)], scored=[(10.0, 20.0), (30.0, 40.0)])], 0.86
    )
    assert row.false_alarms == 1
    assert row.hours == pytest.approx(20 / 3600)


def test_the_bound_of_a_silent_hour_is_no_zero() -> None:
    row = event_row([recording([0.1] * 360)], on=0.86)
    assert (row.false_alarms, row.hours) == (0, 1.0)
    assert row.fa_upper_per_24h == pytest.approx(71.9, abs=0.1)


def test_seconds_above_the_threshold_outside_seizures() -> None:
    row = event_row([recording([0.9, 0.9, 0.85, 0.1], seizures=[(0.0, 10.0)])], on=0.86)
    assert row.background_above_s == pytest.approx(10.0)


def test_what_reads_the_threshold_itself_is_above_it() -> None:
    assert event_row([recording([0.5])], on=0.5).background_above_s == 10.0


def test_a_late_segment_is_judged_by_the_clock() -> None:
    late = recording([0.9, 0.9, 0.9], start_s=10.0, seizures=[(10.0, 20.0)], scored=[(0.0, 30.0)])
    row = event_row([late], on=0.86)
    assert (row.hours, row.background_above_s) == (20 / 3600, 10.0)


def test_a_row_adds_up_over_recordings_seizures_and_segments() -> None:
    first = recording(
        [0.9, 0.1, 0.9, 0.1, 0.1, 0.1],
        seizures=[(0.0, 10.0), (30.0, 35.0), (50.0, 60.0)],
        events=[(1.0, 5.0), (20.0, 24.0), (26.0, 29.0), (52.0, 58.0)],
    )
    halves = (Probabilities(0.0, np.full(2560, 0.9, np.float32)), Probabilities(20.0, np.full(2560, 0.9, np.float32)))
    second = replace(
        recording([0.0] * 3, seizures=[(20.0, 30.0)], events=[(0.0, 5.0), (20.0, 25.0)], subject="s2"),
        probabilities=halves,
    )
    third = recording([0.1], subject="s2", seizures=[(0.0, 10.0)])
    row = event_row([first, second, third], on=0.86)
    assert (row.found, row.n_seizures, row.false_alarms) == (3, 5, 3)
    assert (row.n_subjects, row.n_recordings) == (2, 3)
    assert row.hours == pytest.approx((60 + 20 + 10) / 3600)
    assert row.background_above_s == 20.0
    assert row.fa_upper_per_24h == pytest.approx(poisson_upper(3) / row.hours * 24)


def test_without_hours_there_is_no_bound() -> None:
    row = event_row([recording([0.1], scored=[])], on=0.86)
    assert row.hours == 0.0
    assert math.isnan(row.fa_upper_per_24h)


def test_unscored_time_is_in_no_hours() -> None:
    row = event_row([recording([0.1, math.nan, 0.1])], on=0.86)
    assert row.hours == pytest.approx(20 / 3600)


def test_rows_of_events_are_kept_by_source() -> None:
    rows = event_rows([recording([0.1], source="b"), recording([0.1], source="a")], on=0.86)
    assert list(rows) == ["a", "b"]
    assert rows["a"].n_recordings == 1


def test_clip() -> None:
    assert clip([(0.0, 10.0)], ((2.0, 4.0), (8.0, 12.0))) == ((2.0, 4.0), (8.0, 10.0))
