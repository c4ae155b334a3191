from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brainscan.electrodes import INDEX, MIRROR, N_ELECTRODES
from brainscan.events import RATE_HZ, Annotation
from brainscan_training import augment
from brainscan_training.augment import AugmentConfig
from brainscan_training.cache import Cached
from brainscan_training.compose import ComposeConfig, Composed, Composer, HardSpan, HardSpans

NOTHING = AugmentConfig(**{f.name: 0.0 for f in fields(AugmentConfig)})
REAL = ComposeConfig(window_s=20, chunk_s=(4.0, 10.0), simulated=0.0, transplanted=0.0, artifacts=0.0)

Drawn = Callable[..., Composed]


def marked(template: Cached, name: str, *, ictal: bool, value: float) -> Cached:
    """Return a recording of 40 s that is constant, so that every sample tells where it came from."""
    n_seconds = 40
    seizures = (Annotation(0.0, float(n_seconds), "seiz"),) if ictal else ()
    signal = np.full((N_ELECTRODES, n_seconds * RATE_HZ), value, dtype=np.float16)
    every = np.ones(n_seconds, dtype=np.bool_)
    item = replace(template.item, name=name, subject=name, source="marks", seizures=seizures, simulation=None)
    return Cached(item, signal, every, every, ((0, signal.shape[1]),))


@pytest.fixture(scope="module")
def marks(recordings: list[Cached]) -> list[Cached]:
    values = ((1.0, False), (2.0, False), (101.0, True), (102.0, True))
    return [marked(recordings[0], f"r{value:g}", ictal=ictal, value=value) for value, ictal in values]


