"""Real Fourier transforms along the last axis: SciPy's own, without what `scipy.fft` imports beside them.

For functions that nobody calls here, `scipy.fft` imports a fifth of a second's worth of modules, a quarter of what a
command takes before the first window. Its transforms are one compiled module, which needs none of them. NumPy's are
three times as slow in single precision. Where SciPy keeps that module elsewhere, `scipy.fft` serves; results are the
same to the bit.
"""

from __future__ import annotations

import importlib
from functools import cache
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_PLACE = ("fft", "_pocketfft")
_MODULE = "pypocketfft"
_FORWARD, _INVERSE = 0, 2
"""How it scales: not at all, and by the length."""


def rfft(rows: NDArray[Any], n: int | None = None) -> NDArray[Any]:
    """Return the transform of real rows.

    Parameters
    ----------
    rows : array of floats, shape (..., m)
        Single precision stays single.
    n : int, optional
        Length to which rows are filled with zeros.

    Returns
    -------
    array of complex numbers, shape (..., n // 2 + 1)
    """
    if n is not None and n != rows.shape[-1]:
        filled = np.zeros((*rows.shape[:-1], n), dtype=rows.dtype)
        filled[..., : rows.shape[-1]] = rows
        rows = filled
    transforms = _transforms()
    if transforms is None:
        return np.asarray(_scipy().rfft(rows, axis=-1))
    return np.asarray(transforms.r2c(rows, (rows.ndim - 1,), True, _FORWARD, None, 1))


def irfft(spectra: NDArray[Any], n: int) -> NDArray[Any]:
    """Return the real rows of spectra.

    Parameters
    ----------
    spectra : array of complex numbers, shape (..., n // 2 + 1)
    n : int
        Length of a row.

    Returns
    -------
    array of floats, shape (..., n)
    """
    transforms = _transforms()
    if transforms is None:
        return np.asarray(_scipy().irfft(spectra, n=n, axis=-1))
    return np.asarray(transforms.c2r(spectra, (spectra.ndim - 1,), n, False, _INVERSE, None, 1))


def fast_length(n: int) -> int:
    """Return the least length from `n` on of which a real transform is fast: 2, 3 and 5 are its only factors."""
    length = n
    while _rest(length) != 1:
        length += 1
    return length


def _rest(length: int) -> int:
    for factor in (2, 3, 5):
        while length % factor == 0:
            length //= factor
    return length


@cache
def _transforms() -> Any | None:
    import scipy  # where libraries beside it have to be found, it sees to that

    spec = PathFinder.find_spec(_MODULE, [str(Path(scipy.__file__).parent.joinpath(*_PLACE))])
    if spec is None or spec.loader is None:
        return None
    try:
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
    except ImportError:
        return None
    return module if hasattr(module, "r2c") and hasattr(module, "c2r") else None


def _scipy() -> Any:
    return importlib.import_module("scipy.fft")
