"""Transforms without `scipy.fft` are those of `scipy.fft`."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy import fft

from brainscan.signal import fourier


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("shape", "n"), [((19, 5050), 5120), ((3, 60, 128), None), ((2, 7), 7)])
@pytest.mark.parametrize("compiled", [True, False])
def test_transforms_are_scipy_s_to_the_bit(
    dtype: type, shape: tuple[int, ...], n: int | None, compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not compiled:
        monkeypatch.setattr(fourier, "_transforms", lambda: None)
    rows = np.random.default_rng(3).normal(size=shape).astype(dtype)[..., ::-1]  # rows need not lie in order
    spectra = fourier.rfft(rows, n)
    np.testing.assert_array_equal(spectra, fft.rfft(rows, n=n, axis=-1))
    length = n or shape[-1]
    back = fourier.irfft(spectra, length)
    np.testing.assert_array_equal(back, fft.irfft(spectra, n=length, axis=-1))
    assert back.dtype == dtype


def test_a_fast_length_is_scipy_s() -> None:
    for n in (1, 7, 977, 5050, 17338):
        assert fourier.fast_length(n) == fft.next_fast_len(n, real=True)


def test_scipy_fft_is_not_imported() -> None:
    code = "import sys, numpy as np; from brainscan.signal.fourier import rfft; rfft(np.ones(8)); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "brainscan.signal.fourier" in loaded
    assert "scipy.fft" not in loaded
