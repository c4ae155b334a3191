"""Trends against their definitions, on signals whose trends are known beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from brainscan.electrodes import ELECTRODES, INDEX, N_ELECTRODES
from brainscan.events import RATE_HZ
from brainscan.qeeg import COLUMN_S, FREQUENCIES_HZ, Trends
from brainscan.signal.trends import TrendStream, WindowTrends, asymmetry, rhythmicity
from brainscan.signal.windows import Window

EVERY_SECOND_LEFT = ("F3", "P3", "F7", "T5")  # each left derivation has one of them
EVERY_SECOND_RIGHT = ("F4", "P4", "F8", "T6")


def clock(duration_s: float) -> NDArray[np.float64]:
    return np.arange(round(duration_s * RATE_HZ)) / RATE_HZ


def on(electrodes: Sequence[str], signal: NDArray[np.float64]) -> NDArray[np.float64]:
    uv = np.zeros((N_ELECTRODES, len(signal)))
    uv[[INDEX[name] for name in electrodes]] = signal
    return uv


def trends_of(uv: NDArray[np.float64], cuts: Sequence[int] = (), bad: Sequence[tuple[int, int]] = ()) -> Trends:
    stream, valid = TrendStream(), np.ones(uv.shape[1], dtype=bool)
    for first, stop in bad:
        valid[first:stop] = False
    for first, stop in zip((0, *cuts), (*cuts, uv.shape[1]), strict=True):
        nothing_bad = np.zeros(N_ELECTRODES, dtype=bool)
        stream.push(uv[:, first:stop].astype(np.float32), valid[first:stop], nothing_bad)
    return stream.finish()


@pytest.mark.parametrize("hz", [2.5, 4.0, 6.0, 10.3, 14.0])
def test_aeeg_of_a_modulated_sine_is_its_amplitude_peak_to_peak(hz: float) -> None:
    t = clock(240.0)
    amplitude = 30.0 * (1.0 + 0.5 * np.sin(2.0 * np.pi * t / 120.0))
    found = trends_of(on(EVERY_SECOND_LEFT, amplitude * np.sin(2.0 * np.pi * hz * t)))
    weight = (hz / np.sqrt(2.0 * 15.0)) ** 0.6  # 12 dB a decade, one in the band's geometric middle
    at = np.rint((found.start_s + COLUMN_S / 2.0) * RATE_HZ).astype(int)
    wanted = 2.0 * amplitude[at] * weight
    assert np.abs(found.aeeg_uv[0, 1] - wanted)[1:-1].max() < 1.0
    assert (found.aeeg_uv[0, 0] <= found.aeeg_uv[0, 1]).all()
    assert (found.aeeg_uv[0, 1] <= found.aeeg_uv[0, 2]).all()
    assert np.abs(found.aeeg_uv[1]).max() < 0.01


@pytest.mark.parametrize("hz", [0.3, 0.8, 20.0, 30.0])
def test_aeeg_hears_nothing_outside_its_band(hz: float) -> None:
    found = trends_of(on(EVERY_SECOND_LEFT, 100.0 * np.sin(2.0 * np.pi * hz * clock(60.0))))
    assert found.aeeg_uv[0, 1, 1:-1].max() < 2.0


@pytest.mark.parametrize("hz", [1.0, 3.0, 6.5, 13.0, 19.5])
def test_the_spectrum_peaks_at_the_right_bin_and_holds_the_whole_power(hz: float) -> None:
    found = trends_of(on(EVERY_SECOND_RIGHT, 20.0 * np.sin(2.0 * np.pi * hz * clock(60.0))))
    assert {FREQUENCIES_HZ[k] for k in found.power_uv2[1].argmax(axis=0)} == {hz}
    assert found.power_uv2[1].sum(axis=0)[1:-1] == pytest.approx(200.0, rel=0.01)
    assert found.power_uv2[0].max() < 1e-6


def test_suppression_is_the_share_of_time_between_known_bursts() -> None:
    t = clock(600.0)
    # Eight seconds of silence, two of 10 Hz, of which the first and last ten milliseconds are below 5 µV.
    burst = 60.0 * np.sin(2.0 * np.pi * 10.0 * t) * ((t % 10.0) >= 8.0)
    found = trends_of(on(EVERY_SECOND_LEFT, burst + 1.0 * np.sin(2.0 * np.pi * 3.0 * t)))
    assert abs(found.suppressed[0].mean() - 0.8) < 0.01
    assert (found.suppressed[1] == 1.0).all()


def test_silences_shorter_than_half_a_second_are_no_suppression() -> None:
    t = clock(120.0)
    found = trends_of(on(EVERY_SECOND_LEFT, 60.0 * np.sin(2.0 * np.pi * 10.0 * t) * (((t + 0.3) % 1.0) <= 0.6)))
    assert (found.suppressed[0] == 0.0).all()


@pytest.mark.parametrize(("more", "sign"), [(EVERY_SECOND_RIGHT, 1.0), (EVERY_SECOND_LEFT, -1.0)])
def test_asymmetry_is_positive_where_the_right_side_has_more(more: Sequence[str], sign: float) -> None:
    t = clock(60.0)
    both = on((*EVERY_SECOND_LEFT, *EVERY_SECOND_RIGHT), 10.0 * np.sin(2.0 * np.pi * 6.0 * t))
    found = trends_of(both + on(more, 10.0 * np.sin(2.0 * np.pi * 6.0 * t)))
    # Amplitudes 20 and 10: powers 4 to 1.
    assert found.asymmetry[FREQUENCIES_HZ.index(6.0)] == pytest.approx(sign * 0.6, abs=1e-3)
    assert np.asarray(asymmetry(found.power_uv2)) == pytest.approx(found.asymmetry)


def test_rhythmicity_finds_the_rhythm_over_a_falling_spectrum() -> None:
    random = np.random.default_rng(3)
    t = clock(120.0)
    white = random.standard_normal((N_ELECTRODES, len(t)))
    hz = np.fft.rfftfreq(len(t), 1.0 / RATE_HZ)
    pink = np.fft.irfft(np.fft.rfft(white) / np.sqrt(np.maximum(hz, 0.5)), n=len(t)) * 40.0
    rhythm = on(EVERY_SECOND_LEFT, 40.0 * np.sin(2.0 * np.pi * 7.0 * t))
    with_rhythm, without = trends_of(pink + rhythm), trends_of(pink)
    assert set(with_rhythm.dominant_hz) == {7.0}
    assert with_rhythm.rhythm_uv2.sum(axis=0).min() > 0.6 * 800.0
    assert with_rhythm.rhythm_uv2.sum(axis=0).mean() > 5.0 * without.rhythm_uv2.sum(axis=0).mean()


def test_a_spectrum_that_falls_as_one_over_f_has_no_rhythm() -> None:
    smooth = (1.0 / np.asarray(FREQUENCIES_HZ))[None, :, None] * np.ones((2, 1, 3))
    assert np.allclose(rhythmicity(smooth.astype(np.float32)), 0.0, atol=1e-5)


@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(0, 100 * RATE_HZ), max_size=6).map(sorted))
def test_blocks_of_any_length_give_the_same_columns(cuts: list[int]) -> None:
    noise = 20.0 * np.random.default_rng(1).standard_normal((N_ELECTRODES, 100 * RATE_HZ))
    whole, pieces = trends_of(noise), trends_of(noise, cuts)
    for field in fields(Trends):
        assert np.array_equal(getattr(whole, field.name), getattr(pieces, field.name)), field.name


def test_a_minute_s_border_leaves_no_trace() -> None:
    """A sine goes on as it was where one minute's computation ends and the next begins."""
    found = trends_of(on(EVERY_SECOND_LEFT, 30.0 * np.sin(2.0 * np.pi * 5.3 * clock(180.0))))
    inner = found.aeeg_uv[0, 1, 1:-1]
    assert np.ptp(inner) < 0.01 * inner.mean()
    peak = found.power_uv2[0].max(axis=0)[1:-1]
    assert np.ptp(peak) < 0.01 * peak.mean()


