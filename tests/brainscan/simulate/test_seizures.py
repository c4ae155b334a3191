from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brainscan.electrodes import INDEX
from brainscan.simulate.seizures import (
    FOCAL,
    PATTERNS,
    TAKES_PART,
    Pattern,
    SeizurePiece,
    draw_pattern,
    seizure_piece,
)

RATE_HZ = 128.0


def piece(seed: int, pattern: Pattern, duration_s: float = 24.0, postictal_s: float = 0.0) -> SeizurePiece:
    return seizure_piece(np.random.default_rng(seed), duration_s, RATE_HZ, pattern, postictal_s)


def peak_hz(uv: np.ndarray) -> float:
    """Return the strongest frequency of the strongest electrode, 1 to 30 Hz."""
    strongest = uv[np.argmax(uv.std(axis=1))]
    power = np.abs(np.fft.rfft(strongest * np.hanning(len(strongest)), 4096)) ** 2
    frequency = np.fft.rfftfreq(4096, 1 / RATE_HZ)
    inside = (frequency >= 1) & (frequency <= 30)
    return float(frequency[inside][np.argmax(power[inside])])


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    pattern=st.sampled_from(PATTERNS),
    duration_s=st.floats(2.0, 60.0),
    postictal_s=st.sampled_from([0.0, 0.5, 12.0]),
    rate_hz=st.sampled_from([64.0, 100.0, 256.0]),
)
def test_any_piece_is_finite_consistent_and_reproducible(
    seed: int, pattern: Pattern, duration_s: float, postictal_s: float, rate_hz: float
) -> None:
    one, other = (
        seizure_piece(np.random.default_rng(seed), duration_s, rate_hz, pattern, postictal_s) for _ in range(2)
    )
    n_ictal = round(duration_s * rate_hz)
    assert one.uv.shape == one.background_gain.shape == (19, n_ictal + round(postictal_s * rate_hz))
    assert one.uv.dtype == one.background_gain.dtype == np.float32
    assert np.isfinite(one.uv).all()
    assert np.all((one.background_gain >= -1e-6) & (one.background_gain <= 1 + 1e-6))
    assert np.array_equal(one.uv, other.uv)
    ictal = one.uv[:, :n_ictal].astype(np.float64)
    rms = np.sqrt(np.mean(ictal**2, axis=1))
    assert np.array_equal(one.electrodes, rms >= TAKES_PART * rms.max() * (1 - 1e-6)) or np.any(
        np.abs(rms / rms.max() - TAKES_PART) < 1e-4
    )
    assert np.sqrt(np.mean(ictal[one.electrodes] ** 2)) == pytest.approx(one.rms_uv, rel=1e-3)
    assert one.type == ("focal" if pattern in FOCAL else "generalised")


def test_rhythms_slow_down() -> None:
    slower = 0
    for seed in range(20):
        uv = piece(seed, "low_voltage_fast", 30.0).uv
        tenth = uv.shape[1] // 10
        slower += peak_hz(uv[:, :tenth]) > peak_hz(uv[:, -3 * tenth :])
    assert slower >= 17


def test_amplitude_grows_from_a_low_voltage_onset() -> None:
    grown = 0
    for seed in range(20):
        uv = piece(seed, "low_voltage_fast", 30.0).uv
        tenth = uv.shape[1] // 10
        grown += uv[:, 6 * tenth : 7 * tenth].std() > 1.5 * uv[:, :tenth].std()
    assert grown >= 16


def test_focal_seizures_spread() -> None:
    wider = 0
    for seed in range(20):
        uv = piece(seed, "rhythmic", 40.0).uv
        fifth = uv.shape[1] // 5

        def reach(part: np.ndarray) -> float:
            rms = part.std(axis=1)
            return float(np.sum(rms / rms.max()))

        wider += reach(uv[:, 3 * fifth : 4 * fifth]) > reach(uv[:, :fifth])
    assert wider >= 14


def test_focal_seizures_begin_anywhere() -> None:
    strongest = {int(np.argmax(piece(seed, "rhythmic").uv.std(axis=1))) for seed in range(60)}
    assert len(strongest) >= 12


def test_spike_wave_is_rhythmic_at_two_to_four_hertz_on_both_sides() -> None:
    for seed in range(10):
        uv = piece(seed, "spike_wave", 12.0).uv
        assert 2.0 <= peak_hz(uv) <= 4.3 or 2.0 <= peak_hz(uv) / 2 <= 4.3
        left, right = (uv[[INDEX[n] for n in names]].std() for names in (("Fp1", "F3", "C3"), ("Fp2", "F4", "C4")))
        assert 0.3 < left / right < 3.0


def test_tonic_clonic_ends_in_jerks_ever_further_apart() -> None:
    uv = piece(1, "tonic_clonic", 60.0).uv
    early, late = uv[:, uv.shape[1] // 4 : uv.shape[1] // 3], uv[:, -uv.shape[1] // 6 :]
    assert peak_hz(early) > 2 * peak_hz(late)


def test_decrements_take_the_background_away_and_give_it_back() -> None:
    gain = piece(2, "decremental", 20.0).background_gain
    assert gain[:, 0].min() > 0.99
    assert gain[:, gain.shape[1] // 2].max() <= 0.5
    assert gain[:, -1].min() > 0.99


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_background_comes_back_without_a_step(pattern: Pattern) -> None:
    for seed in range(5):
        gain = piece(seed, pattern, 24.0, postictal_s=20.0).background_gain
        assert np.abs(np.diff(gain, axis=1)).max() < 0.1
        assert gain[:, -1].min() > 0.99


def test_postictal_slowing_is_slow_and_dies_away() -> None:
    one = piece(4, "tonic_clonic", 40.0, postictal_s=40.0)
    after = one.uv[:, round(40 * RATE_HZ) :]
    power = np.abs(np.fft.rfft(after, axis=1)) ** 2
    frequency = np.fft.rfftfreq(after.shape[1], 1 / RATE_HZ)
    assert power[:, frequency < 5.5].sum() > 0.98 * power.sum()
    quarter = after.shape[1] // 4
    assert after[:, -quarter:].std() < 0.4 * after[:, :quarter].std()


def test_scaling_changes_amplitude_only() -> None:
    one = piece(0, "rhythmic")
    double = one.scaled(2 * one.rms_uv)
    assert double.rms_uv == pytest.approx(2 * one.rms_uv)
    assert np.allclose(double.uv, 2 * one.uv, rtol=1e-5)
    assert np.array_equal(double.electrodes, one.electrodes)


def test_the_share_of_generalised_seizures_is_kept() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_pattern(rng, 0.3) for _ in range(2000)]
    assert set(drawn) == set(PATTERNS) - {"slow_evolving"}
    assert np.mean([pattern not in FOCAL for pattern in drawn]) == pytest.approx(0.3, abs=0.04)
    assert all(draw_pattern(rng, 0.0) in FOCAL for _ in range(50))


@pytest.mark.parametrize(("duration_s", "rate_hz"), [(1.9, 256.0), (10.0, 50.0)])
def test_what_cannot_be_a_seizure_is_refused(duration_s: float, rate_hz: float) -> None:
    with pytest.raises(ValueError, match="at least 2 s and 64 Hz"):
        seizure_piece(np.random.default_rng(0), duration_s, rate_hz)
