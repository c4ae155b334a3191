"""The block pipeline up to windows: time, cuts, verdicts, ends."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray
from scipy.signal import hilbert

from brainscan.card import FilterConfig, WindowConfig
from brainscan.electrodes import ELECTRODES, INDEX
from brainscan.recording import Samples
from brainscan.signal import montage
from brainscan.signal.montage import ElectrodePlan
from brainscan.signal.windows import PipelineConfig, Window, WindowStream, reference
from tests.stand_ins import noise, ragged
from tests.strategies import cuts

FloatArray = NDArray[np.float64]

CONFIG = PipelineConfig(FilterConfig(), WindowConfig())
PLAN = montage.plan(ELECTRODES)


def _windows(
    uv: list[FloatArray],
    rates_hz: list[Fraction],
    at: list[float] | None = None,
    config: PipelineConfig = CONFIG,
    plan: ElectrodePlan = PLAN,
) -> list[Window]:
    stream = WindowStream(plan, rates_hz, config)
    windows = []
    for samples in ragged(uv, at or []):
        windows += stream.push(samples)
    return windows + stream.finish()


def _of_noise(duration_s: float, **changes: object) -> list[Window]:
    return _windows(list(noise(duration_s)), [Fraction(256)] * 19, **changes)  # type: ignore[arg-type]


def _envelope_centre_s(uv: NDArray[np.float32], near_s: float) -> float:
    """Return the centre of the envelope's energy within two seconds of a time."""
    envelope = np.abs(hilbert(uv.astype(np.float64))) ** 2
    at_s = np.arange(len(uv)) / 256.0
    inside = np.abs(at_s - near_s) < 2.0
    return float((at_s[inside] * envelope[inside]).sum() / envelope[inside].sum())


@pytest.mark.parametrize("rate_hz", [100, 128, 200, 250, 256, 400, 500, 512, 1000, 2048])
@pytest.mark.parametrize("frequency_hz", [4.0, 17.0])
def test_burst_is_where_it_was_to_4_ms(rate_hz: int, frequency_hz: float) -> None:
    """docs/definitions.md, Exactness."""
    centre_s = 31.2345
    at_s = np.arange(60 * rate_hz) / rate_hz
    uv = noise(60.0, rate_hz, seed=rate_hz) * 0.02
    shape = np.exp(-0.5 * ((at_s - centre_s) / 0.25) ** 2)
    uv[INDEX["C3"]] += 100.0 * shape * np.sin(2.0 * np.pi * frequency_hz * (at_s - centre_s) + 0.7)
    (window,) = _windows(list(uv), [Fraction(rate_hz)] * 19)
    assert _envelope_centre_s(window.uv[INDEX["C3"]], centre_s) == pytest.approx(centre_s, abs=0.004)


@settings(max_examples=15, deadline=None)
@given(cuts)
def test_blocks_of_any_length_give_the_same_windows(at: list[float]) -> None:
    """Block-wise equals whole to 1e-6 of the peak."""
    whole, cut = _of_noise(140.0), _of_noise(140.0, at=at)
    assert [(w.start, w.n_valid, w.how, w.scored) for w in cut] == [
        (w.start, w.n_valid, w.how, w.scored) for w in whole
    ]
    for a, b in zip(cut, whole, strict=True):
        np.testing.assert_allclose(a.uv, b.uv, atol=1e-6 * np.abs(b.uv).max())


def test_single_samples_give_the_same_windows() -> None:
    uv = list(noise(1.5))
    stream = WindowStream(PLAN, [Fraction(256)] * 19, CONFIG)
    found = []
    for i in range(len(uv[0])):
        found += stream.push(Samples(tuple(c[i : i + 1] for c in uv), (np.zeros(1, dtype=np.bool_),) * 19))
    (window,) = found + stream.finish()
    assert np.array_equal(window.uv, _of_noise(1.5)[0].uv)


@pytest.mark.parametrize(
    ("duration_s", "starts_s", "last_valid_s"),
    [(1.0, [0], 1), (60.0, [0], 60), (61.0, [0, 30], 31), (90.0, [0, 30], 60), (150.0, [0, 30, 60, 90], 60)],
)
def test_windows_lie_on_a_fixed_grid_and_cover_everything(
    duration_s: float, starts_s: list[int], last_valid_s: int
) -> None:
    windows = _of_noise(duration_s)
    assert [w.start for w in windows] == [256 * s for s in starts_s]
    assert all(w.uv.shape == (19, 15360) for w in windows)
    assert [w.n_valid for w in windows[:-1]] == [15360] * (len(windows) - 1)
    assert windows[-1].n_valid == 256 * last_valid_s


def test_tail_is_the_reflection_of_what_is_before_it() -> None:
    (window,) = _of_noise(40.0)
    n = window.n_valid
    mirrored = window.uv[:, 2 * n - 15360 - 1 : n - 1][:, ::-1]
    np.testing.assert_allclose(window.uv[:, n:], mirrored, atol=1e-4)


def test_nothing_recorded_gives_no_window() -> None:
    assert WindowStream(PLAN, [Fraction(256)] * 19, CONFIG).finish() == []