@pytest.mark.parametrize(("duration_s", "n_columns"), [(1.0, 0), (2.0, 1), (5.0, 1), (10.0, 3), (60.0, 15), (61.9, 15)])
def test_a_last_column_is_kept_that_is_filled_by_half(duration_s: float, n_columns: int) -> None:
    found = trends_of(np.ones((N_ELECTRODES, round(duration_s * RATE_HZ))))
    assert found.n_columns == n_columns
    assert found.start_s.tolist() == [COLUMN_S * k for k in range(n_columns)]


def test_columns_beside_what_is_not_valid_are_unknown() -> None:
    noise = 20.0 * np.random.default_rng(2).standard_normal((N_ELECTRODES, 40 * RATE_HZ))
    found = trends_of(noise, bad=[(13 * RATE_HZ, 14 * RATE_HZ)])
    assert np.isnan(found.suppressed[0]).nonzero()[0].tolist() == [3]
    found = trends_of(noise, bad=[(12 * RATE_HZ, 13 * RATE_HZ)])
    assert np.isnan(found.aeeg_uv[1, 1]).nonzero()[0].tolist() == [2, 3]  # its margin reaches the column before


def windows(uv: NDArray[np.float64], bad: Sequence[int] = ()) -> list[Window]:
    """Return windows of 60 s every 30 s; in those of some numbers T3 is interpolated."""
    made = []
    for number, start in enumerate(range(0, uv.shape[1] - 30 * RATE_HZ, 30 * RATE_HZ)):
        cut = uv[:, start : start + 60 * RATE_HZ].astype(np.float32)
        how = tuple("interpolated" if number in bad and name == "T3" else "recorded" for name in ELECTRODES)
        made.append(Window(start, cut, cut.shape[1], how, True, np.zeros(60, dtype=bool)))
    return made


def test_overlapping_windows_give_the_trends_of_what_they_were_cut_from() -> None:
    noise = 20.0 * np.random.default_rng(4).standard_normal((N_ELECTRODES, 150 * RATE_HZ))
    tiled = WindowTrends(100.0)
    for window in windows(noise, bad=[2]):
        tiled.add(window)
    found, whole = tiled.finish(), trends_of(noise)
    assert np.array_equal(found.power_uv2, whole.power_uv2)
    assert found.start_s.tolist() == (whole.start_s + 100.0).tolist()
    bad = found.unusable[INDEX["T3"]]
    # The third window speaks from 60 s on, until the fourth begins.
    assert bad.nonzero()[0].tolist() == [15, 16, 17, 18, 19, 20, 21]
    assert found.unusable.sum() == bad.sum()


def test_joining_and_cutting() -> None:
    assert Trends.joined([]).n_columns == 0
    assert Trends.joined([]).dominant_hz.shape == (0,)
    one = trends_of(np.ones((N_ELECTRODES, 20 * RATE_HZ)))
    both = Trends.joined([one, one])
    assert both.n_columns == 10
    assert both.within(4.0, 9.0).start_s.tolist() == [4.0, 8.0, 4.0, 8.0]
    with pytest.raises(ValueError, match="suppressed must be"):
        Trends(one.start_s, one.aeeg_uv, one.power_uv2, one.asymmetry, one.rhythm_uv2, one.suppressed[:1], one.unusable)
