"""Figures on the terminal: what stands beside a number so that nobody misreads it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from brainscan.cli.figures import alarms_behind, show
from brainscan.evaluate.evaluation import Evaluation
from brainscan.offered import OperatingPoint
from tests.brainscan.evaluate.conftest import figures, judged

TRUTH = [(100.0, 160.0), (500.0, 560.0)]


def shown(evaluation: Evaluation, capsys: pytest.CaptureFixture[str]) -> str:
    show({**evaluation.as_mapping(), "excluded": 0})
    return capsys.readouterr().out


def test_why_a_sought_threshold_finds_less_than_the_own_one_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """An alarm at 0.7 that a lower threshold joins to something else forbids every threshold up to there."""
    found = judged(TRUTH, [(100.0, 150.0, 0.9), (500.0, 550.0, 0.6), (900.0, 950.0, 0.7)])
    own = replace(found, hypothesis=replace(found.hypothesis, events=found.hypothesis.events[:2]))
    text = shown(figures(own, targets=(5.0,)), capsys)
    assert (
        "note: fa5: at 0.7 there is 1 false alarm, so only thresholds from 0.71 keep the rate at every higher one;"
        " the detector's own finds more (2 against 1) with 0 false alarms"
    ) in text


def test_nothing_is_said_where_the_own_threshold_alarms_too_often(capsys: pytest.CaptureFixture[str]) -> None:
    found = judged(TRUTH, [(100.0, 150.0, 0.9), (500.0, 550.0, 0.6), (900.0, 950.0, 0.7)])
    assert "the detector's own" not in shown(figures(found, targets=(5.0,)), capsys)


def test_minutes_and_single_things_are_called_so(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(figures(judged(TRUTH[:1], [(100.0, 150.0, 0.9)], 600.0)), capsys)
    assert "1 seizure in 10.0 min of 1 patient (1 recording)" in text
    assert "one alarm in 10.0 min is 144.0 per 24 h" in text
    assert "as it comes" not in text


def test_the_alarms_of_a_card_follow_from_rate_and_hours() -> None:
    point = OperatingPoint(5.0, 0.97, 0.89, 4.8, 100.0, 100, 0.2, (0.1, 0.3), "simulated")
    assert alarms_behind(point) == "4.80 per 24 h (20 in 100.0 h; 95 %: 2.9 to 7.4 per 24 h)"
    assert alarms_behind(replace(point, fa_per_24h=0.0, hours=0.5)).startswith("0 in 30.0 min (95 %: 0.0 to 177.1")
