from __future__ import annotations

import numpy as np
import pytest

from benchmarks.simulator import MEASURES, measure
from brainscan.electrodes import INDEX
from brainscan.simulate.background import STATES, Age, State, background_piece, draw_subject, tile

# Smallest and largest values over eeg/train that `benchmarks/simulator.py` prints (5 % and 95 % of recordings).
RECORDED: dict[tuple[State, Age], dict[str, tuple[float, float]]] = {
    ("open", "any"): {
        "delta": (1.8, 18.0),
        "theta": (1.4, 10.0),
        "alpha": (1.3, 8.3),
        "beta": (1.4, 8.7),
        "near": (0.16, 0.62),
        "middle": (-0.002, 0.19),
        "far": (-0.46, -0.19),
    },
    ("closed", "adult"): {
        "delta": (1.3, 4.1),
        "theta": (1.2, 7.4),
        "alpha": (1.35, 5.6),
        "beta": (1.4, 2.7),
        "near": (0.02, 0.63),
        "middle": (0.005, 0.11),
        "far": (-0.48, -0.11),
    },
}


def measured(state: State, age: Age, n: int = 24) -> np.ndarray:
    rows = []
    for seed in range(n):
        uv = background_piece(np.random.default_rng(seed), 24.0, 128.0, state, age).astype(np.float64)
        rows.append(measure(uv - uv.mean(axis=0), 128.0))
    return np.array(rows)


@pytest.mark.parametrize(("state", "age"), list(RECORDED))
def test_medians_lie_within_the_recordings_of_the_kind(state: State, age: Age) -> None:
    medians = dict(zip(MEASURES, np.median(measured(state, age), axis=0), strict=True))
    for name, (low, high) in RECORDED[state, age].items():
        margin = 0.02 if name in ("near", "middle", "far") else 0.0
        assert low - margin <= medians[name] <= high + margin, (name, medians[name])


def test_alpha_rises_when_the_eyes_close_and_most_at_the_back() -> None:
    def alpha(state: State) -> np.ndarray:
        power = np.zeros(19)
        for seed in range(12):
            subject = draw_subject(np.random.default_rng(seed), "adult")
            uv = tile(np.random.default_rng((seed, 1)), subject, state, 2560, 128.0)
            density = np.abs(np.fft.rfft(uv, axis=1)) ** 2
            frequency = np.fft.rfftfreq(2560, 1 / 128)
            power += density[:, (frequency > 8) & (frequency < 13)].sum(axis=1) / subject.amplitude_uv**2
        return power

    ratio = alpha("closed") / alpha("open")
    back = [INDEX[name] for name in ("O1", "O2", "P3", "P4")]
    front = [INDEX[name] for name in ("Fp1", "Fp2", "F7", "F8")]
    assert ratio[back].mean() > 2.0
    assert ratio[back].mean() > ratio[front].mean()


def test_sleep_is_slower_than_wakefulness() -> None:
    sleep, awake = (np.median(measured(state, "adult", 12), axis=0) for state in ("sleep", "open"))
    assert sleep[MEASURES.index("delta")] > 1.2 * awake[MEASURES.index("delta")]
    assert sleep[MEASURES.index("beta")] < awake[MEASURES.index("beta")]


def test_the_stated_rms_is_that_of_the_signal() -> None:
    subject = draw_subject(np.random.default_rng(5))
    uv = tile(np.random.default_rng(6), subject, "open", 128 * 600, 128.0)
    spectrum = np.fft.rfft(uv, axis=1)
    frequency = np.fft.rfftfreq(uv.shape[1], 1 / 128)
    spectrum[:, (frequency < 1) | (frequency > 30)] = 0
    rms = np.sqrt(np.mean(np.fft.irfft(spectrum, uv.shape[1], axis=1) ** 2))
    # 0.7 to 1.5: the tile's own liveliness and the noise are not in the stated value
    assert 0.7 < rms / subject.rms_uv(np.ones(19, dtype=np.bool_)) < 1.5


@pytest.mark.parametrize("state", STATES)
def test_pieces_are_reproducible_finite_and_of_the_asked_length(state: State) -> None:
    one, other = (background_piece(np.random.default_rng(9), 7.5, 130.0, state) for _ in range(2))
    assert one.shape == (19, 975)
    assert one.dtype == np.float32
    assert np.isfinite(one).all()
    assert np.array_equal(one, other)
    assert not np.array_equal(one, background_piece(np.random.default_rng(10), 7.5, 130.0, state))
