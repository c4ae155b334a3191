"""Matrix products with a weight, by the faster of the two libraries that PyTorch has for them on CPUs.

`torch.nn.functional.linear` hands float32 to MKL, which reaches 40 % of what oneDNN reaches on a processor with
AVX-512 (AMD more than Intel), forward and backward. oneDNN gets half precision anyway.
"""

from __future__ import annotations

from functools import cache
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F


class Linear(nn.Linear):
    """An `nn.Linear`, computed by `linear`."""

    def forward(self, x: Tensor) -> Tensor:
        """Return (..., out_features) for x of shape (..., in_features)."""
        return linear(x, self.weight, self.bias)


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None, plus: Tensor | None = None) -> Tensor:
    """Return ``x @ weight.T + bias + plus``, as `torch.nn.functional.linear` does without `plus`.

    Parameters
    ----------
    x : Tensor, shape (..., K)
    weight : Tensor, shape (N, K)
    bias : Tensor, shape (N,), optional
    plus : Tensor, shape (..., N), optional
        Of the dtype of `x`.

    Returns
    -------
    Tensor, shape (..., N)
    """
    if not _fits(x, weight):
        y = F.linear(x, weight, bias)
        return y if plus is None else y + plus
    if torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in (x, weight, bias, plus)):
        return cast(Tensor, _Linear.apply(x, weight, bias, plus))  # type: ignore[no-untyped-call]
    return _product(x, weight, bias, plus)


def _fits(x: Tensor, weight: Tensor) -> bool:
    return (
        x.device.type == "cpu"
        and x.dtype == weight.dtype == torch.float32
        and x.numel() > 0
        and _available()
        and not torch.is_autocast_enabled("cpu")
        # Exporters and compilers need operations that they can look into.
        and not torch.compiler.is_compiling()
    )


@cache
def _available() -> bool:
    built_in: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return built_in and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def _product(x: Tensor, weight: Tensor, bias: Tensor | None = None, plus: Tensor | None = None) -> Tensor:
    if plus is None:
        return cast(Tensor, torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], ""))
    return cast(Tensor, torch.ops.mkldnn._linear_pointwise.binary(x, plus, weight, bias, "add"))


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, plus: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _product(x, weight, bias, plus)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        by_x, by_weight, by_bias, by_plus = ctx.needs_input_grad
        rows = upstream.reshape(-1, upstream.shape[-1])
        return (
            _product(rows, weight.t()).reshape(x.shape) if by_x else None,
            _by_weight(rows, x.reshape(-1, x.shape[-1])) if by_weight else None,
            rows.sum(dim=0) if by_bias else None,
            upstream if by_plus else None,
        )


def _by_weight(upstream: Tensor, x: Tensor) -> Tensor:
    """Return ``upstream.T @ x``; oneDNN wants the wider of the two on the right."""
    if upstream.shape[1] > x.shape[1]:
        return _product(x.t(), upstream.t()).t()
    return _product(upstream.t(), x.t())
