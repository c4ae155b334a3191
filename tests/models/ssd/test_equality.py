"""Every form of the scan and of the mixer gives what the step-by-step recurrence gives."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from brainscan_models.ssd import mixer, ssd

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}
FAST = ("chunked", "native")
DTYPES = (torch.float32, torch.float64)
MIXER_NAMES = "y zxbcdt conv_weight conv_bias dt_bias A_log D norm_weight"


def in_float64(arguments: Iterable[torch.Tensor]) -> list[torch.Tensor]:
    return [argument.double() for argument in arguments]


def assert_equal_to_largest(
    names: str, got: list[torch.Tensor], wanted: list[torch.Tensor], tolerance: float, *, at_least: float = 0.0
) -> None:
    for name, a, b in zip(names.split(), got, wanted, strict=True):
        largest = max(b.abs().max().item(), at_least)
        error = (a.double() - b).abs().max().item()
        assert error <= tolerance * largest, f"{name}: {error:.2e} of {largest:.2e}"


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("backend", FAST)
def test_scan_and_its_gradients_equal_the_recurrence(extent, scan_arguments, differentiate, recurrence, backend, dtype):
    got = differentiate(partial(ssd, backend=backend), scan_arguments(extent), dtype)
    assert_equal_to_largest("y x dt A B C D", got, recurrence(extent, None), TOLERANCE[dtype])


@pytest.mark.isa
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("backend", FAST)
def test_mixer_and_its_gradients_equal_the_recurrence(
    extent, mixer_arguments, differentiate, recurrence, backend, dtype, reverse
):
    sizes = {"headdim": extent.headdim, "d_state": extent.d_state, "reverse": reverse}
    got = differentiate(partial(mixer, **sizes, backend=backend), mixer_arguments(extent), dtype)
    # The norm over a single feature leaves its sign alone: gradients are what remains of terms that cancel.
    size = 1.0 if extent.heads * extent.headdim == 1 else 0.0
    assert_equal_to_largest(MIXER_NAMES, got, recurrence(extent, reverse), TOLERANCE[dtype], at_least=size)


@pytest.mark.parametrize("backend", FAST)
def test_scan_without_a_direct_path(scan_arguments, backend):
    *arguments, _ = in_float64(scan_arguments((2, 40, 4, 4, 8)))
    y = ssd(*arguments, backend=backend)
    torch.testing.assert_close(y, ssd(*arguments, backend="reference"), rtol=0, atol=1e-12)


@pytest.mark.parametrize("chunk", [1, 7, 16, 64, 1000])
def test_chunk_length_changes_nothing(scan_arguments, chunk):
    arguments = in_float64(scan_arguments((2, 50, 4, 4, 8)))
    y = ssd(*arguments, chunk=chunk, backend="chunked")
    torch.testing.assert_close(y, ssd(*arguments, backend="reference"), rtol=0, atol=1e-12)


@pytest.mark.parametrize("backend", ["reference", *FAST])
def test_reverse_is_a_flip_of_the_input_and_of_the_result(mixer_arguments, backend):
    zxbcdt, *weights = in_float64(mixer_arguments((2, 45, 4, 4, 8)))
    sizes = {"headdim": 4, "d_state": 8, "backend": backend}
    backwards = mixer(zxbcdt, *weights, **sizes, reverse=True)
    flipped = mixer(zxbcdt.flip(1), *weights, **sizes).flip(1)
    torch.testing.assert_close(backwards, flipped, rtol=0, atol=1e-12)


@pytest.mark.parametrize("d_conv", [1, 2, 6, 40])
def test_any_length_of_the_convolution(mixer_arguments, differentiate, d_conv):
    arguments = mixer_arguments((2, 70, 2, 8, 4), d_conv=d_conv)
    native, reference = (
        differentiate(partial(mixer, headdim=8, d_state=4, backend=name), arguments, torch.float64)
        for name in ("native", "reference")
    )
    assert_equal_to_largest(MIXER_NAMES, native, reference, 1e-10)


@settings(max_examples=30, deadline=None)
@given(
    batch=st.integers(0, 3),
    length=st.integers(1, 70),
    heads=st.integers(1, 9),
    headdim=st.integers(1, 20),
    d_state=st.integers(1, 20),
    reverse=st.booleans(),
)
def test_native_mixer_of_any_shape(batch, length, heads, headdim, d_state, reverse):
    random = torch.Generator().manual_seed(length)
    d_inner = heads * headdim
    channels = d_inner + 2 * d_state
    shapes = [(batch, length, d_inner + channels + heads), (channels, 1, 4), (channels,)]
    shapes += [(heads,), (heads,), (heads,), (d_inner,)]
    arguments = [torch.randn(shape, generator=random, dtype=torch.float64) for shape in shapes]
    sizes = {"headdim": headdim, "d_state": d_state, "reverse": reverse}
    native, reference = (mixer(*arguments, **sizes, backend=name) for name in ("native", "reference"))
    torch.testing.assert_close(native, reference, rtol=0, atol=1e-9)


def test_what_an_exporter_sees_equals_the_recurrence(extent, scan_arguments, monkeypatch):
    arguments = in_float64(scan_arguments(extent))
    wanted = ssd(*arguments, backend="reference")
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    assert_equal_to_largest("y", [ssd(*arguments, backend="chunked")], [wanted], TOLERANCE[torch.float64])
