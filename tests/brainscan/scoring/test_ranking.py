"""Ranking and calibration without a threshold, against their definitions written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainscan.scoring.ranking import N_BINS, Ranking, auroc

ROWS = st.lists(st.tuples(st.integers(0, 20), st.booleans(), st.integers(0, 3)), min_size=1, max_size=30)
Rows = list[tuple[int, bool, int]]


def ranking_of(rows: Rows) -> tuple[Ranking, np.ndarray, np.ndarray, np.ndarray]:
    score = np.array([place / 20 for place, _, _ in rows])
    ictal = np.array([one for _, one, _ in rows])
    subject = np.array([whose for _, _, whose in rows], dtype=np.int64)
    return Ranking(score, ictal, subject, 4), score, ictal, subject


@given(st.lists(st.integers(0, 5), min_size=1, max_size=8), st.lists(st.integers(0, 5), min_size=1, max_size=8))
def test_auroc_counts_pairs_and_half_of_the_ties(positive: list[int], negative: list[int]) -> None:
    expected = np.mean([(p > n) + 0.5 * (p == n) for p in positive for n in negative])
    ours = auroc(np.array(positive, dtype=float), np.array(negative, dtype=float))
    assert ours == pytest.approx(expected)


def test_auroc_of_one_class_is_undefined() -> None:
    assert math.isnan(auroc(np.array([]), np.array([0.1])))


@given(ROWS)
def test_average_precision_sums_precision_over_the_recall_that_each_score_adds(rows: Rows) -> None:
    ranking, score, ictal, _ = ranking_of(rows)
    ours = ranking.average_precision(np.ones(4, dtype=np.int64))
    if ictal.all() or not ictal.any():
        assert math.isnan(ours)
        return
    expected, recall = 0.0, 0.0
    for level in sorted(set(score.tolist()), reverse=True):
        called = score >= level
        now = float((called & ictal).sum() / ictal.sum())
        expected += (now - recall) * float((called & ictal).sum() / called.sum())
        recall = now
    assert ours == pytest.approx(expected)


def test_average_precision_of_a_perfect_ranking_is_one_and_of_one_level_the_share_that_is_ictal() -> None:
    perfect, *_ = ranking_of([(20, True, 0), (18, True, 0), (3, False, 0), (1, False, 0)])
    level, *_ = ranking_of([(9, True, 0), (9, False, 0), (9, False, 0), (9, False, 0)])
    once = np.ones(4, dtype=np.int64)
    assert (perfect.average_precision(once), level.average_precision(once)) == (1.0, 0.25)


@given(ROWS)
def test_calibration_error_is_the_mean_distance_over_tenths(rows: Rows) -> None:
    ranking, score, ictal, _ = ranking_of(rows)
    expected = 0.0
    for k in range(N_BINS):
        inside = [i for i in range(len(rows)) if min(int(score[i] * N_BINS), N_BINS - 1) == k]
        if inside:
            gap = abs(np.mean([score[i] for i in inside]) - np.mean([ictal[i] for i in inside]))
            expected += len(inside) / len(rows) * float(gap)
    assert ranking.calibration_error(np.ones(4, dtype=np.int64)) == pytest.approx(expected)


def test_scores_that_are_shares_have_no_calibration_error() -> None:
    rows = [(5, k == 0, 0) for k in range(4)] + [(15, k != 0, 0) for k in range(4)]
    ranking, *_ = ranking_of(rows)
    assert ranking.calibration_error(np.ones(4, dtype=np.int64)) == pytest.approx(0.0)


@given(ROWS, st.lists(st.integers(0, 3), min_size=4, max_size=4))
def test_a_subject_drawn_twice_counts_as_two(rows: Rows, drawn: list[int]) -> None:
    weights = np.array(drawn, dtype=np.int64)
    repeated = [row for row in rows for _ in range(drawn[row[2]])]
    whole, *_ = ranking_of(rows)
    if not repeated:
        assert math.isnan(whole.calibration_error(weights))
        return
    again, *_ = ranking_of(repeated)
    once = np.ones(4, dtype=np.int64)
    for figure in ("auroc", "average_precision", "calibration_error"):
        ours, theirs = getattr(whole, figure)(weights), getattr(again, figure)(once)
        assert ours == pytest.approx(theirs, nan_ok=True)
