"""The mixer in plain PyTorch, around whichever form of the scan it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from brainscan_models.ssd.layout import NORM_EPS

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from brainscan_models.ssd.layout import MixerShape, MixerWeights


def plain_mixer(zxbcdt: Tensor, weights: MixerWeights, shape: MixerShape, scan: Callable[..., Tensor]) -> Tensor:
    """Compute everything of a Mamba2 block between its two projections, operation by operation.

    Parameters
    ----------
    zxbcdt : Tensor, shape (batch, T, 2 d_inner + 2 d_state + H)
        What the input projection gives: gate, input, B, C and raw step size, in `mamba_ssm`'s order.
    weights : MixerWeights
        The block's parameters.
    shape : MixerShape
        Its sizes; with ``reverse`` time runs backwards.
    scan : callable
        ``scan(x, dt, A, B, C, D)``, a form of `ssd_reference`.

    Returns
    -------
    Tensor, shape (batch, T, d_inner)
        In the order of the input, whichever way time ran.
    """
    z, x, into, out_of, dt = _split(zxbcdt.flip(1) if shape.reverse else zxbcdt, weights, shape)
    batch, length, d_inner = x.shape
    heads = x.reshape(batch, length, d_inner // shape.headdim, shape.headdim)
    y = scan(heads, dt, -torch.exp(weights.A_log), into, out_of, weights.D)
    gated = gated_norm(y.reshape(batch, length, d_inner), z, weights.norm_weight)
    return gated.flip(1) if shape.reverse else gated


def gated_norm(y: Tensor, z: Tensor, weight: Tensor) -> Tensor:
    """Gate with SiLU, then divide by the root mean square over the features of one time step.

    Parameters
    ----------
    y, z : Tensor, shape (batch, T, d_inner)
        Output of the scan and its gate.
    weight : Tensor, shape (d_inner,)
        Gain.

    Returns
    -------
    Tensor, shape (batch, T, d_inner)
    """
    gated = y * F.silu(z)
    scale = torch.rsqrt(gated.square().mean(dim=-1, keepdim=True) + NORM_EPS)
    return gated * scale * weight


def _split(zxbcdt: Tensor, weights: MixerWeights, shape: MixerShape) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Cut into z, x, B, C and dt, with the causal convolution and the activations applied."""
    d_inner = weights.norm_weight.shape[0]
    channels, _, d_conv = weights.conv_weight.shape
    z, xbc, raw_dt = torch.split(zxbcdt, [d_inner, channels, weights.dt_bias.shape[0]], dim=-1)
    padded = F.pad(xbc.transpose(1, 2), (d_conv - 1, 0))
    convolved = F.conv1d(padded, weights.conv_weight, weights.conv_bias, groups=channels)
    x, into, out_of = torch.split(F.silu(convolved).transpose(1, 2), [d_inner, shape.d_state, shape.d_state], dim=-1)
    return z, x, into, out_of, F.softplus(raw_dt + weights.dt_bias)
