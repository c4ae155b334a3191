"""The baseline: nothing in calm recordings, what lasts is taken off, bounded, causally, however the pushes are cut."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

from brainscan.card import BaselineConfig, DecisionConfig
from brainscan.decision.average import average
from brainscan.decision.baseline import STEP_S, Baseline
from brainscan.decision.curve import DecisionCurve
from brainscan.decision.postprocess import find_events
from brainscan.detector import Detector
from brainscan.events import RATE_HZ, Probabilities
from tests.stand_ins import LoudnessRunner, noise, quick, recording_of
from tests.strategies import cuts, pieces

FloatArray = NDArray[np.float32]

CONFIG = BaselineConfig(trailing_s=300.0, quantile=0.5, quiet=0.05, most=3.0)


def _seconds(values: list[float]) -> FloatArray:
    return np.repeat(np.array(values, dtype=np.float32), RATE_HZ)


def _logit(p: FloatArray | float) -> NDArray[np.float64]:
    p = np.asarray(p, dtype=np.float64)
    return np.log(p) - np.log1p(-p)


def _naive(curve: FloatArray, config: BaselineConfig) -> FloatArray:
    """Take the baseline off as its docstring words it."""
    step, n = STEP_S * RATE_HZ, round(config.trailing_s / STEP_S)
    result = curve.copy()
    for first in range(0, len(curve), step):
        past = _logit(np.clip(curve[: first + 1 : step][-n:], 1e-6, 1.0 - 1e-6))
        past = past[~np.isnan(past)]
        if len(past) > n // 3:
            off = min(max(np.quantile(past, config.quantile) - _logit(config.quiet), 0.0), config.most)
            part = _logit(np.clip(curve[first : first + step], 1e-6, 1.0 - 1e-6)) - off
            result[first : first + step] = 1.0 / (1.0 + np.exp(-part)) if off else curve[first : first + step]
    return result


@settings(max_examples=25, deadline=None)
@given(cuts)
def test_is_its_definition_however_it_is_cut(at: list[float]) -> None:
    rng = np.random.default_rng(0)
    curve = rng.uniform(0.0, 1.0, 500 * RATE_HZ).astype(np.float32)
    curve[100 * RATE_HZ : 130 * RATE_HZ] = np.nan
    curve[250 * RATE_HZ : 260 * RATE_HZ] = 0.0
    curve[260 * RATE_HZ : 340 * RATE_HZ] = 1.0
    state = Baseline(CONFIG)
    left = np.concatenate([state.push(piece) for piece in pieces(curve, at)])
    whole = Baseline(CONFIG).push(curve)
    assert np.array_equal(left, whole, equal_nan=True)
    np.testing.assert_allclose(whole, _naive(curve, CONFIG), rtol=1e-5, atol=1e-7)
    assert state.lowered > 0


def test_calm_recordings_stay_as_they_are_to_the_bit() -> None:
    rng = np.random.default_rng(1)
    curve = rng.uniform(0.0, 0.04, 700 * RATE_HZ).astype(np.float32)
    curve[400 * RATE_HZ : 460 * RATE_HZ] = 0.99
    state = Baseline(CONFIG)
    assert np.array_equal(state.push(curve), curve)
    assert state.lowered == 0


def test_off_unless_asked_for() -> None:
    curve = _seconds([0.9] * 600)
    assert Baseline(BaselineConfig()).push(curve) is curve
    assert DecisionConfig().baseline.trailing_s == 0.0


def test_what_lasts_is_taken_off_and_what_stands_out_stays() -> None:
    loud = _seconds([0.8] * 600)
    loud[500 * RATE_HZ : 530 * RATE_HZ] = 0.999
    state = Baseline(CONFIG)
    left = state.push(loud)
    assert state.lowered == 500 * RATE_HZ
    assert np.array_equal(left[: 100 * RATE_HZ], loud[: 100 * RATE_HZ])  # not a third of the window has been scored
    assert left[100 * RATE_HZ] < loud[100 * RATE_HZ]
    assert left[400 * RATE_HZ] == pytest.approx(1.0 / (1.0 + np.exp(3.0 - _logit(0.8))), rel=1e-5)  # bounded
    decision = DecisionConfig(average_s=0.0, baseline=CONFIG)
    events = find_events(Probabilities(0.0, loud), decision)
    assert [(e.onset_s, e.offset_s) for e in events] == [(500.0, 530.0)]


@pytest.mark.parametrize(
    ("reads", "before_s", "found"),
    [
        (0.95, 0.0, [(0.0, 600.0)]),  # from the start: ten minutes of it
        (0.95, 1800.0, [(1800.0, 2690.0)]),  # later: until it fills half of the half hour before
        (0.999, 0.0, [(0.0, 3600.0)]),  # surer than what is taken off at most: all of it
    ],
)
def test_status_epilepticus_is_an_event_for_as_long_as_it_is_news(
    reads: float, before_s: float, found: list[tuple[float, float]]
) -> None:
    """docs/limits.md tells so; a detection warns of each (below)."""
    curve = _seconds([0.01] * round(before_s) + [reads] * round(3600.0 - before_s))
    decision = DecisionConfig(average_s=0.0, baseline=BaselineConfig(trailing_s=1800.0))
    events = find_events(Probabilities(0.0, curve), decision)
    assert [(e.onset_s, e.offset_s) for e in events] == found
    assert all(e.prolonged for e in events)


def test_the_shortest_baselines() -> None:
    curve = _seconds([0.8] * 10 + [0.5] * 20)
    left = Baseline(replace(CONFIG, trailing_s=STEP_S)).push(curve)
    assert np.array_equal(left, curve)  # a single value that is kept begins the ten seconds to come
    two = Baseline(replace(CONFIG, trailing_s=2 * STEP_S)).push(curve)
    assert np.array_equal(two[: 10 * RATE_HZ], curve[: 10 * RATE_HZ])
    assert (two[10 * RATE_HZ :] < curve[10 * RATE_HZ :]).all()


def test_the_future_changes_nothing() -> None:
    rng = np.random.default_rng(2)
    curve = rng.uniform(0.0, 1.0, 600 * RATE_HZ).astype(np.float32)
    other = curve.copy()
    other[400 * RATE_HZ :] = 0.5
    assert np.array_equal(Baseline(CONFIG).push(curve)[: 400 * RATE_HZ], Baseline(CONFIG).push(other)[: 400 * RATE_HZ])


def test_a_decision_curve_is_the_average_above_the_baseline() -> None:
    rng = np.random.default_rng(3)
    plain = rng.uniform(0.0, 1.0, 400 * RATE_HZ).astype(np.float32)
    config = DecisionConfig(average_s=5.0, baseline=CONFIG)
    state = DecisionCurve(config)
    pairs = [state.push(plain[: 1000 * 7]), state.push(plain[1000 * 7 :]), state.finish()]
    shown, same = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    assert np.array_equal(same, plain)
    np.testing.assert_allclose(shown, Baseline(CONFIG).push(average(plain, 5.0)), rtol=1e-4, atol=1e-6)
    assert 0.0 < state.lowered_s < 400.0


@pytest.mark.parametrize(
    "wrong", [{"trailing_s": -1.0}, {"most": -0.1}, {"quantile": 1.5}, {"quiet": 0.0}, {"quiet": 1.0}]
)
def test_impossible_baselines_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        BaselineConfig(**wrong)


@pytest.mark.parametrize("trailing_s", [0.0, 120.0])
def test_a_detection_says_where_something_was_taken_off(trailing_s: float) -> None:
    decision = replace(quick(), baseline=BaselineConfig(trailing_s=trailing_s))
    detector = Detector(LoudnessRunner(half_uv=1.0), decision)  # type: ignore[arg-type]
    detection = detector.detect(recording_of(noise(240.0)))
    told = [warning for warning in detection.warnings if "baseline was taken off" in warning]
    assert len(told) == (1 if trailing_s else 0)
    longest = max((e.offset_s - e.onset_s for e in detection.events), default=0.0)
    assert (longest < 120.0) == bool(trailing_s)
