"""The vector type of the kernels: elementary functions, sums of lanes, partial loads and stores."""

from __future__ import annotations

import ctypes

import numba
import numpy as np
import pytest
from numba import types

from brainscan_models.ssd.vector import (
    exp,
    lanes,
    load,
    load_first,
    log1p_unit,
    minus_magnitude,
    pair_sums,
    positive_part,
    row_totals,
    store,
    store_first,
    total,
    twice_high,
    twice_low,
)


def apply_functions(x, y, n):
    for i in range(0, n, lanes(x)):
        vector = load(x, i)
        store(y, i, exp(vector))
        store(y, n + i, positive_part(vector) + log1p_unit(exp(minus_magnitude(vector))))


def move_lanes(x, y, n):
    a, b = load(x, 0), load(x, lanes(x))
    store(y, 0, pair_sums(a, b))
    store(y, lanes(x), twice_low(a))
    store(y, 2 * lanes(x), twice_high(a))
    store(y, 3 * lanes(x), row_totals(x, 0))
    y[4 * lanes(x)] = total(a)
    store_first(y, 4 * lanes(x) + 1, load_first(x, 1, n), n)


@pytest.fixture(params=["float32", "float64"])
def dtype(request):
    return np.dtype(request.param)


def run(function, x, y, n):
    pointer = types.CPointer(getattr(types, x.dtype.name))
    compiled = numba.cfunc(types.void(pointer, pointer, types.int64))(function)
    kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
    kind(compiled.address)(x.ctypes.data, y.ctypes.data, n)


@pytest.mark.isa
def test_exp_and_softplus(dtype):
    x = np.concatenate([np.linspace(-80, 80, 4094), [0.0, -0.0]]).astype(dtype)
    y = np.empty(2 * x.size, dtype)
    run(apply_functions, x, y, x.size)
    exact = np.exp(x.astype(np.longdouble))
    eps = np.finfo(dtype).eps
    assert np.all(np.abs(y[: x.size] / exact - 1) <= (1 + np.abs(x)) * eps)
    assert np.all(np.abs(y[x.size :] / np.log1p(exact) - 1) <= (2 + np.abs(x)) * eps)


def test_exp_saturates_and_keeps_nan(dtype):
    x = np.resize(np.array([-1e30, -np.inf, 1e30, np.inf, np.nan]), 64).astype(dtype)
    y = np.empty(2 * x.size, dtype)
    run(apply_functions, x, y, x.size)
    assert np.all(y[:2] < 1e-37)
    assert np.all(y[:2] >= 0)
    assert np.all(np.isfinite(y[2:4]))
    assert np.all(y[2:4] > 1e38)
    assert np.isnan(y[4])
    assert np.isnan(y[x.size + 4])


def test_lanes_move_as_said(dtype):
    width = 64 // dtype.itemsize
    random = np.random.default_rng(0)
    x = random.integers(-99, 99, width * width).astype(dtype)
    y = np.full(6 * width, -1, dtype)
    run(move_lanes, x, y, 3)
    np.testing.assert_array_equal(y[:width], x[: 2 * width].reshape(-1, 2).sum(1))
    np.testing.assert_array_equal(y[width : 3 * width], np.repeat(x[:width], 2))
    np.testing.assert_array_equal(y[3 * width : 4 * width], x.reshape(width, width).sum(1))
    assert y[4 * width] == x[:width].sum()
    np.testing.assert_array_equal(y[4 * width + 1 : 4 * width + 4], x[1:4])
    assert np.all(y[4 * width + 4 :] == -1)