def test_channels_of_different_rates_stay_aligned() -> None:
    rates = [Fraction(256), Fraction(500), Fraction(200)] * 6 + [Fraction(1024)]
    uv = []
    for i, rate in enumerate(rates):
        at_s = np.arange(int(70 * rate)) / float(rate)
        uv.append(((-1.0) ** i * 50.0 + i) * np.sin(2.0 * np.pi * 8.0 * at_s))
    first = _windows(uv, rates)[0]
    at_s = np.arange(15360) / 256.0
    gains = np.array([(-1.0) ** i * 50.0 + i for i in range(19)])
    expected = (gains - gains.mean())[:, None] * np.sin(2.0 * np.pi * 8.0 * at_s)
    np.testing.assert_allclose(first.uv[:, 600:-600], expected[:, 600:-600], atol=0.3)


def test_an_electrode_that_falls_off_is_interpolated_from_then_on() -> None:
    uv = noise(240.0)
    uv[INDEX["T3"], 120 * 256 :] = 0.0
    windows = _windows(list(uv), [Fraction(256)] * 19)
    how = {w.start // 256: w.how[INDEX["T3"]] for w in windows}
    assert how == {0: "recorded", 30: "recorded", 60: "recorded", 90: "recorded", 120: "interpolated",
                   150: "interpolated", 180: "interpolated"}  # fmt: skip
    assert all(set(w.how) - {"interpolated"} == {"recorded"} and w.scored for w in windows)


def test_windows_before_the_fault_are_those_of_a_sound_recording() -> None:
    uv = noise(180.0)
    broken = uv.copy()
    broken[3, 100 * 256 :] = 1e6
    sound, found = (_windows(list(x), [Fraction(256)] * 19) for x in (uv, broken))
    assert np.array_equal(found[0].uv, sound[0].uv)
    assert np.array_equal(found[1].uv, sound[1].uv)


def test_too_many_faults_leave_a_window_unscored() -> None:
    uv = noise(60.0)
    uv[:4] = 0.0
    (window,) = _windows(list(uv), [Fraction(256)] * 19)
    assert not window.scored
    assert not window.uv.any()
    allowed = PipelineConfig(FilterConfig(), WindowConfig(), max_missing=4)
    assert _windows(list(uv), [Fraction(256)] * 19, config=allowed)[0].scored


def test_an_unusable_electrode_enters_no_average() -> None:
    uv = noise(60.0)
    huge = uv.copy()
    huge[5] *= 1e4
    dead = uv.copy()
    dead[5] = 0.0
    a, b = (_windows(list(x), [Fraction(256)] * 19)[0] for x in (huge, dead))
    assert a.how[5] == b.how[5] == "interpolated"
    assert np.array_equal(a.uv, b.uv)


def test_infinities_of_a_bad_channel_do_not_spread() -> None:
    channels = noise(60.0).astype(np.float32)
    channels[2] = np.inf
    assert np.isfinite(reference(PLAN, channels, frozenset({2}), 3).uv).all()


def test_seconds_without_values_are_marked() -> None:
    uv = noise(60.0)
    uv[:, 20 * 256 + 7 : 25 * 256] = np.nan
    (window,) = _windows(list(uv), [Fraction(256)] * 19)
    assert window.scored
    assert np.flatnonzero(window.absent).tolist() == [20, 21, 22, 23, 24]
    assert np.isfinite(window.uv).all()


def test_a_hole_in_few_channels_marks_nothing() -> None:
    uv = noise(60.0)
    uv[:3, 20 * 256 : 25 * 256] = np.nan
    (window,) = _windows(list(uv), [Fraction(256)] * 19)
    assert not window.absent.any()


def test_rails_make_an_electrode_unusable() -> None:
    uv = tuple(noise(60.0))
    stream = WindowStream(PLAN, [Fraction(256)] * 19, CONFIG)
    railed = tuple(np.full(15360, i == 7) for i in range(19))
    found = stream.push(Samples(uv, railed)) + stream.finish()
    assert [i for i, how in enumerate(found[0].how) if how == "interpolated"] == [7]


def test_a_window_with_one_signal_in_all_channels_is_unscored() -> None:
    """Before re-referencing each of them looks like an EEG."""
    uv = noise(120.0)
    uv[:, : 60 * 256] = uv[0, : 60 * 256]
    windows = _windows(list(uv), [Fraction(256)] * 19)
    assert [w.scored for w in windows if w.start in (0, 60 * 256)] == [False, True]
    assert windows[0].how == ("missing",) * 19


def test_memory_does_not_grow_with_the_recording() -> None:
    stream = WindowStream(PLAN, [Fraction(256)] * 19, CONFIG)
    block = Samples(tuple(noise(10.0)), (np.zeros(2560, dtype=np.bool_),) * 19)
    held = []
    for _ in range(60):
        stream.push(block)
        held.append(stream._filtered.shape[1])
    assert max(held[30:]) <= max(held[:30])
    assert max(held) <= 75 * 256


@pytest.mark.parametrize("n_samples", [1, 63, 700, 15360])
def test_pieces_of_a_product_join_without_a_seam(n_samples: int) -> None:
    held = noise(n_samples / 256.0, 256)[:, :n_samples].astype(np.float32)
    found = reference(PLAN, held, frozenset(), 3).uv
    expected = montage.operator(PLAN).matrix @ held.astype(np.float64)
    assert found.shape == (19, n_samples)
    np.testing.assert_allclose(found, expected, atol=1e-4)
