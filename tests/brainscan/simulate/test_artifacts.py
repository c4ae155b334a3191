from __future__ import annotations

import numpy as np
import pytest

from brainscan.electrodes import INDEX
from brainscan.simulate.artifacts import ARTIFACTS, MORE, artifact_piece


def piece(kind: str, seed: int = 0, duration_s: float = 10.0, rate_hz: float = 256.0) -> np.ndarray:
    return artifact_piece(np.random.default_rng(seed), kind, duration_s, rate_hz)


def share(uv: np.ndarray, low_hz: float, high_hz: float, rate_hz: float = 256.0) -> float:
    power = np.sum(np.abs(np.fft.rfft(uv, axis=1)) ** 2, axis=0)
    frequency = np.fft.rfftfreq(uv.shape[1], 1 / rate_hz)
    return float(power[(frequency >= low_hz) & (frequency < high_hz)].sum() / power.sum())


@pytest.mark.parametrize("kind", [*ARTIFACTS, *MORE])
@pytest.mark.parametrize(("duration_s", "rate_hz"), [(0.3, 100.0), (4.0, 128.0), (30.0, 512.0)])
def test_every_kind_is_finite_reproducible_and_begins_and_ends_at_zero(
    kind: str, duration_s: float, rate_hz: float
) -> None:
    for seed in range(3):
        one, other = (piece(kind, seed, duration_s, rate_hz) for _ in range(2))
        assert one.shape == (19, round(duration_s * rate_hz))
        assert one.dtype == np.float32
        assert np.isfinite(one).all()
        assert np.array_equal(one, other)
        assert np.abs(one).max() < (20_000 if kind == "torn" else 3000)
        assert np.abs(one[:, [0, -1]]).max() <= 0.15 * np.abs(one).max() + 1e-6


@pytest.mark.parametrize("kind", sorted({*ARTIFACTS, *MORE} - {"mains"}))
def test_every_kind_is_seen(kind: str) -> None:
    assert np.median([np.abs(piece(kind, seed)).max() for seed in range(10)]) > 5.0


def test_blinks_are_largest_at_the_front() -> None:
    assert all(
        int(np.argmax(np.abs(piece("blink", seed)).max(axis=1))) in (INDEX["Fp1"], INDEX["Fp2"]) for seed in range(5)
    )


def test_horizontal_eye_movements_have_opposite_signs() -> None:
    uv = piece("eye_movement", 3)
    assert np.corrcoef(uv[INDEX["F7"]], uv[INDEX["F8"]])[0, 1] < -0.99


@pytest.mark.parametrize(
    ("kind", "low_hz", "high_hz"),
    [
        ("muscle", 17.0, 115.0),
        ("sweat", 0.0, 2.0),
        ("delta_run", 0.5, 5.0),
        ("theta_train", 3.0, 16.0),
        ("spindle", 9.0, 17.0),
        ("patting", 0.9, 20.0),
    ],
)
def test_kinds_keep_to_their_bands(kind: str, low_hz: float, high_hz: float) -> None:
    assert np.median([share(piece(kind, seed), low_hz, high_hz) for seed in range(7)]) > 0.9


def test_mains_is_fifty_or_sixty_hertz_and_absent_where_the_rate_cannot_hold_it() -> None:
    assert {round(50 * share(piece("mains", s), 49, 51) + 60 * share(piece("mains", s), 59, 61)) for s in range(9)} == {
        50,
        60,
    }
    assert not any(piece("mains", seed, rate_hz=100.0).any() for seed in range(4))


def test_a_pop_is_at_one_electrode() -> None:
    assert np.count_nonzero(np.abs(piece("electrode_pop")).max(axis=1)) == 1


def test_chewing_comes_in_bursts() -> None:
    # rectified muscle at a temple is periodic at the rate of the jaw
    uv = piece("chewing", 1, 20.0)[INDEX["T3"]]
    spectrum = np.fft.rfft(uv)
    spectrum[np.fft.rfftfreq(len(uv), 1 / 256) < 18] = 0
    envelope = np.abs(np.fft.irfft(spectrum, len(uv)))
    power = np.abs(np.fft.rfft(envelope - envelope.mean())) ** 2
    frequency = np.fft.rfftfreq(len(uv), 1 / 256)
    assert 0.7 <= frequency[np.argmax(power)] <= 4.2
    assert power[(frequency > 0.7) & (frequency < 4.2)].sum() > 0.4 * power[frequency < 10].sum()


def test_unknown_kinds_and_too_short_pieces_are_refused() -> None:
    with pytest.raises(ValueError, match=r"unknown artifact 'cough'; there are blink"):
        piece("cough")
    with pytest.raises(ValueError, match=r"at least 0\.3 s"):
        piece("blink", duration_s=0.2)
