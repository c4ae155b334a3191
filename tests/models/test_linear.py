from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from brainscan_models import linear as module
from brainscan_models.linear import Linear, linear

# The projections of both variants, and shapes that no vector divides.
SHAPES = [((960, 64), 304), ((2, 240, 48), 236), ((171, 60, 8), 52), ((300, 1), 16), ((7, 5, 16), 1), ((1, 3), 2)]


def draw(shape: tuple[int, ...], width: int, dtype: torch.dtype) -> list[torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    drawn = [
        torch.randn(*size, generator=random, dtype=torch.float64) for size in (shape, (width, shape[-1]), (width,))
    ]
    return [tensor.to(dtype).requires_grad_() for tensor in drawn]


@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize(("shape", "width"), SHAPES)
def test_equals_torch_in_double_with_its_gradients(shape: tuple[int, ...], width: int, with_bias: bool) -> None:
    def run(dtype: torch.dtype, function: object) -> list[torch.Tensor]:
        arguments = draw(shape, width, dtype)[: 3 if with_bias else 2]
        y = function(*arguments)  # type: ignore[operator]
        upstream = torch.linspace(-1.0, 2.0, y.numel(), dtype=dtype).reshape(y.shape)
        return [y, *torch.autograd.grad(y, arguments, upstream)]

    for ours, exact in zip(run(torch.float32, linear), run(torch.float64, F.linear), strict=True):
        assert ours.shape == exact.shape
        assert (ours - exact).abs().max() <= 1e-5 * exact.abs().max()


def test_an_expanded_gradient_is_as_good_as_a_whole_one() -> None:
    x, weight, bias = draw((9, 20, 16), 24, torch.float32)
    by_sum = torch.autograd.grad(linear(x, weight, bias).sum(), (x, weight, bias))
    by_ones = torch.autograd.grad(linear(x, weight, bias), (x, weight, bias), torch.ones(9, 20, 24))
    for one, other in zip(by_sum, by_ones, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("fast", [True, False])
def test_plus_is_added_and_gets_the_gradient(fast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_available", lambda: fast)
    x, weight, bias = draw((2, 30, 16), 8, torch.float32)
    plus = torch.randn(2, 30, 8, generator=torch.Generator().manual_seed(1)).requires_grad_()
    upstream = torch.linspace(-1.0, 1.0, 480).reshape(2, 30, 8)
    torch.testing.assert_close(linear(x, weight, bias, plus), linear(x, weight, bias) + plus)
    by = torch.autograd.grad(linear(x, weight, bias, plus), (x, weight, bias, plus), upstream)
    for ours, expected in zip(
        by, (*torch.autograd.grad(linear(x, weight, bias), (x, weight, bias), upstream), upstream), strict=True
    ):
        torch.testing.assert_close(ours, expected)
    frozen = linear(x.detach(), weight.detach(), bias.detach(), plus)
    torch.testing.assert_close(torch.autograd.grad(frozen, plus, upstream)[0], upstream)


def test_rows_do_not_depend_on_threads_or_neighbours() -> None:
    x, weight, bias = (tensor.detach() for tensor in draw((19, 240, 48), 236, torch.float32))
    before = torch.get_num_threads()
    try:
        results = []
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            results.append(linear(x, weight, bias))
        some = linear(x[4:7], weight, bias)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(results[0], results[1])
    assert torch.equal(results[0], results[2])
    torch.testing.assert_close(some, results[0][4:7], rtol=1e-5, atol=1e-5)


def test_only_what_asks_for_a_gradient_gets_one() -> None:
    x, weight, bias = draw((5, 4), 3, torch.float32)
    frozen = linear(x, weight.detach(), bias.detach())
    assert torch.autograd.grad(frozen.sum(), x)[0].shape == x.shape
    assert not linear(x.detach(), weight.detach(), bias.detach()).requires_grad
    with torch.no_grad():
        assert not linear(x, weight, bias).requires_grad


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_dtypes_stay_what_they_are(dtype: torch.dtype) -> None:
    x, weight, bias = draw((5, 4), 3, dtype)
    assert torch.equal(linear(x, weight, bias), F.linear(x, weight, bias))


def test_autocast_still_decides_the_dtype() -> None:
    x, weight, bias = draw((5, 4), 3, torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        assert linear(x, weight, bias).dtype == torch.bfloat16


def test_nothing_to_multiply() -> None:
    _, weight, bias = draw((5, 4), 3, torch.float32)
    assert linear(torch.zeros(0, 4), weight, bias).shape == (0, 3)


def test_a_torch_without_onednn_computes_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = draw((40, 16), 24, torch.float32)
    fast = linear(*arguments)
    monkeypatch.setattr(module, "_available", lambda: False)
    slow = linear(*arguments)
    torch.testing.assert_close(fast, slow, rtol=1e-5, atol=1e-5)
    assert "_Linear" in str(fast.grad_fn)
    assert "_Linear" not in str(slow.grad_fn)


def test_the_module_is_exported_as_torchs_own() -> None:
    layer = Linear(4, 3)
    exported = torch.export.export(layer, (torch.ones(5, 4),))
    assert "mkldnn" not in exported.graph_module.code
    assert "linear" in exported.graph_module.code
