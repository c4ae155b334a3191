"""Gradients against finite differences, in float64."""

from __future__ import annotations

from functools import partial

import pytest
import torch

from brainscan_models.ssd import mixer, ssd

# One head per vector, several heads per vector, and widths that fit none; more than one block of time.
EXTENTS = [(1, 5, 2, 8, 3), (2, 4, 3, 4, 8), (1, 35, 1, 3, 2)]


@pytest.mark.parametrize("extent", EXTENTS, ids=str)
@pytest.mark.parametrize("backend", ["chunked", "native"])
def test_scan(scan_arguments, backend, extent):
    arguments = [argument.double().requires_grad_() for argument in scan_arguments(extent)]
    assert torch.autograd.gradcheck(partial(ssd, backend=backend, chunk=3), arguments)


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("extent", EXTENTS, ids=str)
@pytest.mark.parametrize("backend", ["chunked", "native"])
def test_mixer(mixer_arguments, backend, extent, reverse):
    arguments = [argument.double().requires_grad_() for argument in mixer_arguments(extent)]
    whole = partial(mixer, headdim=extent[3], d_state=extent[4], reverse=reverse, backend=backend)
    assert torch.autograd.gradcheck(whole, arguments)


def test_only_what_asks_for_a_gradient_gets_one(mixer_arguments):
    zxbcdt, *weights = mixer_arguments((2, 10, 2, 8, 4))
    weights[3].requires_grad_()
    mixer(zxbcdt, *weights, headdim=8, d_state=4, backend="native").sum().backward()
    assert weights[3].grad is not None
    assert zxbcdt.grad is None


def test_a_second_derivative_is_refused(scan_arguments):
    arguments = [argument.double().requires_grad_() for argument in scan_arguments((1, 4, 1, 2, 2))]
    squares = ssd(*arguments, backend="native") ** 2
    (by_x,) = torch.autograd.grad(squares.sum(), arguments[0], create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        by_x.sum().backward()