def draw(recordings: list[Cached], config: ComposeConfig, changes: AugmentConfig = NOTHING, seed: int = 0) -> Composed:
    return Composer(recordings, config, changes).draw(np.random.default_rng(seed))


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_labels_are_those_of_the_samples(marks: list[Cached], seed: int, padded: float, seizure_share: float) -> None:
    window = draw(marks, replace(REAL, padded=padded, seizure_share=seizure_share), seed=seed)
    assert window.uv.shape == (N_ELECTRODES, 20 * RATE_HZ)
    middle = window.uv[0].reshape(20, RATE_HZ)[:, RATE_HZ // 2 :].mean(axis=1)
    sure = window.weight > 0
    # Behind a join of at most half a second a sure second is wholly one or the other.
    assert np.array_equal(middle[sure] > 50.0, window.ictal[sure] > 0)
    assert not window.ictal[~np.isin(window.ictal, (0.0, 1.0))].size


def test_windows_hold_seizures_as_often_as_asked(marks: list[Cached]) -> None:
    composer = Composer(marks, replace(REAL, padded=0.0, seizure_share=0.3), NOTHING)
    held = [composer.draw(np.random.default_rng(k)).ictal.any() for k in range(400)]
    assert 0.22 < np.mean(held) < 0.38


def test_the_same_seed_draws_the_same_window(recordings: list[Cached]) -> None:
    first, second = (draw(recordings[:4], ComposeConfig(window_s=20), AugmentConfig(), seed=5) for _ in range(2))
    other = draw(recordings[:4], ComposeConfig(window_s=20), AugmentConfig(), seed=6)
    assert np.array_equal(first.uv, second.uv)
    assert first.origins == second.origins
    assert not np.array_equal(first.uv, other.uv)


def test_sources_are_drawn_by_their_weights(marks: list[Cached]) -> None:
    rare = replace(marks[0], item=replace(marks[0].item, name="rare", source="rare"))
    config = replace(REAL, sources=(("marks", 0.9), ("rare", 0.1)), seizure_share=0.0, padded=0.0)
    composer = Composer([*marks, rare], config, NOTHING)
    origins = [o for k in range(200) for o in composer.draw(np.random.default_rng(k)).origins]
    assert 0.05 < np.mean([o.startswith("rare") for o in origins]) < 0.2


def test_a_source_of_many_patients_does_not_crowd_out_the_others(marks: list[Cached]) -> None:
    """Seizures are drawn by source, then by patient: forty simulated patients are no forty children."""

    def ward(number: int) -> Cached:
        return replace(marks[2], item=replace(marks[2].item, name=f"w{number}", subject=f"w{number}", source="ward"))

    config = replace(REAL, sources=(("marks", 0.5),), other=0.5, seizure_share=1.0, padded=0.0)
    composer = Composer([*marks, *(ward(k) for k in range(20))], config, NOTHING)
    origins = [o for k in range(200) for o in composer.draw(np.random.default_rng(k)).origins]
    ictal = [o for o in origins if o.startswith(("w", "r10"))]
    assert 0.4 < np.mean([o.startswith("w") for o in ictal]) < 0.6
    assert len({o.split(" ")[0] for o in ictal}) == 22


def test_simulated_seizures_tell_their_electrodes(marks: list[Cached]) -> None:
    window = draw(marks, replace(REAL, simulated=1.0, seizure_share=1.0, padded=0.0))
    assert set(window.electrodes.tolist()) <= {0.0, 1.0}
    assert window.electrodes.any()
    assert window.ictal.any()
    assert any("simulated" in origin for origin in window.origins)
    assert np.isnan(draw(marks, replace(REAL, seizure_share=1.0)).electrodes).all()


def test_no_second_counts_as_calm_where_the_other_background_has_a_seizure(marks: list[Cached]) -> None:
    both = []
    for name in ("first", "second"):
        signal = np.ones((N_ELECTRODES, 40 * RATE_HZ), dtype=np.float16)
        signal[:, 16 * RATE_HZ : 24 * RATE_HZ] = 100.0
        item = replace(marks[0].item, name=name, subject=name, seizures=(Annotation(16.0, 24.0, "seiz"),))
        both.append(replace(marks[0], item=item, signal=signal))
    config = replace(REAL, chunk_s=(15.0, 20.0), transplanted=1.0, seizure_share=1.0, padded=0.0)
    composer = Composer(both, config, NOTHING)
    for k in range(100):
        window = composer.draw(np.random.default_rng(k))
        largest = window.uv[0].reshape(20, RATE_HZ)[:, RATE_HZ // 2 :].max(axis=1)
        assert (largest[(window.weight > 0) & (window.ictal == 0)] < 20.0).all()


def test_transplanted_seizures_lie_over_another_background(marks: list[Cached]) -> None:
    window = draw(marks, replace(REAL, transplanted=1.0, seizure_share=1.0, padded=0.0))
    ictal = window.uv[0].reshape(20, RATE_HZ)[(window.ictal > 0) & (window.weight > 0)]
    assert (ictal.mean(axis=1) > 101.0).all()  # more than the seizure alone
    assert window.ictal.any()


def test_hard_spans_take_the_place_of_background(marks: list[Cached]) -> None:
    composer = Composer(marks, replace(REAL, seizure_share=0.0, padded=0.0), NOTHING)
    hard = HardSpans((HardSpan("r2", 10.0, 14.0),), 1.0)
    windows = [composer.draw(np.random.default_rng(k), hard) for k in range(20)]
    assert {o.split(" ")[0] for w in windows for o in w.origins} == {"r2"}
    plain = [composer.draw(np.random.default_rng(k)) for k in range(20)]
    assert {o.split(" ")[0] for w in plain for o in w.origins} == {"r1", "r2"}
    # Without any, nothing more is drawn: a recipe keeps its windows.
    assert np.array_equal(plain[3].uv, composer.draw(np.random.default_rng(3), HardSpans((), 0.5)).uv)


def test_sham_keeps_the_labels_and_takes_the_seizures_away(marks: list[Cached]) -> None:
    config = replace(REAL, seizure_share=1.0, padded=0.0)
    window = draw(marks, replace(config, sham=True), seed=3)
    assert window.ictal.any()
    assert window.uv.max() < 50.0


@pytest.mark.parametrize("kept", ["seizures", "background"])
def test_either_class_missing_is_an_error(marks: list[Cached], kept: str) -> None:
    some = marks[2:] if kept == "seizures" else marks[:2]
    with pytest.raises(ValueError, match=r"no (ictal|background) second"):
        Composer(some, REAL, NOTHING)


@pytest.mark.parametrize("name", [f.name for f in fields(AugmentConfig) if f.name != "stretch"])
def test_every_augmentation_changes_a_window_and_can_be_switched_off(name: str) -> None:
    rng = np.random.default_rng(1)
    uv = (30.0 * rng.standard_normal((N_ELECTRODES, 4 * RATE_HZ))).astype(np.float32)

    def changed(config: AugmentConfig) -> np.ndarray:
        rng = np.random.default_rng(3)
        return augment.window(augment.chunk(uv, rng, config), rng, config)

    assert np.array_equal(changed(NOTHING), uv)
    different = changed(replace(NOTHING, **{name: 1.0}))
    assert different.shape == uv.shape
    assert different.dtype == np.float32
    assert np.isfinite(different).all()
    assert not np.allclose(different, uv)


def test_shares_outside_their_range_are_refused() -> None:
    for name in ("mirror", "device"):
        with pytest.raises(ValueError, match=r"0\.\.1"):
            AugmentConfig(**{name: 1.2})
    with pytest.raises(ValueError, match="negative"):
        AugmentConfig(gain=-0.1)


def test_mirror_swaps_sides() -> None:
    uv = np.arange(float(N_ELECTRODES), dtype=np.float32)[:, None] * np.ones((1, RATE_HZ), np.float32)
    swapped = augment.chunk(uv, np.random.default_rng(0), replace(NOTHING, mirror=1.0))
    assert swapped[INDEX["F7"], 0] == INDEX["F8"]
    assert np.array_equal(swapped[list(MIRROR)], uv)


def test_recentred_components_have_no_mean_and_stay_so() -> None:
    uv = np.random.default_rng(0).standard_normal((N_ELECTRODES, RATE_HZ)).astype(np.float32)
    centred = augment.recentre(uv)
    midline = [INDEX[name] for name in ("Fz", "Cz", "Pz")]
    assert np.abs(centred[midline].mean(axis=0)).max() < 1e-6
    assert np.allclose(augment.recentre(centred), centred, atol=1e-6)


def test_ears_leave_a_common_potential_out() -> None:
    uv = np.random.default_rng(0).standard_normal((N_ELECTRODES, RATE_HZ)).astype(np.float32)
    common = np.sin(np.arange(RATE_HZ) / 9.0).astype(np.float32)
    moved = augment.against_ears(uv + common, 1.0)
    assert np.allclose(moved, augment.against_ears(uv, 1.0), atol=1e-5)


@given(st.floats(0.86, 1.16))
def test_stretching_scales_a_tones_period(factor: float) -> None:
    at_s = np.arange(20 * RATE_HZ) / RATE_HZ
    uv = np.tile(np.sin(2.0 * np.pi * 5.0 * at_s), (N_ELECTRODES, 1)).astype(np.float32)
    slow = augment.stretched(uv, factor)
    spectrum = np.abs(np.fft.rfft(slow[0]))
    found_hz = spectrum.argmax() * RATE_HZ / slow.shape[1]
    assert found_hz == pytest.approx(5.0 / factor, abs=0.06)


def test_stretched_chunks_keep_their_labels(recordings: list[Cached], marks: list[Cached]) -> None:
    config = replace(REAL, seizure_share=1.0, padded=0.0)
    for seed in range(10):
        window = draw(marks, config, replace(NOTHING, stretch=1.0), seed=seed)
        middle = window.uv[0].reshape(20, RATE_HZ)[:, RATE_HZ // 2 :].mean(axis=1)
        sure = window.weight > 0
        assert np.array_equal(middle[sure] > 50.0, window.ictal[sure] > 0)
    assert not np.array_equal(
        draw(recordings[:4], config, NOTHING).uv, draw(recordings[:4], config, replace(NOTHING, stretch=1.0)).uv
    )
