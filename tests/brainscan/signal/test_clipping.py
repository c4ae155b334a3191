"""What was cut off at any value is seen; what a coarse converter, a quiet EEG or a sine holds is not."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest

from brainscan.card import FilterConfig
from brainscan.signal.channels import ChannelGroup
from brainscan.signal.clipping import flat_tops
from tests.stand_ins import noise, ragged

RATE = 256
STARTS = range(0, 20 * RATE, RATE)


@pytest.mark.parametrize("limit_uv", [4.0, 10.0, 200.0])
def test_cut_off_at_any_value(limit_uv: float) -> None:
    """Whether a converter steps by 0.1 uV or the values are floats; four fifths of the samples are beyond."""
    uv = np.clip(noise(20.0, RATE, n=2) * limit_uv / 3.0, -limit_uv, limit_uv)
    assert flat_tops(uv, STARTS).mean() > 0.75
    assert flat_tops(np.round(uv, 1), STARTS).mean() > 0.75


def test_a_square_wave_is_all_rail() -> None:
    wave = np.where(np.arange(20 * RATE) // 128 % 2, 50.0, -50.0)[None]
    assert flat_tops(wave, STARTS).all()


@pytest.mark.parametrize("step_uv", [0.1, 2.0, 10.0, 20.0, 40.0])
def test_coarse_steps_are_no_rails(step_uv: float) -> None:
    assert not flat_tops(np.round(noise(20.0, RATE) / step_uv) * step_uv, STARTS).any()


@pytest.mark.parametrize("steps", [0, 1, 2, 8, 100])
def test_sines_and_silence_are_no_rails(steps: int) -> None:
    """With the steps of a converter, 0.4 uV."""
    at_s = np.arange(20 * RATE) / RATE
    assert not flat_tops(0.4 * np.round(steps * np.sin(2.0 * np.pi * 10.3 * at_s))[None], STARTS).any()


def test_holes_are_no_values() -> None:
    uv = noise(20.0, RATE, n=1)
    uv[0, : 3 * RATE] = np.nan
    uv[0, 3 * RATE + 5 : 5 * RATE] = np.nan
    assert not flat_tops(uv, STARTS).any()


@pytest.mark.parametrize("rate_hz", [Fraction(256), Fraction(1303, 10)])
def test_how_samples_were_cut_does_not_matter(rate_hz: Fraction) -> None:
    uv = noise(12.3, float(rate_hz), n=3)
    uv[1:] = np.clip(uv[1:], -5.0, 5.0)
    shares = []
    for at in ([], [0.03, 0.031, 0.4, 0.77], list(itertools.accumulate([0.009] * 100))):
        group = ChannelGroup(rate_hz, range(3), FilterConfig())
        for samples in ragged(list(uv), at):
            group.push(samples)
        group.finish()
        shares.append(group.railed.between(0, 13))
    assert np.array_equal(shares[0], shares[1])
    assert np.array_equal(shares[0], shares[2])
    assert shares[0][0].max() == 0.0
    assert shares[0][1:].min() > 0.5
